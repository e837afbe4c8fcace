"""Compare a planner's trace with the scalings that really took place, and print what happened.

usage: check.py load|plugin|sla TRACES SCALINGS SCRAPED

TRACES is a folder with the trace of one planner; SCALINGS the log of actuator.py; SCRAPED what Prometheus answered for
the planner's metrics, Dynamo's own and the library's. Reads the trace with the reader of analysis/oracles, which shares
no line with the library. Ends with 1 and a sentence for everything that does not agree.
"""

import json
import math
import sys
from bisect import bisect_right
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "analysis/oracles"))
from trace_format import Record, Trace, read  # noqa: E402

SUBMITTED, APPLIED, FAILED, OBSERVED = 1, 3, 4, 5
SPACE_WORKER_TYPE, SPACE_PLANNER = 2, 6
FRESH_TRAFFIC = 2
DIRECTIONS = {True: "scale_up", False: "scale_down"}
# Dynamo's own gauges of what it observed, by the field that has it in the trace.
GAUGES = {
    "observed_ttft_ms": "observed_ttft_ms",
    "observed_itl_ms": "observed_itl_ms",
    "observed_requests_per_second": "observed_request_rate",
    "observed_request_duration_seconds": "observed_duration_s",
    "observed_input_sequence_tokens": "observed_isl",
    "observed_output_sequence_tokens": "observed_osl",
}
# The actuator's clock and the trace's are the same; reading them and writing the log takes moments.
SLACK_S = 0.05


class Planner:
    """The planner's records of a trace."""

    def __init__(self, trace: Trace) -> None:
        self.anchors = [(r.time, r.fields["wall_ns"]) for r in trace.records if r.kind == "anchor"]
        self.names = {
            (r.fields["space"], r.fields["id"]): r.fields["text"] for r in trace.records if r.kind == "name"
        }
        self.ticks = {r.fields["tick"]: r for r in trace.records if r.kind == "planner_tick"}
        self.decisions = [r for r in trace.records if r.kind == "planner_decision"]
        self.effects = [r for r in trace.records if r.kind == "planner_effect"]

    def worker_type(self, record: Record) -> str:
        return self.names[SPACE_WORKER_TYPE, record.fields["worker_type"]]

    def word(self, id: int) -> str:
        return self.names.get((SPACE_PLANNER, id), "-")

    def seconds(self, record: Record) -> float:
        """Wall time of a record, between the anchors around it."""
        after = min(max(bisect_right(self.anchors, (record.time, 0)), 1), len(self.anchors) - 1)
        (t0, w0), (t1, w1) = self.anchors[after - 1 : after + 1]
        return (w0 + (record.time - t0) * (w1 - w0) / (t1 - t0)) / 1e9

    def effect(self, kind: int, decision: Record) -> Record | None:
        """What became of a decision, in this respect."""
        of = [kind, decision.fields["tick"], decision.fields["worker_type"]]
        names = "effect", "tick", "worker_type"
        return next((r for r in self.effects if [r.fields[name] for name in names] == of), None)


def main(mode: str, traces: Path, scalings: Path, scraped: Path) -> int:
    (path,) = traces.glob("*.nash")
    planner = Planner(read(path))
    took_place = [json.loads(line) for line in scalings.read_text().splitlines()]
    series = json.loads(scraped.read_text())["data"]["result"]
    samples = {tuple(s["metric"].get(k) for k in ("__name__", "metric_type")): float(s["value"][1]) for s in series}
    counted = sum(float(s["value"][1]) for s in series if s["metric"]["__name__"].endswith("scaling_events_total"))
    print(f"{len(planner.ticks)} ticks, {len(took_place)} scalings")
    problems = compare_scalings(planner, took_place, mode)
    if mode != "sla" and not took_place:
        problems.append("nothing was scaled")
    if counted != len(took_place):
        problems.append(f"{len(took_place)} scalings took place, Prometheus counted {counted:g}")
    if mode == "sla":
        problems += compare_traffic(planner, samples)
    for problem in problems:
        print(f"check: {problem}", file=sys.stderr)
    if not problems and mode == "sla":
        print("inputs and predictions in the trace are those that Prometheus scraped")
    if not problems and took_place:
        what = "decision and outcome" if mode == "plugin" else "decision, application and outcome"
        print(f"every scaling is in the trace with its inputs, {what}")
    return 1 if problems else 0


def compare_scalings(planner: Planner, took_place: list[dict], mode: str) -> list[str]:
    problems = []
    seen = [r for r in planner.effects if r.fields["effect"] == OBSERVED]
    if took_place:
        print("scaled   from to   tick  why         wanted  decided s before  applied in ms  seen s after  gpus")
    for scaling in took_place:
        outcome = next((r for r in seen if planner.worker_type(r) == scaling["worker_type"]), None)
        if outcome is None:
            problems.append(f"{name(scaling)} was never seen by the planner")
        else:
            seen.remove(outcome)
            problems += compare(planner, scaling, outcome, mode)
    if seen:
        problems.append(f"the planner saw {len(seen)} changes of replicas that did not take place")
    for decision in planner.decisions:
        is_submitted = planner.effect(SUBMITTED, decision) is not None
        if is_submitted and not (planner.effect(APPLIED, decision) or planner.effect(FAILED, decision)):
            problems.append(f"nobody knows what became of what tick {decision.fields['tick']} submitted")
    return problems


def name(scaling: dict) -> str:
    return f"the scaling of {scaling['worker_type']} workers from {scaling['from']} to {scaling['to']}"


def compare(planner: Planner, scaling: dict, outcome: Record, mode: str) -> list[str]:
    """A scaling that took place, with the decision that asked for it and the outcome that was seen."""
    asked = [
        d for d in planner.decisions
        if planner.worker_type(d) == scaling["worker_type"] and d.fields["decided"] == scaling["to"]
        and planner.seconds(d) <= scaling["when"] + SLACK_S
    ]
    if not asked:
        return [f"{name(scaling)} was never decided"]
    decision, tick = asked[-1].fields, planner.ticks[asked[-1].fields["tick"]].fields
    found = {
        "replicas before": (decision["ready"], scaling["from"]),
        "replicas wanted": (decision["wanted"], scaling["to"]),
        "outcome": ((outcome.fields["from"], outcome.fields["to"]), (scaling["from"], scaling["to"])),
    }
    if mode == "load":
        found["reason"] = (planner.word(decision["load_reason"]), DIRECTIONS[scaling["to"] > scaling["from"]])
        found["GPUs"] = (tick["gpus"], scaling["from"] * decision["gpus_per_replica"])
    applied = planner.effect(APPLIED, asked[-1])
    if mode != "plugin":
        if applied is None or planner.effect(SUBMITTED, asked[-1]) is None:
            return [f"{name(scaling)} was decided by tick {decision['tick']}, but not submitted and applied"]
        found["action"] = (planner.word(tick["action"]), "apply")
        found["replicas applied"] = (applied.fields["to"], scaling["to"])
    problems = [
        f"{name(scaling)}: {what} is {ours} in the trace, not {real}"
        for what, (ours, real) in found.items() if ours != real
    ]
    decided, seen = planner.seconds(asked[-1]), planner.seconds(outcome)
    if not decided <= scaling["when"] + SLACK_S <= seen + 2 * SLACK_S:
        problems.append(f"{name(scaling)} was not decided before it took place and seen after")
    why = planner.word(decision["load_reason"] if mode == "load" else decision["throughput_reason"])
    took = f"{applied.fields['duration_ns'] / 1e6:.2f}" if applied else "-"
    print(
        f"{scaling['worker_type']:8} {scaling['from']:4} {scaling['to']:2} {decision['tick']:6}  {why:10}"
        f" {decision['wanted']:7} {scaling['when'] - decided:17.3f} {took:>14} {seen - scaling['when']:13.2f}"
        f" {tick['gpus']:5g}"
    )
    return problems


def compare_traffic(planner: Planner, samples: dict) -> list[str]:
    """The inputs and predictions of throughput ticks, with Dynamo's own gauges and the library's."""
    ticks = [r.fields for r in planner.ticks.values() if r.fields["flags"] & FRESH_TRAFFIC]
    print("  tick  requests/s     isl     osl  ttft ms  itl ms  hit rate   predicted requests/s     isl     osl")
    for t in ticks:
        print(
            f"{t['tick']:6} {t['observed_request_rate']:11.2f} {t['observed_isl']:7.1f} {t['observed_osl']:7.1f}"
            f" {t['observed_ttft_ms']:8.2f} {t['observed_itl_ms']:7.2f} {t['observed_kv_hit_rate']:9.3f}"
            f" {t['predicted_request_rate']:22.2f} {t['predicted_isl']:7.1f} {t['predicted_osl']:7.1f}"
        )
    if len(ticks) < 4:
        return [f"traffic was observed at {len(ticks)} ticks only"]

    # A tick may have come between the last scrape and the end.
    def agree(before: dict, last: dict) -> dict[str, tuple[float | None, float]]:
        expected = {(f"dynamo_planner_{gauge}", None): last[field] for gauge, field in GAUGES.items()}
        for metric in "request_rate", "isl", "osl", "kv_hit_rate":
            if math.isfinite(before[f"predicted_{metric}"]) and math.isfinite(last[f"observed_{metric}"]):
                expected["dynamo_planner_predicted_load", metric] = before[f"predicted_{metric}"]
                expected["dynamo_planner_actual_load", metric] = last[f"observed_{metric}"]
        differ = {key: (samples.get(key), ours) for key, ours in expected.items()}
        return {key: pair for key, pair in differ.items() if pair[0] is None or not math.isclose(*pair, rel_tol=1e-9)}

    different = min((agree(*pair) for pair in (ticks[-3:-1], ticks[-2:])), key=len)
    return [
        f"{metric} {metric_type or ''} is {scraped}, scraped from the planner, and {ours} in the trace"
        for (metric, metric_type), (scraped, ours) in different.items()
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(Path, sys.argv[2:])))
