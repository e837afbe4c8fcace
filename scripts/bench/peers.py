"""Seconds that nashtrace and other packages need for the same answer, one call of each in turn."""

import argparse
import json
import multiprocessing
import os
import platform
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, Callable

import arch.bootstrap
import moocore
import nashpy
import numpy as np
import pygambit as gbt
import ruptures
import shapiq
from scipy import optimize, signal, stats
from statsmodels.tsa.stattools import acf, adfuller, kpss

LEAST = 0.02
"""Seconds that the calls of one measurement take together, at least."""
PATIENCE = 60
"""Seconds after which a peer is given up."""


@dataclass
class Row:
    """One computation. The peer's `call` gets nothing and gives what `same` compares with our answer."""

    name: str
    job: dict[str, Any]
    peer: str
    call: Callable[[], Any]
    same: Callable[[Any, Any], bool]
    target: float | None = None
    """Seconds that were set as a goal."""
    why_not: str = ""
    """Why the answers may differ."""


def close(ours: Any, theirs: Any) -> bool:
    return bool(np.allclose(ours, theirs, rtol=1e-6, atol=1e-9))


def payoffs(players: int, strategies: int, seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.integers(0, 101, (strategies,) * players).astype(float) for _ in range(players)]


def game_job(task: str, tensors: list[np.ndarray]) -> dict[str, Any]:
    return {"task": task, "shape": list(tensors[0].shape), "values": np.stack(tensors, -1).ravel().tolist()}


def welfare_program(tensors: list[np.ndarray]) -> Callable[[], float]:
    """The linear program of the correlated equilibrium with the largest welfare: only its solution is timed."""
    shape = tensors[0].shape
    numbers = np.arange(tensors[0].size).reshape(shape)
    rows = []
    for player, own in enumerate(tensors):
        axes = np.moveaxis(own, player, 0), np.moveaxis(numbers, player, 0)
        for recommended in range(shape[player]):
            for to in range(shape[player]):
                if to != recommended:
                    row = np.zeros(own.size)
                    row[axes[1][recommended].ravel()] = (axes[0][to] - axes[0][recommended]).ravel()
                    rows.append(row)
    welfare = sum(tensors).ravel()
    ones, zeros, rows = np.ones((1, welfare.size)), np.zeros(len(rows)), np.array(rows)
    return lambda: -optimize.linprog(-welfare, A_ub=rows, b_ub=zeros, A_eq=ones, b_eq=[1], method="highs").fun


def games() -> list[Row]:
    rows = []
    for strategies, target in ((3, None), (5, None), (7, 20e-6)):
        tensors = payoffs(3, strategies)
        game = gbt.Game.from_arrays(*tensors)
        rows.append(Row(
            f"pure equilibria, {strategies} x {strategies} x {strategies}", game_job("pure", tensors), "pygambit",
            lambda game=game: len(gbt.nash.enumpure_solve(game).equilibria), lambda ours, theirs: ours == theirs, target,
        ))
    for strategies, target in ((3, 5e-3), (4, 0.5), (5, 30.0)):
        tensors = payoffs(3, strategies)
        game = gbt.Game.from_arrays(*tensors)
        rows.append(Row(
            f"all equilibria, {strategies} x {strategies} x {strategies}", game_job("equilibria", tensors), "pygambit",
            lambda game=game: len(gbt.nash.enumpoly_solve(game).equilibria),
            lambda ours, theirs: ours["count"] == theirs, target, "enumpoly misses equilibria",
        ))
    tensors = payoffs(2, 7)
    rows.append(Row(
        "all equilibria, 7 x 7", game_job("equilibria", tensors), "nashpy",
        lambda tensors=tensors: len(list(nashpy.Game(*tensors).vertex_enumeration())), lambda ours, theirs: ours["count"] == theirs,
    ))
    tensors = payoffs(3, 7)
    game = gbt.Game.from_arrays(*tensors)
    rows.append(Row(
        "one equilibrium by the logit branch, 7 x 7 x 7", game_job("logit", tensors), "pygambit",
        lambda: float(gbt.nash.logit_solve(game).equilibria[0].max_regret()),
        lambda ours, theirs: max(ours, theirs) < 1e-4, 20e-3,
    ))
    rows.append(Row(
        "correlated equilibrium of largest welfare, 7 x 7 x 7", game_job("correlated", tensors), "scipy",
        welfare_program(tensors), close, 10e-3,
    ))
    players = 10
    values = np.random.default_rng(1).normal(size=2**players)
    bits = 2 ** np.arange(players)

    def shapley() -> list[float]:
        found = shapiq.ExactComputer(lambda coalitions: values[np.asarray(coalitions) @ bits], n_players=players)("SV")
        return [found[(player,)] for player in range(players)]

    rows.append(Row(
        f"Shapley values, {players} players", {"task": "shapley", "values": values.tolist()}, "shapiq", shapley, close,
    ))
    return rows


def autoregression(n: int) -> np.ndarray:
    return signal.lfilter([1], [1, -0.7], np.random.default_rng(n).normal(size=n))


def shifts(n: int) -> np.ndarray:
    """Ten levels with unit noise."""
    random = np.random.default_rng(n)
    return np.repeat(random.normal(size=10) * 3, n // 10) + random.normal(size=n)


def series_rows() -> list[Row]:
    def job(task: str, values: np.ndarray, **more: Any) -> dict[str, Any]:
        return {"task": task, "values": values.tolist(), **more}

    rows = []
    same_cuts = lambda ours, theirs: ours == [int(cut) for cut in theirs[:-1]]  # noqa: E731
    for n, target in ((1_000, None), (3_000, None)):
        values, penalty = shifts(n), 3 * np.log(n)
        rows.append(Row(
            f"PELT l2, {n:,} values", job("pelt", values, model="l2", penalty=penalty), "ruptures",
            lambda values=values, penalty=penalty: ruptures.Pelt("l2", min_size=2, jump=1).fit(values).predict(penalty),
            same_cuts, target, "ruptures is not exact for a minimum size above 1",
        ))
    for model, kernel, sizes in (("l2", "linear", ((10_000, 40e-3),)), ("rbf", "rbf", ((1_000, None), (10_000, 1.0)))):
        for n, target in sizes:
            values = shifts(n)
            penalty = 3 * np.log(n) if model == "l2" else 3.0
            rows.append(Row(
                f"PELT {model}, {n:,} values", job("pelt", values, model=model, penalty=penalty), "ruptures",
                lambda values=values, penalty=penalty, kernel=kernel: ruptures.KernelCPD(kernel, min_size=2, jump=1).fit(values).predict(pen=penalty),
                same_cuts, target, "ruptures is not exact for a minimum size above 1, and takes gamma from a sample of pairs",
            ))
    for n, target in ((1_000, None), (10_000, None), (100_000, 0.5)):
        values = autoregression(n)
        rows.append(Row(
            f"ADF, lags by AIC, {n:,} values", job("adf", values), "statsmodels",
            lambda values=values: float(adfuller(values, autolag="AIC")[0]), close, target,
        ))
    for n in (1_000, 100_000):
        values = autoregression(n)
        rows.append(Row(
            f"ADF, 4 lags, {n:,} values", job("adf", values, lags=4), "statsmodels",
            lambda values=values: float(adfuller(values, maxlag=4, autolag=None)[0]), close,
        ))
    values = autoregression(100_000)
    rows.append(Row("KPSS, 100,000 values", job("kpss", values), "statsmodels", lambda: float(kpss(values, nlags="auto")[0]), close, 2e-3))
    rows.append(Row("autocorrelation, 100,000 values", job("acf", values), "statsmodels", lambda: float(acf(values, nlags=40, fft=True)[1]), close))
    short = autoregression(10_000)
    rows.append(Row(
        "block length, 10,000 values", job("block length", short), "arch",
        lambda: float(arch.bootstrap.optimal_block_length(short)["circular"].iloc[0]), lambda ours, theirs: bool(np.isclose(ours, theirs, rtol=0.01)),
    ))
    for n in (300, 3_000):
        draws = np.random.default_rng(n).exponential(size=n)

        def bca(draws: np.ndarray = draws) -> list[float]:
            found = stats.bootstrap((draws,), np.mean, n_resamples=2000, method="BCa", random_state=1).confidence_interval
            return [float(found.low), float(found.high)]

        rows.append(Row(
            f"BCa interval of a mean, {n:,} values, 2,000 resamples", job("bca", draws), "scipy", bca,
            lambda ours, theirs: bool(np.allclose(ours, theirs, atol=0.15 * (theirs[1] - theirs[0]))),
        ))
    return rows


def sphere(count: int, objectives: int) -> np.ndarray:
    points = np.abs(np.random.default_rng(objectives).normal(size=(count, objectives)))
    return points / np.linalg.norm(points, axis=1)[:, None]


def front_rows() -> list[Row]:
    def job(task: str, points: np.ndarray, **more: Any) -> dict[str, Any]:
        return {"task": task, "points": points.tolist(), **more}

    rows = []
    for objectives, target in ((2, None), (3, 0.2e-3), (4, 2e-3), (5, None)):
        points, reference = sphere(1_000, objectives), [1.1] * objectives
        rows.append(Row(
            f"hypervolume, {objectives} objectives, 1,000 points", job("hypervolume", points, reference=reference), "moocore",
            lambda points=points, reference=reference: moocore.hypervolume(points, ref=reference), close, target,
        ))
    for count in (100, 300):
        points = sphere(count, 4)
        rows.append(Row(
            f"contributions, 4 objectives, {count} points", job("contributions", points, reference=[1.1] * 4), "moocore",
            lambda points=points: float(moocore.hv_contributions(points, ref=[1.1] * 4).sum()), close,
        ))
    for objectives, count, target in ((2, 10_000, None), (3, 10_000, None), (4, 10_000, None), (3, 100_000, 0.15), (4, 100_000, None)):
        points = np.random.default_rng(count).uniform(size=(count, objectives))
        rows.append(Row(
            f"ranks, {objectives} objectives, {count:,} points", job("ranks", points), "moocore",
            lambda points=points: int(moocore.pareto_rank(points).max()), lambda ours, theirs: ours == theirs, target,
        ))
    return rows


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


def in_time(call: Callable[[], Any]) -> tuple[float, Any] | None:
    """The same in a process of its own, or nothing if it takes too long. A peer that fails is an error."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=lambda: sender.send(timed(call)))
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


def measure(row: Row, tool: Path, repeats: int) -> Measured:
    with subprocess.Popen([tool], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.stdin.write(json.dumps(row.job) + "\n")
        ours, theirs, given_up, verdict = [], [], False, ""
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
            verdict = "same" if row.same(mine["answer"], found[1]) else f"differs: {row.why_not or 'NOT EXPLAINED'}"
        process.stdin.close()
    return Measured(row, ours, theirs, mine["answer"], verdict)


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
             "peer_seconds": one.theirs, "goal": one.row.target, "answer": one.verdict}
            for one in measured
        ]
        (arguments.out / "analysis.txt").write_text(text)
        (arguments.out / "analysis.json").write_text(json.dumps(raw, indent=1) + "\n")
    sys.exit(any("NOT EXPLAINED" in one.verdict for one in measured))


main()
