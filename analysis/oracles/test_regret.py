"""Costs, regret, propensities and herding against NumPy, SciPy, arch and the simulator's own count."""

import numpy as np
import pytest
from arch.bootstrap import CircularBlockBootstrap, optimal_block_length
from scipy import special, stats

from peers import agrees

FLAG_DEFAULT_POLICY, FLAG_TRACKS_PREFILL, FLAG_PLAIN_DECODE, FLAG_DECODE_LABEL, FLAG_TIER_MATCHES = 1, 8, 16, 32, 64


def column(decisions, name):
    return [np.array([row[name] for row in record.rows]) for record in decisions]


def chosen(decisions, columns):
    return np.array([c[r.fields["chosen"]] for r, c in zip(decisions, columns, strict=True)])


@pytest.fixture(scope="module")
def predicted(decisions):
    costs = column(decisions, "cost")
    return chosen(decisions, costs) - np.array([c.min() for c in costs])


@pytest.fixture(scope="module")
def overlap(decisions):
    overlaps = column(decisions, "effective_overlap_blocks")
    return np.array([o.max() for o in overlaps]) - chosen(decisions, overlaps)


def test_recorded_costs_are_what_the_published_formula_gives(decisions):
    for record in decisions:
        f = record.fields
        assert f["flags"] & FLAG_DEFAULT_POLICY
        tracks = bool(f["flags"] & FLAG_TRACKS_PREFILL)
        plain = bool(f["flags"] & FLAG_PLAIN_DECODE)
        credit_weight = 0.0 if plain and not tracks else f["overlap_score_credit"]
        takes_cache = not plain and f["overlap_score_credit"] != 0
        request_blocks = max(-(-f["isl_tokens"] // f["block_size"]), 1)
        least = min(row["active_prefill_tokens"] for row in record.rows)
        for row in record.rows:
            tier = f["flags"] & FLAG_TIER_MATCHES
            device = row["device_blocks"] if tier else row["effective_overlap_blocks"]
            excess = (row["active_prefill_tokens"] - least) / f["block_size"] / request_blocks
            decay = 1 / (1 + f["overlap_score_credit_decay"] * excess) if tracks else 1.0
            credit = takes_cache * (
                credit_weight * decay * device
                + f["host_cache_hit_weight"] * row["host_blocks"]
                + f["disk_cache_hit_weight"] * row["disk_blocks"]
                + f["shared_cache_multiplier"] * row["shared_blocks"]
            )
            decode = row["active_decode_blocks"] + row["additional_decode_blocks"]
            requests = f["decode_active_request_weight"] * row["active_requests"]
            if f["flags"] & FLAG_DECODE_LABEL and not tracks and credit_weight > 0:
                cost = max(decode - credit, 0) + requests
            else:
                cached = takes_cache * row["cached_tokens"]
                tokens = tracks * (row["active_prefill_tokens"] + max(f["isl_tokens"], cached))
                prefill = max(tokens / f["block_size"] - credit, 0)
                cost = f["prefill_load_scale"] * prefill + decode + requests
            assert row["cost"] == pytest.approx(cost * row["preferred_taint_multiplier"], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("which", ["predicted", "overlap"])
def test_summaries_agree_with_numpy(which, regret, request):
    series = request.getfixturevalue(which)
    summary = regret[which]
    assert regret["decisions"] == len(series)
    assert summary["mean"] == pytest.approx(series.mean(), rel=1e-12, abs=1e-12)
    assert summary["total"] == pytest.approx(series.sum(), rel=1e-12)
    assert summary["p50"] == pytest.approx(np.quantile(series, 0.5), rel=1e-12)
    assert summary["p99"] == pytest.approx(np.quantile(series, 0.99), rel=1e-12)
    assert summary["max"] == series.max()
    assert summary["regretted"] == np.count_nonzero(series > 0)


@pytest.mark.parametrize("which", ["predicted", "overlap"])
def test_the_interval_of_the_mean_agrees_with_arch(which, regret, request):
    series = request.getfixturevalue(which)
    ours = regret[which]["mean_interval"]
    if np.ptp(series) == 0:
        assert (ours["low"], ours["high"]) == (series[0], series[0])
        return
    best = optimal_block_length(series)["circular"].iloc[0]
    # At most a thousand blocks.
    block = max(int(np.ceil(best)), len(series) // 1000)
    bootstrap = CircularBlockBootstrap(block, series, seed=7)
    low, high = bootstrap.conf_int(np.mean, 2000, method="percentile").ravel()
    width = high - low
    assert ours["low"] == pytest.approx(low, abs=0.15 * width)
    assert ours["high"] == pytest.approx(high, abs=0.15 * width)
    agrees("arch")


def test_quantile_intervals_are_the_binomial_order_statistics(regret, overlap):
    ordered = np.sort(overlap)
    n = len(ordered)
    for name, p in (("p50_interval", 0.5), ("p99_interval", 0.99)):
        interval = regret["overlap"][name]
        # The normal approximation differs from the exact binomial ranks by a few.
        low, high = stats.binom.ppf([0.025, 0.975], n, p).astype(int)
        assert ordered[low - 3] <= interval["low"] <= ordered[low + 3]
        assert ordered[high - 3] <= interval["high"] <= ordered[min(high + 3, n - 1)]


def test_overlap_regret_is_the_simulators_own(decisions, outcomes, overlap):
    """Decision by decision, which the simulator lists by request and we record in order of time."""
    ours = {}
    for record, regret in zip(decisions, overlap, strict=True):
        ours.setdefault(record.fields["request"], []).append(regret)
    assert len(ours) == len(outcomes)
    for outcome in outcomes:
        theirs = [route["overlap_regret_blocks"] for route in outcome["routing_history"]]
        # Only device blocks are cached here, and those are whole.
        assert ours[int(outcome["request_key"], 16)] == theirs


def test_propensities_agree_with_scipy(decisions):
    seen = 0
    for record in decisions:
        costs = np.array([row["cost"] for row in record.rows])
        temperature = record.fields["temperature"]
        span = costs.max() - costs.min()
        if temperature == 0 or span == 0:
            best = np.flatnonzero(costs == costs.min())
            expected = 1 / len(best) if record.fields["chosen"] in best else 0
        else:
            expected = special.softmax(-(costs - costs.min()) / (span * temperature))[record.fields["chosen"]]
            seen += 1
        assert record.fields["propensity"] == pytest.approx(expected, rel=1e-9)
    assert seen > 0 or all(record.fields["temperature"] == 0 for record in decisions)


def test_drawn_choices_have_the_frequency_of_their_propensity(decisions):
    """Under the recorded propensities, the cheapest candidate is taken as often as it should be."""
    probability, taken = [], []
    for record in decisions:
        costs = np.array([row["cost"] for row in record.rows])
        if record.fields["temperature"] > 0 and np.ptp(costs) > 0:
            weights = special.softmax(-(costs - costs.min()) / (np.ptp(costs) * record.fields["temperature"]))
            probability.append(weights[costs.argmin()])
            taken.append(record.fields["chosen"] == costs.argmin())
    if not taken:
        pytest.skip("temperature 0: nothing is drawn")
    probability = np.array(probability)
    spread = np.sqrt((probability * (1 - probability)).sum())
    assert abs(sum(taken) - probability.sum()) < 4 * spread


def pools_of(decisions, trace):
    """The name of each decision's pool."""
    names = {r.fields["id"]: r.fields["text"] for r in trace.records
             if r.kind == "name" and r.fields["space"] == 1}
    return [names[record.fields["pool"]] for record in decisions]


def test_herding_agrees_with_an_independent_count(decisions, regret, trace):
    pools = pools_of(decisions, trace)
    assert {pool["pool"] for pool in regret["pools"]} == set(pools)
    assert regret["herding"] == max((p["herding"] for p in regret["pools"]), key=lambda h: h["gini"] / h["largest_gini"])
    for pool in regret["pools"]:
        herding = pool["herding"]
        mine = [r for r, name in zip(decisions, pools, strict=True) if name == pool["pool"]]
        workers = sorted({row["worker"] for r in mine for row in r.rows})
        picks = np.array([r.rows[r.fields["chosen"]]["worker"] for r in mine])
        counts = np.array([(picks == worker).sum() for worker in workers])
        gini = np.abs(counts[:, None] - counts[None, :]).mean() / (2 * counts.mean())
        assert herding["gini"] == pytest.approx(gini, rel=1e-9)
        assert herding["largest_gini"] == pytest.approx(1 - 1 / len(workers))
        assert herding["top_share"] == pytest.approx(counts.max() / counts.sum(), rel=1e-12)
        ends = np.flatnonzero(np.append(picks[1:] != picks[:-1], True))
        assert herding["longest_run"] == np.diff(np.append(-1, ends)).max()


def test_rank_correlations_agree_with_scipy(decisions, regret, trace, outcomes, overlap, predicted):
    ttft = {int(outcome["request_key"], 16): outcome["ttft_ms"] for outcome in outcomes}
    pools = np.array(pools_of(decisions, trace))
    times = np.array([ttft[r.fields["request"]] for r in decisions])
    for pool in regret["pools"]:
        mine = pools == pool["pool"]
        for series, name in ((overlap, "spearman_overlap_regret_ttft"), (predicted, "spearman_predicted_regret_ttft")):
            ours, x, y = pool["realised"][name], series[mine], times[mine]
            if np.ptp(x) == 0:
                assert ours is None
                continue
            theirs = stats.spearmanr(x, y).statistic
            assert ours == pytest.approx(theirs, rel=1e-9)
            # Fisher's transformation, with the variance of Bonett and Wright (2000) for ranks.
            half = stats.norm.ppf(0.975) * np.sqrt((1 + theirs**2 / 2) / (len(x) - 3))
            interval = pool["realised"][f"{name}_interval"]
            assert interval["low"] == pytest.approx(np.tanh(np.arctanh(theirs) - half), rel=1e-6)
            assert interval["high"] == pytest.approx(np.tanh(np.arctanh(theirs) + half), rel=1e-6)
            agrees("scipy")
