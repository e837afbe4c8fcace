"""Compare a planner's trace with the scalings that really took place, and print what happened.

usage: check.py TRACES SCALINGS SCRAPED

TRACES is a folder with the trace of one planner; SCALINGS the log of actuator.py; SCRAPED how many scalings Prometheus
has counted. Reads the trace with the reader of analysis/oracles, which shares no line with the library. Ends with 1 and
a sentence for everything that does not agree.
"""

import json
import sys
from bisect import bisect_right
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "analysis/oracles"))
from trace_format import Record, Trace, read  # noqa: E402

SUBMITTED, DROPPED, APPLIED, FAILED, OBSERVED = 1, 2, 3, 4, 5
SPACE_WORKER_TYPE, SPACE_PLANNER = 2, 6
# The actuator's clock and the trace's are the same; reading them and writing the log takes moments.
SLACK_S = 0.05


class Planner:
    """The planner's records of a trace, by tick."""

    def __init__(self, trace: Trace) -> None:
        self.anchors = [(r.time, r.fields["wall_ns"]) for r in trace.records if r.kind == "anchor"]
        self.names = {
            (r.fields["space"], r.fields["id"]): r.fields["text"] for r in trace.records if r.kind == "name"
        }
        self.ticks = {r.fields["tick"]: r for r in trace.records if r.kind == "planner_tick"}
        self.decisions = [r for r in trace.records if r.kind == "planner_decision" and self.is_decode(r)]
        self.effects = [r for r in trace.records if r.kind == "planner_effect" and self.is_decode(r)]

    def is_decode(self, record: Record) -> bool:
        return self.names[SPACE_WORKER_TYPE, record.fields["worker_type"]] == "decode"

    def word(self, id: int) -> str:
        return self.names.get((SPACE_PLANNER, id), "-")

    def seconds(self, record: Record) -> float:
        """Wall time of a record, between the anchors around it."""
        after = min(max(bisect_right(self.anchors, (record.time, 0)), 1), len(self.anchors) - 1)
        (t0, w0), (t1, w1) = self.anchors[after - 1 : after + 1]
        return (w0 + (record.time - t0) * (w1 - w0) / (t1 - t0)) / 1e9

    def of(self, kind: int, tick: int) -> Record | None:
        return next((r for r in self.effects if r.fields["effect"] == kind and r.fields["tick"] == tick), None)


def main(traces: Path, scalings: Path, scraped: float) -> int:
    (path,) = traces.glob("*.nash")
    planner = Planner(read(path))
    took_place = [json.loads(line) for line in scalings.read_text().splitlines()]
    problems = [] if took_place else ["nothing was scaled"]
    print(f"{len(planner.ticks)} ticks, {len(took_place)} scalings")
    print("scaled from to   tick  why         wanted  decided s before  applied in ms  seen s after  gpus")
    seen = [r for r in planner.effects if r.fields["effect"] == OBSERVED]
    for scaling, outcome in zip(took_place, seen):
        problems += compare(planner, scaling, outcome)
    if len(seen) != len(took_place):
        problems.append(f"{len(took_place)} scalings took place, the planner saw {len(seen)}")
    if scraped != len(took_place):
        problems.append(f"{len(took_place)} scalings took place, Prometheus counted {scraped:g}")
    submitted = [r for r in planner.effects if r.fields["effect"] == SUBMITTED]
    for record in submitted:
        tick = record.fields["tick"]
        if not (planner.of(APPLIED, tick) or planner.of(FAILED, tick)):
            problems.append(f"nobody knows what became of what tick {tick} submitted")
    for problem in problems:
        print(f"check: {problem}", file=sys.stderr)
    if not problems:
        print("every scaling is in the trace with its inputs, decision, application and outcome")
    return 1 if problems else 0


def compare(planner: Planner, scaling: dict, outcome: Record) -> list[str]:
    """A scaling that took place, with the decision that asked for it and the outcome that was seen."""
    what = f"the scaling from {scaling['from']} to {scaling['to']}"
    before = [d for d in planner.decisions if planner.seconds(d) <= scaling["when"] + SLACK_S]
    asked = [d for d in before if d.fields["decided"] == scaling["to"]]
    if not asked:
        return [f"{what} was never decided"]
    decision = asked[-1].fields
    tick, applied = planner.ticks[decision["tick"]].fields, planner.of(APPLIED, decision["tick"])
    if applied is None or planner.of(SUBMITTED, decision["tick"]) is None:
        return [f"{what} was decided by tick {decision['tick']}, but not submitted and applied"]
    problems = []
    direction = "scale_up" if scaling["to"] > scaling["from"] else "scale_down"
    found = {
        "replicas before": (decision["ready"], scaling["from"]),
        "replicas wanted": (decision["wanted"], scaling["to"]),
        "reason": (planner.word(decision["load_reason"]), direction),
        "action": (planner.word(tick["action"]), "apply"),
        "GPUs": (tick["gpus"], scaling["from"] * decision["gpus_per_replica"]),
        "replicas applied": (applied.fields["to"], scaling["to"]),
        "outcome": ((outcome.fields["from"], outcome.fields["to"]), (scaling["from"], scaling["to"])),
    }
    for name, (ours, real) in found.items():
        if ours != real:
            problems.append(f"{what}: {name} is {ours} in the trace, not {real}")
    decided, seen = planner.seconds(asked[-1]), planner.seconds(outcome)
    if not decided <= scaling["when"] + SLACK_S <= seen + 2 * SLACK_S:
        problems.append(f"{what} was not decided before it took place and seen after")
    print(
        f"{scaling['from']:11} {scaling['to']:2} {decision['tick']:6}  {planner.word(decision['load_reason']):10}"
        f" {decision['wanted']:7} {scaling['when'] - decided:17.3f} {applied.fields['duration_ns'] / 1e6:14.2f}"
        f" {seen - scaling['when']:13.2f} {tick['gpus']:5g}"
    )
    return problems


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])))
