"""Compares what the engine of lab/four-tiers counted (its standard output) with the trace that was recorded meanwhile.

usage: four_tiers.py COUNTS TRACE-DIRECTORY
"""

import sys
from collections import Counter
from pathlib import Path

from trace_format import read

EVENTS = {10: "offload", 11: "onboard", 15: "offload_skipped"}
REASONS = {7: "filtered", 8: "source_gone", 9: "no_room", 10: "failed"}
OUTCOMES = {1: "done", 2: "failed"}

# What must have happened, or the comparison shows nothing of it.
EXPECTED = [
    "offload g1 to g2", "offload g2 to g3", "offload g2 to g4", "onboard g3 to g2", "onboard g4 to g2",
    "offload_skipped filtered g1 to g2", "offload_skipped source_gone g2 to g3",
    "offload_skipped no_room g1 to g2", "offload_skipped failed g1 to g2", "offload_skipped failed g2 to g4",
    "copy done g1 to g2", "copy failed g1 to g2", "copy failed g3 to g2", "copy done g4 to g2",
]


def traced(directory: Path) -> Counter:
    counts = Counter()
    for path in directory.glob("*.nash"):
        trace = read(path)
        assert trace.complete, f"{path} is incomplete"
        for record in trace.records:
            fields = record.fields
            route = f"g{fields.get('tier', fields.get('from_tier'))} to g{fields.get('to_tier')}"
            if record.kind == "block" and fields["event"] in EVENTS:
                event = EVENTS[fields["event"]]
                reason = f" {REASONS[fields['reason']]}" if event == "offload_skipped" else ""
                assert fields["hash"] != 0, "a move without a hash"
                counts[f"{event}{reason} {route}"] += fields["count"]
            elif record.kind == "transfer":
                assert record.time <= fields["ended"], "a copy ended before it began"
                counts[f"copy {OUTCOMES[fields['outcome']]} {route}"] += 1
            elif record.kind == "loss":
                assert sum(fields["lost"]) == 0, "events were lost"
    return counts


def main() -> None:
    lines = [line.split("\t") for line in Path(sys.argv[1]).read_text().splitlines()]
    counted = Counter({name: int(count) for name, count in lines})
    recorded = traced(Path(sys.argv[2]))
    names = sorted(counted | recorded)
    for name in names:
        print(f"{counted[name]:>8} {recorded[name]:>8}  {name}")
    wrong = [name for name in names if counted[name] != recorded[name]]
    missing = [name for name in EXPECTED if not counted[name]]
    if wrong or missing:
        sys.exit(f"four-tiers: differ: {wrong or 'none'}; never happened: {missing or 'none'}")
    print("the trace equals what the worker and the engine counted")


if __name__ == "__main__":
    main()
