"""Equilibria against Gambit, nashpy, QuantEcon and SciPy's linear programs, regrets against OpenSpiel.

Gambit's set of a game with three players is a subset only: its enumpoly misses equilibria (peers that are wrong
stay out of the verdict; every equilibrium of ours that it misses has no regret by Gambit's own account).
"""

import itertools
import json
import multiprocessing
import warnings

import numpy as np
import pygambit as gbt
import pyspiel
import pytest
from open_spiel.python import policy
from open_spiel.python.algorithms import exploitability
from scipy.optimize import linprog

from conftest import tool
from peers import agrees, differs

TIMEOUT = 5


def write(path, payoffs):
    """Our JSON of payoff tensors, one per player."""
    shape = payoffs[0].shape
    players = [
        {"name": f"player {p}", "strategies": [str(s) for s in range(n)]} for p, n in enumerate(shape)
    ]
    path.write_text(json.dumps({"players": players, "payoffs": np.stack(payoffs, -1).tolist()}))
    return path


def ours(tmp_path, payoffs, *arguments):
    return tool("solve", str(write(tmp_path / "game.json", payoffs)), *arguments)


def random_game(seed, shape, high=101):
    random = np.random.default_rng(seed)
    return [random.integers(0, high, shape).astype(float) for _ in shape]


def flat(profile):
    return np.concatenate([np.asarray(weights, float) for weights in profile])


def with_timeout(function, *arguments):
    """What a function of a peer returns, or None if it does not return in time."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=lambda: sender.send(function(*arguments)))
    process.start()
    # Only the peer's process holds the other end now: recv says so at once should it die.
    sender.close()
    answer = receiver.recv() if receiver.poll(TIMEOUT) else None
    process.kill()
    process.join()
    return answer


def enumpoly(payoffs):
    game = gbt.Game.from_arrays(*payoffs)
    found = gbt.nash.enumpoly_solve(game).equilibria
    return [
        [[float(p) for _, p in strategies] for _, strategies in profile.mixed_strategies()]
        for profile in found
    ]


def max_regret(payoffs, profile):
    game = gbt.Game.from_arrays(*payoffs)
    return game.mixed_strategy_profile(data=profile).max_regret()


@pytest.mark.parametrize("decade", range(10))
def test_every_equilibrium_that_gambit_finds_is_among_ours(tmp_path, decade):
    late = 0
    for seed in range(10 * decade, 10 * decade + 10):
        payoffs = random_game(seed, (3, 3, 3))
        answer = ours(tmp_path, payoffs)
        found = [e["profile"] for e in answer["equilibria"]]
        assert found, f"seed {seed}"
        if answer["completeness"] == "complete":
            assert len(found) % 2 == 1, f"seed {seed}: {len(found)}"
        else:
            # Small integers may tie.
            assert answer["completeness"] == "complete up to degeneracy", f"seed {seed}"
        for profile in found:
            regret = max_regret(payoffs, profile)
            assert regret < 1e-9, f"seed {seed}: Gambit's regret {regret}"
        theirs = with_timeout(enumpoly, payoffs)
        if theirs is None:
            late += 1
            continue
        points = found + [point for c in answer["components"] for point in c["points"]]
        for profile in theirs:
            # A point of a continuum is a point of it wherever it lies: its regret decides.
            near = min(np.abs(flat(profile) - flat(point)).max() for point in points)
            assert near < 1e-4 or answer["components"], f"seed {seed}: {profile} is {near} away"
        missed = max(0, len(found) - len(theirs))
        agrees("pygambit", 0 if missed else 1)
        differs("pygambit", "games of which enumpoly misses equilibria that have no regret by its own account", missed > 0)
    differs("pygambit", f"games that enumpoly does not solve in {TIMEOUT} s", late)


@pytest.mark.parametrize("seed", range(30))
def test_extreme_equilibria_of_small_integer_bimatrix_games(tmp_path, seed):
    payoffs = random_game(seed, (3, 4), high=4)
    answer = ours(tmp_path, payoffs)
    theirs = gbt.nash.enummixed_solve(gbt.Game.from_arrays(*payoffs), rational=True).equilibria
    exact = {
        tuple(str(probability) for _, probability in profile) for profile in theirs
    }
    found = {tuple(p for weights in e["fractions"] for p in weights) for e in answer["equilibria"]}
    assert found == exact
    agrees("pygambit")


@pytest.mark.parametrize("seed", range(20))
def test_bimatrix_games_against_nashpy(tmp_path, seed):
    import nashpy

    random = np.random.default_rng(seed)
    payoffs = [random.uniform(0, 100, (5, 5)) for _ in range(2)]
    answer = ours(tmp_path, payoffs)
    assert answer["completeness"] == "complete"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Its support enumeration gives none or an even number for most of these games, with a tolerance of
        # 1e-9 too: it loses some. Enumerating vertices gives an odd number for all of them.
        theirs = list(nashpy.Game(*payoffs).vertex_enumeration())
    found = [flat(e["profile"]) for e in answer["equilibria"]]
    assert len(found) == len(theirs)
    for profile in theirs:
        assert min(np.abs(flat(profile) - own).max() for own in found) < 1e-9
    agrees("nashpy")


@pytest.mark.parametrize("seed", range(10))
def test_pure_equilibria_against_quantecon(tmp_path, seed):
    game_theory = pytest.importorskip("quantecon.game_theory")
    payoffs = random_game(seed, (4, 3, 5), high=20)
    answer = ours(tmp_path, payoffs, "--time-limit", "1")
    # QuantEcon wants each player's own axis first, then the others in cyclic order.
    players = [
        game_theory.Player(np.transpose(tensor, [(p + k) % 3 for k in range(3)]))
        for p, tensor in enumerate(payoffs)
    ]
    theirs = game_theory.pure_nash_brute(game_theory.NormalFormGame(players))
    assert [tuple(e["profile"]) for e in answer["pure"]] == sorted(theirs)
    agrees("quantecon")


@pytest.mark.parametrize("seed", range(20))
def test_pure_equilibria_against_gambit(tmp_path, seed):
    # Few different payoffs: many equilibria, most of them with ties.
    payoffs = random_game(seed, [(3, 3, 3), (2, 4, 3), (5, 4)][seed % 3], high=4)
    answer = ours(tmp_path, payoffs, "--time-limit", "1")
    theirs = gbt.nash.enumpure_solve(gbt.Game.from_arrays(*payoffs)).equilibria
    exact = {
        tuple(int(np.argmax([float(p) for _, p in strategies])) for _, strategies in profile.mixed_strategies())
        for profile in theirs
    }
    assert {tuple(e["profile"]) for e in answer["pure"]} == exact
    agrees("pygambit")


def welfare_by_linprog(payoffs, coarse):
    shape = payoffs[0].shape
    profiles = list(itertools.product(*(range(n) for n in shape)))
    rows = []
    for player, own in enumerate(payoffs):
        for to in range(shape[player]):
            gains = {}
            for index, profile in enumerate(profiles):
                other = profile[:player] + (to,) + profile[player + 1 :]
                key = None if coarse else profile[player]
                gains.setdefault(key, np.zeros(len(profiles)))[index] = own[other] - own[profile]
            rows.extend(gains.values())
    welfare = np.array([sum(own[profile] for own in payoffs) for profile in profiles])
    ends = []
    for sign in (1, -1):
        solved = linprog(
            sign * welfare,
            A_ub=np.array(rows),
            b_ub=np.zeros(len(rows)),
            A_eq=np.ones((1, len(profiles))),
            b_eq=[1],
            method="highs",
        )
        assert solved.status == 0
        ends.append(sign * solved.fun)
    return ends


@pytest.mark.parametrize("seed", range(10))
def test_correlated_welfare_against_highs(tmp_path, seed):
    payoffs = random_game(seed, (3, 4, 3))
    answer = ours(tmp_path, payoffs, "--time-limit", "0.1")
    for kind in ("correlated", "coarse_correlated"):
        welfare = answer[kind]["welfare"]
        found = [welfare[end]["value"] for end in ("least", "largest")]
        assert found == pytest.approx(welfare_by_linprog(payoffs, kind != "correlated"), abs=1e-6)
        assert all(welfare[end]["violation"] < 1e-8 for end in ("least", "largest"))
        agrees("scipy")


@pytest.mark.parametrize("seed", range(10))
def test_the_logit_branch_against_gambit(tmp_path, seed):
    payoffs = [tensor / 100 for tensor in random_game(seed, (3, 3, 3))]
    file = tmp_path / "branch.csv"
    ours(tmp_path, payoffs, "--time-limit", "0.1", "--logit-path", str(file))
    branch = np.loadtxt(file, delimiter=",", skiprows=1)
    below = branch[:, 0]
    # Where the branch turns back one precision has several equilibria.
    rising = len(below) if (np.diff(below) > 0).all() else int(np.argmax(np.diff(below) <= 0))
    row = branch[min(rising // 2, np.searchsorted(below[:rising], 5.0))]
    game = gbt.Game.from_arrays(*payoffs)
    (theirs,) = gbt.qre.logit_solve_lambda(game, lam=[float(row[0])])
    profile = [float(probability) for _, probability in theirs.profile]
    assert row[1:] == pytest.approx(profile, abs=1e-4)
    agrees("pygambit")


def nash_conv(payoffs, profile):
    """The sum of all players' regrets by OpenSpiel."""
    game = pyspiel.create_tensor_game([tensor.ravel() for tensor in payoffs], list(payoffs[0].shape))
    game = pyspiel.convert_to_turn_based(game)
    mixture = policy.TabularPolicy(game)
    mixture.action_probability_array[:] = 0
    for row, state in enumerate(mixture.states):
        weights = profile[state.current_player()]
        mixture.action_probability_array[row, : len(weights)] = weights
    return exploitability.nash_conv(game, mixture)


@pytest.mark.parametrize("seed", range(20))
def test_regrets_of_mixed_profiles_against_openspiel(tmp_path, seed):
    payoffs = random_game(seed, (2, 3, 4) if seed % 2 else (3, 3, 3))
    random = np.random.default_rng(1000 + seed)
    drawn = [random.dirichlet(np.ones(count)) for count in payoffs[0].shape]
    text = ";".join(",".join(map(repr, weights.tolist())) for weights in drawn)
    answer = ours(tmp_path, payoffs, "--time-limit", "1", "--profile", text)
    (judged,) = answer["profiles"]
    assert sum(judged["regrets"]) == pytest.approx(nash_conv(payoffs, drawn), abs=1e-9)
    for equilibrium in answer["equilibria"]:
        assert nash_conv(payoffs, equilibrium["profile"]) < 1e-9
    agrees("open_spiel")
