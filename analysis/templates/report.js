"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const drawn = new Map();
  const isCoarse = matchMedia("(pointer: coarse)").matches;
  const config = {
    responsive: false, displaylogo: false, displayModeBar: isCoarse ? false : "hover",
    modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d", "toImage"],
  };

  // A string var(--NAME) in a figure stands for a colour of the page's style.
  const style = () => getComputedStyle(document.documentElement);
  const coloured = (value, colours) => {
    if (typeof value === "string") {
      const name = /^var\((--[a-z0-9]+)\)$/.exec(value);
      return name ? colours.getPropertyValue(name[1]).trim() : value;
    }
    if (Array.isArray(value)) return value.map((one) => coloured(one, colours));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, coloured(one, colours)]));
    }
    return value;
  };

  // Where there is little room, cells bear no numbers, names stand upright and scales lie below.
  const NARROW = 560;
  const narrow = (data, layout) => {
    for (const trace of data) {
      if (trace.type !== "heatmap") continue;
      delete trace.texttemplate;
      trace.colorbar = { ...trace.colorbar, thickness: 6 };
    }
    const names = layout.xaxis && layout.xaxis.ticktext;
    if (names && names.some((name) => name.includes("<br>"))) {
      layout.xaxis.ticktext = names.map((name) => name.replaceAll("<br>", " / "));
      layout.xaxis.tickangle = 90;
    }
    if (layout.coloraxis) layout.coloraxis.colorbar = { ...layout.coloraxis.colorbar, thickness: 6 };
  };

  const themed = (id, element) => {
    const colours = style();
    const colour = (name) => colours.getPropertyValue(name).trim();
    const { data, layout } = coloured(figures[id], colours);
    if (element.clientWidth < NARROW) narrow(data, layout);
    const axis = { gridcolor: colour("--line"), linecolor: colour("--faint"), zerolinecolor: colour("--faint"), tickcolor: colour("--faint") };
    for (const key of Object.keys(layout)) {
      if (/^[xy]axis\d*$/.test(key)) layout[key] = { ...axis, ...layout[key] };
    }
    for (const key of ["xaxis", "yaxis"]) layout[key] = { ...axis, ...layout[key] };
    return {
      data,
      layout: {
        ...layout,
        width: element.clientWidth, height: element.clientHeight,
        paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
        font: { family: colours.fontFamily || "sans-serif", size: 12, color: colour("--ink") },
        hoverlabel: { bgcolor: colour("--raised"), bordercolor: colour("--faint"), font: { color: colour("--ink") }, align: "left" },
        margin: { l: 12, r: 14, t: 12, b: 12, ...layout.margin },
        dragmode: isCoarse ? false : "zoom",
      },
    };
  };

  const draw = (element) => {
    if (element.clientWidth === 0) return undefined;
    const { data, layout } = themed(element.id, element);
    drawn.set(element, element.clientWidth);
    return Plotly.react(element, data, layout, config);
  };
  const plots = [...document.querySelectorAll(".plot")];
  const drawAll = () => Promise.all(plots.map(draw));
  // What a reader has zoomed or switched off stays when a width changes; colours need a new drawing.
  const resize = () => {
    for (const element of plots) {
      if (element.clientWidth === 0 || drawn.get(element) === element.clientWidth) continue;
      if (!drawn.has(element)) { draw(element); continue; }
      drawn.set(element, element.clientWidth);
      Plotly.relayout(element, { width: element.clientWidth });
    }
  };

  for (const section of document.querySelectorAll("section[data-tabs]")) {
    const panels = [...section.querySelectorAll(".panel[data-name]")];
    const bar = document.createElement("div");
    bar.className = "tabs";
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", "Choose what is shown");
    const show = (chosen) => {
      panels.forEach((panel, at) => { panel.hidden = at !== chosen; });
      [...bar.children].forEach((button, at) => button.setAttribute("aria-pressed", String(at === chosen)));
    };
    panels.forEach((panel, at) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = panel.dataset.name;
      button.addEventListener("click", () => { show(at); resize(); });
      bar.append(button);
      panel.querySelector(".panel-name").hidden = true;
    });
    panels[0].before(bar);
    show(panels.length - 1);
  }

  // Only now, when it is known which panels are hidden: those are drawn when they are chosen.
  drawAll();
  new ResizeObserver(resize).observe(document.body);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  // Paper shows every panel, in light colours and at its own width. Browsers say so before they print or when the medium
  // changes, some both, and some lay the page out for paper only after the last moment at which it can be drawn again.
  const root = document.documentElement;
  let hidden = [];
  const onto = () => {
    if (root.classList.contains("paper")) return;
    root.classList.add("paper");
    hidden = [...document.querySelectorAll(".panel[hidden], .panel-name[hidden]")];
    hidden.forEach((element) => { element.hidden = false; });
    drawAll().then(() => { root.dataset.paper = "drawn"; });
  };
  const back = () => {
    if (!root.classList.contains("paper")) return;
    root.classList.remove("paper");
    delete root.dataset.paper;
    hidden.forEach((element) => { element.hidden = true; });
    hidden = [];
    drawAll();
  };
  matchMedia("print").addEventListener("change", (event) => (event.matches ? onto() : back()));
  addEventListener("beforeprint", onto);
  addEventListener("afterprint", back);
  root.dataset.ready = "";
})();
