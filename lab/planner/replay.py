"""Replay a load offline, in virtual time, with the patched planner, and compare its trace with Dynamo's own report of
every tick.

usage: replay.py LIBRARY OUT

Ends with 1 and a sentence for everything that does not agree.
"""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "analysis/oracles"))
from trace_format import Record, Trace, read  # noqa: E402

CLOCK_CALLER = 1
SUBMITTED, OBSERVED = 1, 5
UNKNOWN_U32 = 2**32 - 1
# Load scaling by thresholds, which scales; and scaling by predictions, which observes and predicts.
TARGETS = {"throughput": "false", "sla": "true"}


def main(library: Path, out: Path) -> int:
    model = out / "model"
    subprocess.run([sys.executable, HERE / "model.py", model], check=True)
    problems = []
    for target, with_throughput in TARGETS.items():
        run = out / target
        run.mkdir(parents=True)
        config = (HERE / "replay.yaml").read_text().replace("MODEL", str(model))
        config = config.replace("TARGET", target).replace("WITH_THROUGHPUT", with_throughput)
        (run / "replay.yaml").write_text(config)
        (run / "trace").mkdir()
        with (run / "replay.log").open("w") as log:
            subprocess.run(
                [sys.executable, "-m", "aisimulate", "predict", "--stack", "dynamo", "--config", run / "replay.yaml",
                 "--output-dir", run / "prediction", "--format", "json"],
                env=os.environ | {"NASHTRACE_LIB": str(library), "NASHTRACE_DIR": str(run / "trace")},
                stdout=log, stderr=subprocess.STDOUT, check=True,
            )
        report = json.loads((run / "prediction/prediction.json").read_text())["planner"]
        (path,) = (run / "trace").glob("*.nash")
        trace = read(path)
        problems += [f"{target}: {problem}" for problem in compare(report, trace)]
        ticks, scalings = len(report["ticks"]), len(report["scaling_events"])
        print(f"replay, target {target}: {ticks} ticks and {scalings} scalings compared")
    for problem in problems:
        print(f"replay: {problem}", file=sys.stderr)
    return 1 if problems else 0


def compare(report: dict, trace: Trace) -> list[str]:
    names = {(r.fields["space"], r.fields["id"]): r.fields["text"] for r in trace.records if r.kind == "name"}
    ticks = [r for r in trace.records if r.kind == "planner_tick"]
    if len(ticks) != len(report["ticks"]):
        return [f"{len(ticks)} ticks in the trace, {len(report['ticks'])} in Dynamo's report"]
    problems = []
    for record, reported in zip(ticks, report["ticks"]):
        problems += compare_tick(record, reported)
        for kind in "planner_decision", "planner_effect":
            for of_tick in (r for r in trace.records if r.kind == kind and r.fields["tick"] == record.fields["tick"]):
                if (of_tick.clock, of_tick.time) != (record.clock, record.time):
                    problems.append(f"a {kind} of tick {record.fields['tick']} has another time")
                if kind == "planner_decision":
                    problems += compare_decision(of_tick, names[2, of_tick.fields["worker_type"]], reported)
    submitted = [
        (r.time / 1e9, names[2, r.fields["worker_type"]], r.fields["from"], r.fields["to"])
        for r in trace.records
        if r.kind == "planner_effect" and r.fields["effect"] == SUBMITTED and r.fields["from"] != r.fields["to"]
    ]
    events = [(e["at_s"], e["component"], e["from_count"], e["to_count"]) for e in report["scaling_events"]]
    if submitted != events:
        problems.append(f"scalings are {submitted} in the trace, {events} in Dynamo's report")
    seen = sum(r.kind == "planner_effect" and r.fields["effect"] == OBSERVED for r in trace.records)
    counts = [tick["input"]["worker_counts"] for tick in report["ticks"]]
    changes = sum(
        before[ready] != after[ready]
        for before, after in zip(counts, counts[1:]) for ready in ("ready_num_prefill", "ready_num_decode")
    )
    if seen != changes:
        problems.append(f"{seen} outcomes in the trace, {changes} in Dynamo's report")
    return problems


def compare_tick(record: Record, reported: dict) -> list[str]:
    traffic, diagnostics = reported["input"]["traffic"], reported["effects"]["diagnostics"]
    interval_s = traffic["duration_s"] if traffic else math.nan
    predicted = diagnostics["predicted_num_req"]
    expected = {
        "interval_s": interval_s,
        "observed_request_rate": traffic["num_req"] / interval_s if traffic else None,
        "observed_isl": traffic and traffic["isl"],
        "observed_osl": traffic and traffic["osl"],
        "observed_kv_hit_rate": traffic and traffic["kv_hit_rate"],
        "predicted_request_rate": predicted / interval_s if predicted is not None else None,
        "predicted_isl": diagnostics["predicted_isl"],
        "predicted_osl": diagnostics["predicted_osl"],
        "predicted_kv_hit_rate": diagnostics["predicted_kv_hit_rate"],
    }
    problems = different(record, expected)
    if record.clock != CLOCK_CALLER or record.time != round(reported["input"]["now_s"] * 1e9):
        problems.append(f"tick {record.fields['tick']} is at {record.time}, not at {reported['input']['now_s']} s")
    if traffic and not record.fields["observed_ttft_ms"] > 0:
        problems.append(f"tick {record.fields['tick']} has traffic and no time to first token")
    return problems


def compare_decision(record: Record, worker_type: str, reported: dict) -> list[str]:
    counts, scale_to = reported["input"]["worker_counts"], reported["effects"]["scale_to"] or {}
    decided = scale_to.get(f"num_{worker_type}")
    return different(record, {
        "ready": counts[f"ready_num_{worker_type}"],
        "expected": counts[f"expected_num_{worker_type}"],
        "decided": UNKNOWN_U32 if decided is None else decided,
    })


def different(record: Record, expected: dict) -> list[str]:
    problems = []
    for name, value in expected.items():
        ours, theirs = record.fields[name], math.nan if value is None else value
        if ours != theirs and not (math.isnan(ours) and math.isnan(theirs)):
            problems.append(f"{record.kind} {record.fields['tick']}: {name} is {ours}, not {theirs}")
    return problems


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
