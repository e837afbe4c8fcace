"""Seconds that nashtrace and other packages need for the same answer, one call of each in turn."""

import argparse
import json
import multiprocessing
import os
import platform
import resource
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, Callable

from peer_rows import Row, front_rows, games, series_rows

LEAST = 0.02
"""Seconds that the calls of one measurement take together, at least."""
PATIENCE = 60
"""Seconds after which a peer is given up."""


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of processor time per call, and what the last call gave."""
    calls = 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        while True:
            begin = time.process_time()
            for _ in range(calls):
                answer = call()
            took = time.process_time() - begin
            if took >= LEAST:
                return took / calls, answer
            calls *= 2


def peak_bytes() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def in_time(call: Callable[[], Any]) -> tuple[float, Any, int] | None:
    """The same, and the bytes of memory that it took beyond the input, in a process of its own, or nothing if it takes too long. A peer that fails is an error."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def work() -> None:
        before = peak_bytes()
        took, answer = timed(call)
        sender.send((took, answer, peak_bytes() - before))

    process = context.Process(target=work)
    process.start()
    sender.close()
    try:
        return receiver.recv() if receiver.poll(PATIENCE) else None
    finally:
        process.kill()
        process.join()


@dataclass
class Measured:
    row: Row
    ours: list[float]
    theirs: list[float]
    answer: Any
    verdict: str
    bytes: int
    peer_bytes: int | None


def measure(row: Row, tool: Path, repeats: int) -> Measured:
    if row.prepare is not None:
        row.prepare()
    with subprocess.Popen([tool], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.stdin.write(json.dumps(row.job) + "\n")
        ours, theirs, given_up, verdict, peer_bytes = [], [], False, "", None
        for _ in range(repeats):
            process.stdin.write("again\n")
            process.stdin.flush()
            mine = json.loads(process.stdout.readline())
            ours.append(mine["seconds"])
            if given_up:
                continue
            found = in_time(row.call)
            if found is None:
                given_up, verdict = True, f"given up after {PATIENCE} s"
                continue
            theirs.append(found[0])
            peer_bytes = found[2]
            same = row.same(mine["answer"], found[1])
            if same is True:
                verdict = "same"
            else:
                verdict = f"differs: {same or row.why_not or 'NOT EXPLAINED'}"
        process.stdin.close()
    if isinstance(mine["answer"], dict):
        verdict += f"; ours: {len(mine['answer']['profiles'])}, {mine['answer']['completeness']}"
    if row.memory_target is not None:
        met = "met" if mine["peak_bytes"] <= row.memory_target else "missed"
        verdict += f"; {megabytes(mine['peak_bytes'])} of memory, goal {megabytes(row.memory_target)}, {met}"
        verdict += "" if peer_bytes is None else f"; the peer {megabytes(peer_bytes)}"
    return Measured(row, ours, theirs, mine["answer"], verdict, mine["peak_bytes"], peer_bytes)


def megabytes(count: float) -> str:
    return f"{count / 1e6:,.0f} MB"


def seconds(value: float) -> str:
    for unit, scale in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def table(measured: list[Measured]) -> str:
    header = ["", "nashtrace", "peer", "", "ratio", "goal", "answer"]
    lines = [header]
    for one in measured:
        ours = median(one.ours)
        theirs = median(one.theirs) if one.theirs else None
        goal = one.row.target
        lines.append([
            one.row.name,
            seconds(ours),
            f"{one.row.peer} {version(one.row.peer)}",
            f"> {PATIENCE} s" if theirs is None else seconds(theirs),
            f"> {PATIENCE / ours:.3g}" if theirs is None else f"{theirs / ours:.3g}",
            "" if goal is None else f"{seconds(goal)}, {'met' if ours <= goal else 'missed'}",
            one.verdict,
        ])
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    right = {1, 3, 4}
    return "\n".join(
        "  ".join(cell.rjust(width) if column in right else cell.ljust(width) for column, (cell, width) in enumerate(zip(line, widths, strict=True))).rstrip()
        for line in lines
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tool", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    rows = [row for row in [*games(), *series_rows(), *front_rows()] if arguments.only in row.name]
    measured = []
    for row in rows:
        print(f"{row.name} ...", file=sys.stderr, flush=True)
        measured.append(measure(row, arguments.tool.resolve(), arguments.repeats))
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}"
    text = f"Processor time of one call, median of {arguments.repeats}, one core each; {machine}.\n\n{table(measured)}\n"
    print(text)
    if not arguments.only:
        arguments.out.mkdir(parents=True, exist_ok=True)
        raw = [
            {"name": one.row.name, "peer": one.row.peer, "version": version(one.row.peer), "seconds": one.ours,
             "peer_seconds": one.theirs, "goal": one.row.target, "bytes": one.bytes,
             "peer_bytes": one.peer_bytes, "answer": one.verdict}
            for one in measured
        ]
        (arguments.out / "analysis.txt").write_text(text)
        (arguments.out / "analysis.json").write_text(json.dumps(raw, indent=1) + "\n")
    sys.exit(any("NOT EXPLAINED" in one.verdict for one in measured))


main()
