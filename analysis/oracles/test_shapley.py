"""Shapley values and interactions against shapiq."""

import json

import numpy as np
import pytest
import shapiq

from conftest import tool
from peers import agrees


def ours(folder, values):
    players = len(values).bit_length() - 1
    names = [f"p{player}" for player in range(players)]
    members = [[name for bit, name in enumerate(names) if coalition >> bit & 1] for coalition in range(len(values))]
    table = [{"coalition": names, "value": value} for names, value in zip(members, values.tolist(), strict=True)]
    file = folder / "coalitions.json"
    file.write_text(json.dumps({"players": names, "values": table}))
    return tool("shapley", str(file), "--permutations", "4000")


def exact(values):
    players = len(values).bit_length() - 1
    bits = 2 ** np.arange(players)
    return shapiq.ExactComputer(lambda coalitions: values[np.asarray(coalitions) @ bits], n_players=players)


@pytest.mark.parametrize("seed", range(24))
def test_values_and_interactions_are_shapiqs(tmp_path, seed):
    random = np.random.default_rng(seed)
    players = 2 + seed % 8
    values = random.normal(size=2**players) * 10.0 ** random.integers(-3, 4)
    answer, theirs = ours(tmp_path, values), exact(values)
    single, pairs = theirs("SV"), theirs("SII", 2)
    scale = np.abs(values).max()
    found = [share["value"] for share in answer["shapley"]]
    assert found == pytest.approx([single[(player,)] for player in range(players)], abs=1e-12 * scale), f"seed {seed}"
    for i in range(players):
        for j in range(i + 1, players):
            assert answer["interactions"][i][j] == pytest.approx(pairs[(i, j)], abs=1e-11 * scale), f"seed {seed}"
    agrees("shapiq")


def test_sampled_values_are_within_their_error_of_shapiqs(tmp_path):
    """Beyond 16 players: an additive game with some pairs that are worth more together, whose values are known."""
    random = np.random.default_rng(17)
    players = 17
    alone = random.normal(size=players)
    bits = (np.arange(2**players)[:, None] >> np.arange(players)) & 1
    values = bits @ alone + 3 * bits[:, 0] * bits[:, 1] - 2 * bits[:, 4] * bits[:, 9]
    answer = ours(tmp_path, values)
    assert answer["method"] == "sampled"
    theirs = exact(values)("SV")
    off = 0
    for player, share in enumerate(answer["shapley"]):
        # Players without a partner add the same in every order, but for rounding.
        off += abs(share["value"] - theirs[(player,)]) > 3.5 * share["standard_error"] + 1e-9
    assert off == 0
    agrees("shapiq")
