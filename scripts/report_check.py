"""The browser's part of scripts/report-check."""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

OUT = Path("target/report")
# Width and colours; what is wrong with the colours is so at any width. The first goes on paper, too.
WINDOWS = ((1280, "light"), (1280, "dark"), (400, "light"))
LONGEST_MS = 120_000

# What is wrong with the figures that can be seen, by id: with all of them, or with those that were not looked at before.
# A figure has a drawing if something inside its axes has a size; plotly.js itself says which keys of a figure it does not
# know.
FAULTS = """(all) => {
    const validated = (plot) => {
        // It stumbles over legends, and does not know that a colour axis may be shared.
        const { legend, ...layout } = plot.layout;
        const wrong = (fault) => ["schema", "value"].includes(fault.code) && !fault.astr.endsWith("coloraxis");
        return (Plotly.validate(plot.data, layout) || []).filter(wrong).map((fault) => fault.msg);
    };
    const faults = [];
    for (const plot of document.querySelectorAll(".plot")) {
        if (plot.closest("[hidden]") || (!all && "checked" in plot.dataset)) continue;
        const marks = [...plot.querySelectorAll(".cartesianlayer .overplot :is(path, image, rect)")];
        const drawn = marks.filter((mark) => {
            const box = mark.getBoundingClientRect();
            return box.width + box.height > 0;
        });
        if (drawn.length === 0) faults.push(`${plot.id}: nothing is drawn`);
        if (plot.getBoundingClientRect().width < 200) faults.push(`${plot.id}: less than 200 pixels wide`);
        for (const fault of validated(plot)) faults.push(`${plot.id}: ${fault}`);
        const rows = plot.parentElement.querySelectorAll("details tbody tr");
        if (rows.length === 0) faults.push(`${plot.id}: no numbers in its table`);
        plot.dataset.checked = "";
    }
    return faults;
}"""


class Checked:
    """One page in one window."""

    def __init__(self, browser: Browser, file: Path, width: int, scheme: str):
        self.name = f"{file.resolve().parent.name}-{width}-{scheme}"
        self.faults: list[str] = []
        self.context: BrowserContext = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
        )
        self.context.set_default_timeout(LONGEST_MS)
        self.page: Page = self.context.new_page()
        self.page.on("console", lambda message: self.fault(f"logged {message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.fault(f"error: {error}"))
        self.page.on("request", self.request)
        self.page.goto(file.resolve().as_uri())
        self.page.wait_for_selector("html[data-ready]", state="attached")

    def fault(self, what: str) -> None:
        self.faults.append(f"{self.name}: {what}")

    def request(self, request) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.fault(f"asks the network for {request.url}")

    def check(self) -> None:
        """Every panel's figures, and the width of the page."""
        self.figures()
        for button in self.page.query_selector_all(".tabs button"):
            button.click()
            self.figures()
        unchecked = self.page.eval_on_selector_all(
            ".plot:not([data-checked])", "plots => plots.map(plot => plot.id)"
        )
        for plot in unchecked:
            self.fault(f"{plot} is in no panel that can be chosen")

    def figures(self) -> None:
        for fault in self.page.evaluate(FAULTS, False):
            self.fault(fault)
        wider = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        if wider > 0:
            self.fault(f"{wider} pixels wider than the window")

    def point(self) -> None:
        """Pointing at the map of a payoff tells the profile."""
        plot = self.page.locator("#payoffs .plot").first
        plot.scroll_into_view_if_needed()
        box = plot.locator(".cartesianlayer .overplot").bounding_box()
        for step in range(2):
            self.page.mouse.move(box["x"] + box["width"] / 3 + step, box["y"] + box["height"] / 2)
        self.page.wait_for_selector("#payoffs .hoverlayer .hovertext", state="attached")

    def paper(self) -> None:
        """Everything is on paper: every panel, and every figure again."""
        self.page.emulate_media(media="print")
        self.page.wait_for_selector("html[data-paper=drawn]", state="attached")
        hidden = self.page.locator(".panel[hidden]").count()
        if hidden:
            self.fault(f"{hidden} panels are not on paper")
        for fault in self.page.evaluate(FAULTS, True):
            self.fault(f"on paper: {fault}")
        self.page.pdf(path=OUT / f"{self.name}.pdf", format="A4", margin={"top": "12mm", "bottom": "12mm", "left": "12mm", "right": "12mm"})
        self.page.emulate_media(media="screen")

    def close(self) -> None:
        self.context.close()


def check(browser: Browser, file: Path) -> list[str]:
    faults: list[str] = []
    for window in WINDOWS:
        checked = Checked(browser, file, *window)
        checked.check()
        checked.point()
        checked.page.mouse.move(0, 0)
        checked.page.screenshot(path=OUT / f"{checked.name}.png", full_page=True)
        if window == WINDOWS[0]:
            checked.paper()
        plots = checked.page.locator(".plot").count()
        print(f"{checked.name}: {plots} figures, {len(checked.faults)} faults", flush=True)
        faults += checked.faults
        checked.close()
    return faults


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        faults = [fault for page in sys.argv[1:] for fault in check(browser, Path(page))]
        browser.close()
    for fault in faults:
        print(fault, file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
