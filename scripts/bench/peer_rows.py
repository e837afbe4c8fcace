"""What is computed by nashtrace and by other packages: the input, the call, and whether the answers are the same."""

import itertools
from dataclasses import dataclass
from typing import Any, Callable

import arch.bootstrap
import moocore
import nashpy
import numpy as np
import pygambit as gbt
import quantecon.game_theory as qe
import ruptures
import shapiq
from scipy import optimize, signal, stats
from scipy.stats import qmc
from statsmodels.tsa.stattools import acf, adfuller, kpss


@dataclass
class Row:
    """One computation. The peer's `call` gets nothing and gives what `same` compares with our answer."""

    name: str
    job: dict[str, Any]
    peer: str
    call: Callable[[], Any]
    same: Callable[[Any, Any], bool | str]
    """Whether they are the same; a sentence says how they differ, and that this is the peer's doing."""
    target: float | None = None
    """Seconds that were set as a goal."""
    why_not: str = ""
    """Why the answers may differ."""
    prepare: Callable[[], Any] | None = None
    """What the peer does once, such as compiling: not timed."""
    memory_target: float | None = None
    """Bytes of resident memory at the most that were set as a goal."""


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
    return program(tensors, rows)


def coarse_program(tensors: list[np.ndarray]) -> Callable[[], float]:
    """The same for the coarse correlated equilibrium."""
    rows = []
    for player, own in enumerate(tensors):
        for to in range(own.shape[player]):
            rows.append((np.take(own, [to], player) - own).ravel())
    return program(tensors, rows)


def program(tensors: list[np.ndarray], rows: list[np.ndarray]) -> Callable[[], float]:
    welfare = sum(tensors).ravel()
    ones, zeros, constraints = np.ones((1, welfare.size)), np.zeros(len(rows)), np.array(rows)
    return lambda: -optimize.linprog(-welfare, A_ub=constraints, b_ub=zeros, A_eq=ones, b_eq=[1], method="highs").fun


def gambits(game: gbt.Game, found: Any) -> list[list[list[float]]]:
    """What Gambit found, as probabilities by player."""
    return [[[float(one[strategy]) for strategy in player.strategies] for player in game.players] for one in found.equilibria]


def same_equilibria(ours: Any, theirs: list[Any]) -> bool | str:
    """By value: each of theirs must be one of ours. `complete` of ours is a proof; a peer that has fewer misses some."""
    flat = lambda profile: np.concatenate([np.asarray(weights, dtype=float) for weights in profile])  # noqa: E731
    known = [flat(profile) for profile in ours["profiles"]]
    if not all(any(np.abs(flat(other) - own).max() < 1e-4 for own in known) for other in theirs):
        return False
    found = sum(any(np.abs(flat(other) - own).max() < 1e-4 for other in theirs) for own in known)
    missing = len(known) - found
    if missing == 0:
        return True
    return f"the peer misses {missing} of {len(known)}" if ours["completeness"].startswith("complete") else False


def both_small(ours: float, theirs: float | None) -> bool | str:
    """Regrets of the equilibrium that each found."""
    if ours > 1e-4:
        return False
    if theirs is None:
        return "the peer finds none"
    return True if theirs < 1e-2 else f"the peer's has regret {theirs:.2g}"


def least_regret(result: Any) -> float | None:
    return min((float(one.max_regret()) for one in result.equilibria), default=None)


def tourky(tensors: list[np.ndarray]) -> Callable[[], float]:
    """Payoffs with a player's own strategies first, then the others' in turn."""
    players = len(tensors)
    turned = [np.transpose(own, [(player + k) % players for k in range(players)]) for player, own in enumerate(tensors)]
    game = qe.NormalFormGame([qe.Player(np.ascontiguousarray(own)) for own in turned])
    gambit = gbt.Game.from_arrays(*tensors)

    def solve() -> float:
        found = qe.mclennan_tourky(game, epsilon=1e-5)
        profile = gambit.mixed_strategy_profile()
        for player, weights in zip(gambit.players, found, strict=True):
            for strategy, weight in zip(player.strategies, weights, strict=True):
                profile[strategy] = float(weight)
        return float(profile.max_regret())

    return solve


def one_equilibrium_rows() -> list[Row]:
    rows = []
    for strategies, target in ((3, None), (5, None), (7, 20e-3)):
        tensors = payoffs(3, strategies)
        game, shape = gbt.Game.from_arrays(*tensors), f"{strategies} x {strategies} x {strategies}"

        def row(how: str, peer: str, call: Callable[[], Any], prepare: Any = None, target: float | None = None) -> Row:
            return Row(
                f"one equilibrium{how}, {shape}", game_job("logit", tensors), peer, call, both_small, target, prepare=prepare,
            )

        rows.append(row(
            " by the logit branch", "pygambit", lambda game=game: least_regret(gbt.nash.logit_solve(game)), target=target,
        ))
        if strategies == 3:
            rows.append(row(" (mclennan_tourky)", "quantecon", tourky(tensors), tourky(payoffs(3, 2))))
            continue
        for name, call in (
            ("gnm", lambda game=game: least_regret(gbt.nash.gnm_solve(game))),
            ("ipa", lambda game=game: least_regret(gbt.nash.ipa_solve(game))),
            ("simpdiv", lambda game=game: least_regret(gbt.nash.simpdiv_solve(game.mixed_strategy_profile(rational=True)))),
        ):
            rows.append(row(f" ({name})", "pygambit", call))
        if strategies == 5:
            rows.append(row(" (mclennan_tourky)", "quantecon", tourky(tensors), tourky(payoffs(3, 2))))
    return rows


def correlated_rows() -> list[Row]:
    rows = []
    for strategies in (3, 5, 7):
        tensors = payoffs(3, strategies)
        for kind, make in (("correlated", welfare_program), ("coarse correlated", coarse_program)):
            rows.append(Row(
                f"{kind} equilibrium of largest welfare, {strategies} x {strategies} x {strategies}", game_job(kind, tensors),
                "scipy", make(tensors), close, 10e-3 if strategies == 7 else None,
            ))
    return rows


def bootstrap_row() -> Row:
    """What is left of the equilibria of noisy runs when runs are drawn anew: regrets of every profile in every resample."""
    # The random game of this seed has four pure equilibria.
    tensors, random = payoffs(3, 7, seed=4), np.random.default_rng(20)
    runs = np.stack(tensors, -1)[None] + random.normal(size=(20, 7, 7, 7, 3)) * 10

    def equilibria(means: np.ndarray) -> np.ndarray:
        best = [means[..., player] >= means[..., player].max(axis=player, keepdims=True) for player in range(3)]
        return np.logical_and.reduce(best).ravel()

    def survival() -> list[list[float]]:
        times = np.random.default_rng(1).multinomial(20, np.full(20, 1 / 20), size=1000)
        drawn = (times @ runs.reshape(20, -1) / 20).reshape(-1, 7, 7, 7, 3)
        kept = np.mean([equilibria(means) for means in drawn], axis=0)
        return [[int(profile), float(kept[profile])] for profile in np.flatnonzero(equilibria(runs.mean(axis=0)))]

    def same(ours: Any, theirs: Any) -> bool:
        return len(ours) == len(theirs) and bool(np.allclose(ours, theirs, atol=0.08))

    job = {"task": "bootstrap", "shape": [7, 7, 7], "runs": runs.reshape(20, -1).tolist()}
    return Row("regret in 1,000 resamples of 20 runs, 7 x 7 x 7", job, "numpy", survival, same, 30e-3)


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
            lambda game=game: gambits(game, gbt.nash.enumpoly_solve(game)), same_equilibria, target,
        ))
    tensors = payoffs(2, 7)
    rows.append(Row(
        "all equilibria, 7 x 7", game_job("equilibria", tensors), "nashpy",
        lambda tensors=tensors: [[list(x) for x in one] for one in nashpy.Game(*tensors).vertex_enumeration()], same_equilibria,
    ))
    rows += [*one_equilibrium_rows(), *correlated_rows(), bootstrap_row()]
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
    for model, kernel, sizes in (
        ("l2", "linear", ((10_000, 40e-3), (100_000, 4.0))), ("rbf", "rbf", ((1_000, None), (3_000, None), (10_000, 1.0))),
    ):
        for n, target in sizes:
            values = shifts(n)
            penalty = 3 * np.log(n) if model == "l2" else 3.0
            rows.append(Row(
                f"PELT {model}, {n:,} values", job("pelt", values, model=model, penalty=penalty), "ruptures",
                lambda values=values, penalty=penalty, kernel=kernel: ruptures.KernelCPD(kernel, min_size=2, jump=1).fit(values).predict(pen=penalty),
                same_cuts, target, "ruptures is not exact for a minimum size above 1, and takes gamma from a sample of pairs",
                memory_target=200e6 if (model, n) == ("rbf", 10_000) else None,
            ))
    for n, target in ((300, None), (1_000, None), (10_000, None), (30_000, None), (100_000, 0.5)):
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
    for n, target in ((1_000, None), (10_000, None), (100_000, 2e-3)):
        values = autoregression(n)
        rows.append(Row(
            f"KPSS, {n:,} values", job("kpss", values), "statsmodels",
            lambda values=values: float(kpss(values, nlags="auto")[0]), close, target,
        ))
    rows.append(Row("autocorrelation, 100,000 values", job("acf", values), "statsmodels", lambda: float(acf(values, nlags=40, fft=True)[1]), close))
    short = autoregression(10_000)
    rows.append(Row(
        "block length, 10,000 values", job("block length", short), "arch",
        lambda: float(arch.bootstrap.optimal_block_length(short)["circular"].iloc[0]), lambda ours, theirs: bool(np.isclose(ours, theirs, rtol=0.01)),
    ))
    for n, resamples, target in ((300, 2_000, None), (3_000, 2_000, None), (300, 9_999, None), (3_000, 9_999, 0.2)):
        draws = np.random.default_rng(n).exponential(size=n)

        def bca(draws: np.ndarray = draws, resamples: int = resamples) -> list[float]:
            found = stats.bootstrap((draws,), np.mean, n_resamples=resamples, method="BCa", random_state=1).confidence_interval
            return [float(found.low), float(found.high)]

        rows.append(Row(
            f"BCa interval of a mean, {n:,} values, {resamples:,} resamples", job("bca", draws, resamples=resamples), "scipy", bca,
            lambda ours, theirs: bool(np.allclose(ours, theirs, atol=0.15 * (theirs[1] - theirs[0]))), target,
        ))
    return rows


def sphere(count: int, objectives: int) -> np.ndarray:
    points = np.abs(np.random.default_rng(objectives).normal(size=(count, objectives)))
    return points / np.linalg.norm(points, axis=1)[:, None]


def front_rows() -> list[Row]:
    def job(task: str, points: np.ndarray, **more: Any) -> dict[str, Any]:
        return {"task": task, "points": points.tolist(), **more}

    rows = []
    targets = {(3, 1_000): 0.2e-3, (4, 1_000): 2e-3}
    for objectives, count in itertools.product((2, 3, 4, 5), (100, 300, 1_000)):
        points, reference, target = sphere(count, objectives), [1.1] * objectives, targets.get((objectives, count))
        rows.append(Row(
            f"hypervolume, {objectives} objectives, {count:,} points", job("hypervolume", points, reference=reference), "moocore",
            lambda points=points, reference=reference: moocore.hypervolume(points, ref=reference), close, target,
        ))
    points = sphere(1_000, 4)
    rows.append(Row(
        "hypervolume by 100,000 samples, 4 objectives, 1,000 points",
        job("sampled hypervolume", points, reference=[1.1] * 4, samples=100_000), "moocore",
        lambda points=points: moocore.hv_approx(points, ref=[1.1] * 4, nsamples=100_000, seed=1, method="DZ2019-MC"),
        lambda ours, theirs: bool(np.isclose(ours, theirs, rtol=0.01)),
    ))
    for count in (100, 300):
        points = sphere(count, 4)
        rows.append(Row(
            f"contributions, 4 objectives, {count} points", job("contributions", points, reference=[1.1] * 4), "moocore",
            lambda points=points: float(moocore.hv_contributions(points, ref=[1.1] * 4).sum()), close,
        ))
    targets = {(3, 100_000): 0.15}
    for count, objectives in itertools.product((10_000, 30_000, 100_000), (2, 3, 4)):
        target = targets.get((objectives, count))
        points = np.random.default_rng(count).uniform(size=(count, objectives))
        rows.append(Row(
            f"ranks, {objectives} objectives, {count:,} points", job("ranks", points), "moocore",
            lambda points=points: int(moocore.pareto_rank(points).max()), lambda ours, theirs: ours == theirs, target,
        ))
    for objectives in (2, 3, 4):
        points = np.random.default_rng(100_000).uniform(size=(100_000, objectives))
        rows.append(Row(
            f"first front, {objectives} objectives, 100,000 points", job("front", points), "moocore",
            lambda points=points: int(moocore.is_nondominated(points, keep_weakly=True).sum()), lambda ours, theirs: ours == theirs,
        ))

    def spread() -> float:
        points = qmc.LatinHypercube(6, optimization="random-cd", rng=1).random(256)
        distances = np.linalg.norm(points[:, None] - points[None], axis=2)
        return float(distances[np.triu_indices(256, 1)].min())

    rows.append(Row(
        "Latin hypercube spread out, 256 points, 6 knobs", {"task": "spread", "points": 256, "knobs": 6}, "scipy", spread,
        lambda ours, theirs: "the closest points are nearer in the peer's" if ours >= theirs else False,
    ))
    return rows
