"""Tests of series against statsmodels, arch, ruptures, SciPy and exhaustive search."""

import json
import os
import subprocess
import warnings

import arch.unitroot
import numpy as np
import pytest
import ruptures
import statsmodels.api as sm
from scipy import signal, stats
from statsmodels.tsa.stattools import acf, adfuller, ccf, kpss

from peers import agrees, differs

TIME_LIMIT = 60


def statistic(test, series, *arguments, against=None, code=0):
    """What `nashtrace stats TEST - ... --json` says about a series."""
    if against is None:
        text = "value\n" + "".join(f"{value!r}\n" for value in map(float, series))
    else:
        rows = zip(map(float, series), map(float, against), strict=True)
        text = "value,other\n" + "".join(f"{a!r},{b!r}\n" for a, b in rows)
    output = subprocess.run(
        [os.environ["NASHTRACE_TOOL"], "stats", test, "-", "--column", "value", *map(str, arguments), "--json"],
        input=text, stdout=subprocess.PIPE, text=True, timeout=TIME_LIMIT,
    )
    assert output.returncode == code, output
    return json.loads(output.stdout)


def datasets():
    macro = sm.datasets.macrodata.load_pandas().data
    return {
        "sunspots": sm.datasets.sunspots.load_pandas().data["SUNACTIVITY"].to_numpy(),
        "nile": sm.datasets.nile.load_pandas().data["volume"].to_numpy(),
        "realgdp": macro["realgdp"].to_numpy(),
        "infl": macro["infl"].to_numpy(),
        "unemp": macro["unemp"].to_numpy(),
    }


DATA = datasets()


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("regression", ["n", "c", "ct", "ctt"])
@pytest.mark.parametrize("choice", ["AIC", "BIC", 0, 4])
@pytest.mark.filterwarnings("ignore")
def test_adf_is_statsmodels(name, regression, choice):
    series = DATA[name]
    fixed = isinstance(choice, int)
    if fixed:
        ours = statistic("adf", series, "--regression", regression, "--lags", choice)
        theirs = adfuller(series, regression=regression, maxlag=choice, autolag=None)
    else:
        ours = statistic("adf", series, "--regression", regression, "--criterion", choice.lower())
        theirs = adfuller(series, regression=regression, autolag=choice)
    assert (ours["lags"], ours["observations"]) == (theirs[2], theirs[3])
    assert ours["statistic"] == pytest.approx(theirs[0], rel=1e-7, abs=1e-9)
    assert ours["p_value"] == pytest.approx(theirs[1], rel=1e-5, abs=1e-12)
    assert ours["critical"] == pytest.approx(theirs[4], rel=1e-9)
    agrees("statsmodels")


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.filterwarnings("ignore")
def test_adf_of_random_series_is_statsmodels(seed):
    random = np.random.default_rng(seed)
    n = int(random.integers(25, 400))
    series = signal.lfilter([1], [1, -random.uniform(-0.5, 1)], random.normal(size=n)) * 10.0 ** random.integers(-6, 6)
    regression = ["n", "c", "ct", "ctt"][seed % 4]
    ours = statistic("adf", series, "--regression", regression)
    theirs = adfuller(series, regression=regression, autolag="AIC")
    assert ours["lags"] == theirs[2], f"seed {seed}"
    assert ours["statistic"] == pytest.approx(theirs[0], rel=1e-7), f"seed {seed}"
    agrees("statsmodels")


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("regression", ["c", "ct"])
@pytest.mark.parametrize("lags", ["auto", "legacy", 0, 7])
def test_kpss_is_statsmodels(name, regression, lags):
    series = DATA[name]
    ours = statistic("kpss", series, "--regression", regression, "--lags", lags)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = kpss(series, regression=regression, nlags=lags)
    assert ours["statistic"] == pytest.approx(theirs[0], rel=1e-10)
    assert ours["p_value"] == pytest.approx(theirs[1], rel=1e-10)
    assert ours["lags"] == theirs[2]
    assert ours["critical"] == theirs[3]
    clipped = theirs[1] in (0.01, 0.1)
    assert ours["p_value_is"].startswith("clipped") == clipped
    agrees("statsmodels")


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("trend", ["c", "ct"])
@pytest.mark.parametrize("lags", [0, 3, 11])
def test_unit_roots_are_archs(name, trend, lags):
    """arch simulates p-values of KPSS of its own; ours are the published table's, so only the statistics are the same."""
    series = DATA[name]
    ours = statistic("adf", series, "--regression", trend, "--lags", lags)
    theirs = arch.unitroot.ADF(series, trend=trend, lags=lags)
    assert ours["statistic"] == pytest.approx(theirs.stat, rel=1e-7, abs=1e-9)
    assert ours["p_value"] == pytest.approx(theirs.pvalue, rel=1e-5, abs=1e-12)
    ours = statistic("kpss", series, "--regression", trend, "--lags", lags)
    theirs = arch.unitroot.KPSS(series, trend=trend, lags=lags)
    assert ours["statistic"] == pytest.approx(theirs.stat, rel=1e-10)
    if ours["p_value_is"].startswith("clipped"):
        assert theirs.pvalue < 0.015 or theirs.pvalue > 0.09
    else:
        assert ours["p_value"] == pytest.approx(theirs.pvalue, abs=0.01)
    agrees("arch", 2)


def effective(series):
    """n over the integrated autocorrelation time: pairs of autocorrelations as long as their sums are positive (Geyer 1992)."""
    n = len(series)
    deviations = series - series.mean()
    correlations = np.correlate(deviations, deviations, "full")[n - 1:] / (deviations @ deviations)
    pairs = correlations[:n // 2 * 2].reshape(-1, 2).sum(axis=1)
    end = np.argmax(pairs <= 0) if (pairs <= 0).any() else len(pairs)
    return n / max(2 * pairs[:end].sum() - 1, 1)


def test_effective_sample_sizes_are_those_of_the_definition():
    random = np.random.default_rng(31)
    for coefficient in (-0.5, 0.0, 0.5, 0.9, 0.98):
        series = signal.lfilter([1], [1, -coefficient], random.normal(size=2000))
        assert statistic("acf", series)["effective_sample_size"] == pytest.approx(effective(series), rel=1e-9)


def test_published_values():
    """The values that were written down when the tests were defined."""
    table = [
        ("sunspots", "adf", ["--regression", "c"], -2.83778072, 8),
        ("sunspots", "adf", ["--regression", "c", "--lags", "4"], -7.89632426, 4),
        ("nile", "adf", ["--regression", "c"], -4.04870510, 1),
        ("nile", "adf", ["--regression", "ct"], -4.79076552, 1),
        ("realgdp", "adf", ["--regression", "c"], 1.75046280, 12),
        ("realgdp", "adf", ["--regression", "ct"], -1.23177190, 12),
        ("infl", "adf", ["--regression", "c"], -3.05451450, 2),
        ("sunspots", "kpss", [], 0.66986630, 7),
        ("sunspots", "kpss", ["--lags", "legacy"], 0.44664561, 16),
        ("nile", "kpss", [], 0.86912056, 5),
        ("nile", "kpss", ["--regression", "ct"], 0.23758698, 4),
        ("realgdp", "kpss", [], 2.06851474, 9),
        ("infl", "kpss", ["--regression", "ct"], 0.28730033, 9),
    ]
    for name, test, arguments, value, lags in table:
        ours = statistic(test, DATA[name], *arguments)
        assert ours["statistic"] == pytest.approx(value, abs=1e-8), (name, test, arguments)
        assert ours["lags"] == lags
    assert statistic("adf", DATA["sunspots"])["p_value"] == pytest.approx(0.0530764, rel=1e-5)
    assert statistic("adf", DATA["realgdp"])["p_value"] == pytest.approx(0.998246, rel=1e-5)
    assert statistic("kpss", DATA["sunspots"])["p_value"] == pytest.approx(0.016285, rel=1e-4)


def test_autocorrelation_is_statsmodels():
    for name, series in DATA.items():
        ours = statistic("acf", series, "--lags", 30)
        assert ours["acf"] == pytest.approx(acf(series, nlags=30, fft=True), abs=1e-12), name
        _, intervals = acf(series, nlags=30, alpha=0.05)
        bands = (intervals[1:, 1] - intervals[1:, 0]) / 2
        assert ours["bands"] == pytest.approx(bands, rel=1e-9), name
        agrees("statsmodels")


def test_cross_correlation_is_statsmodels():
    first, second = DATA["unemp"], DATA["infl"]
    ours = statistic("acf", first, "--against", "other", "--lags", 20, against=second)
    ahead = ccf(second, first, adjusted=False)[:21]
    behind = ccf(first, second, adjusted=False)[:21]
    assert ours["correlations"][20:] == pytest.approx(ahead, abs=1e-12)
    assert ours["correlations"][20::-1] == pytest.approx(behind, abs=1e-12)
    strongest = ours["lags"][int(np.argmax(np.abs(ours["correlations"])))]
    assert ours["lag"] == strongest
    interval = ours["lag_interval"]
    assert interval["low"] <= ours["lag"] <= interval["high"]
    agrees("statsmodels")


COSTS = {
    "l1": lambda x: np.abs(x - np.median(x)).sum(),
    "l2": lambda x: ((x - x.mean()) ** 2).sum(),
}


def optimal_partition(series, cost, penalty, min_size):
    """The least total cost, over every last segment of every beginning."""
    n = len(series)
    best = np.full(n + 1, np.inf)
    best[0] = -penalty
    for end in range(min_size, n + 1):
        for start in range(0, end - min_size + 1):
            if np.isfinite(best[start]):
                best[end] = min(best[end], best[start] + penalty + cost(series[start:end]))
    return best[n]


def rbf_cost(series):
    distances = np.subtract.outer(series, series) ** 2
    median = np.median(distances[np.triu_indices(len(series), 1)])
    gamma = 1 / median if median > 0 else 1.0
    return lambda x: len(x) - np.exp(-gamma * np.subtract.outer(x, x) ** 2).sum() / len(x)


@pytest.mark.parametrize("model", ["l1", "l2", "rbf"])
def test_segmentations_are_optimal(model):
    random = np.random.default_rng(17)
    for case in range(60):
        n = int(random.integers(6, 30))
        series = random.choice([random.normal(size=n), random.integers(0, 2, size=n).astype(float)])
        min_size = int(random.integers(1, 7))
        penalty = float(random.choice([0.05, 0.1, 0.5, 2.0]))
        cost = COSTS.get(model) or rbf_cost(series)
        best = optimal_partition(series, cost, penalty, min_size)
        ours = statistic("pelt", series, "--model", model, "--penalty", penalty, "--min-size", min_size)
        assert ours["total_cost"] == pytest.approx(best, rel=1e-9, abs=1e-9), f"seed 17, case {case}"
        ends = [0, *ours["changepoints"], n]
        parts = [series[a:b] for a, b in zip(ends, ends[1:])]
        assert min(map(len, parts)) >= min(min_size, n)
        again = sum(map(cost, parts)) + penalty * len(ours["changepoints"])
        assert ours["total_cost"] == pytest.approx(again, rel=1e-9, abs=1e-9)
        if model != "rbf" and min_size > 1:
            found = ruptures.Pelt(model=model, min_size=min_size, jump=1).fit(series).predict(pen=penalty)
            ends = [0, *found]
            theirs = sum(cost(series[a:b]) for a, b in zip(ends, ends[1:])) + penalty * (len(found) - 1)
            assert theirs >= best - 1e-9
            if theirs > best + 1e-9:
                differs("ruptures", "segmentations that an exhaustive search beats")
            else:
                agrees("ruptures")


def test_normal_model_is_the_likelihood():
    random = np.random.default_rng(3)
    for _ in range(20):
        series = random.normal(size=40) * np.repeat([1.0, 3.0], 20)
        ours = statistic("pelt", series, "--model", "normal", "--penalty", 5, "--min-size", 4)
        best = optimal_partition(series, lambda x: len(x) * np.log(x.var()), 5.0, 4)
        assert ours["total_cost"] == pytest.approx(best, rel=1e-9)


def test_without_a_minimum_size_ruptures_agrees():
    random = np.random.default_rng(5)
    series = np.repeat(random.normal(size=8) * 4, 50) + random.normal(size=400)
    for model in ("l1", "l2"):
        found = ruptures.Pelt(model=model, min_size=1, jump=1).fit(series).predict(pen=20.0)
        ours = statistic("pelt", series, "--model", model, "--penalty", 20, "--min-size", 1)
        cost = COSTS[model]
        ends = [0, *found]
        theirs = sum(cost(series[a:b]) for a, b in zip(ends, ends[1:])) + 20.0 * (len(found) - 1)
        assert ours["total_cost"] == pytest.approx(theirs, rel=1e-9)
        agrees("ruptures")


def test_the_nile_breaks_in_1898():
    ours = statistic("pelt", DATA["nile"])
    assert ours["changepoints"] == [28]


def brook_evans(allowance, threshold, shift, states=800):
    """One-sided run length by a Markov chain of so many states (Brook and Evans 1972)."""
    width = 2 * threshold / (2 * states - 1)
    centres = width * np.arange(states)
    upper = centres[None, :] + width / 2 - centres[:, None] + allowance - shift
    lower = upper - width
    moves = stats.norm.cdf(upper) - stats.norm.cdf(lower)
    moves[:, 0] = stats.norm.cdf(upper[:, 0])
    return np.linalg.solve(np.eye(states) - moves, np.ones(states))[0]


def test_run_lengths_are_those_of_a_markov_chain():
    series = np.random.default_rng(1).normal(size=100)
    for allowance, threshold in [(0.5, 4.0), (0.5, 5.0), (0.25, 8.0), (1.0, 2.5)]:
        ours = statistic("cusum", series, "--allowance", allowance, "--threshold", threshold)
        for name, shift in [("in_control", 0), ("shift_of_half", 0.5), ("shift_of_one", 1), ("shift_of_two", 2)]:
            up, down = (brook_evans(allowance, threshold, sign * shift) for sign in (1, -1))
            expected = 1 / (1 / up + 1 / down)
            assert ours["average_run_length"][name] == pytest.approx(expected, rel=2e-4)


def test_alarms_are_those_of_the_recursion():
    random = np.random.default_rng(8)
    series = random.normal(size=300) + np.repeat([0, 1.5, -1.0], 100)
    ours = statistic("cusum", series, "--baseline", 80)
    scores = (series - series[:80].mean()) / series[:80].std(ddof=1)
    high = low = 0.0
    alarms = []
    for at, score in enumerate(scores):
        high, low = max(high + score - 0.5, 0), max(low - score - 0.5, 0)
        if high > 5:
            alarms.append((at, "up"))
            high = 0.0
        if low > 5:
            alarms.append((at, "down"))
            low = 0.0
    assert [(a["at"], a["side"]) for a in ours["alarms"]] == alarms
    assert len(alarms) > 5


def crossings(series):
    """Mean period and r by their definition: ten intervals between zero crossings of the autocorrelation."""
    n = len(series)
    deviations = series - series.mean()
    size = 2 ** int(np.ceil(np.log2(2 * n)))
    spectrum = np.abs(np.fft.rfft(deviations, size)) ** 2
    correlations = np.fft.irfft(spectrum, size)[:n]
    at = np.flatnonzero(np.sign(correlations[:-1]) * np.sign(correlations[1:]) < 0)[:11]
    intervals = np.diff(at + correlations[at] / (correlations[at] - correlations[at + 1]))
    return 2 * intervals.mean(), intervals.mean() / (3 * intervals.std(ddof=1))


def test_regularity_is_that_of_the_definition():
    """A sine in noise has been published with r 17.6 and a noisy square wave with r 168.5, each of one realisation of the
    noise without a filter: other noise gives another r, of the same order. Ours is that of the definition in each."""
    t = np.arange(1000)
    waves = {"sine": np.sin(2 * np.pi * t / 50), "square": np.sign(np.sin(2 * np.pi * (t + 0.5) / 40))}
    for name, noise, period, published in [("sine", 1.0, 50, 17.6), ("square", 0.3, 40, 168.5)]:
        values = []
        for seed in range(21):
            series = waves[name] + noise * np.random.default_rng(seed).normal(size=1000)
            ours = statistic("oscillation", series, "--surrogates", 199)
            expected = crossings(series)
            assert (ours["unfiltered"]["period"], ours["unfiltered"]["r"]) == pytest.approx(expected, rel=1e-6), f"{name}, seed {seed}"
            assert ours["oscillating"] and ours["period"] == pytest.approx(period, rel=0.02)
            values.append(ours["unfiltered"]["r"])
        print(f"{name}: r {min(values):.1f} to {max(values):.1f}, median {np.median(values):.1f}")
        assert min(values) < published < 2 * max(values)


def test_oscillations_of_known_period():
    random = np.random.default_rng(2)
    t = np.arange(1000)
    wave = np.sin(2 * np.pi * t / 50)
    pure = statistic("oscillation", wave)
    assert pure["oscillating"] and pure["period"] == pytest.approx(50, abs=0.1)
    assert pure["unfiltered"]["period"] == pytest.approx(50.004, abs=1e-3)
    assert pure["unfiltered"]["r"] > 2e4
    noisy = statistic("oscillation", wave + random.normal(size=1000))
    assert noisy["oscillating"] and noisy["period"] == pytest.approx(50, abs=1)
    assert noisy["surrogate_p"] <= 0.005 and noisy["r"] > 1


def test_rates_of_the_oscillation_detector():
    random = np.random.default_rng(2003)
    t = np.arange(1000)
    arguments = ["--surrogates", 199]

    def rate(series, count=200):
        return np.mean([statistic("oscillation", series(), *arguments)["oscillating"] for _ in range(count)])

    white = rate(lambda: random.normal(size=1000), 1000)
    red = rate(lambda: signal.lfilter([1], [1, -0.9], random.normal(size=1200))[200:])
    weak = rate(lambda: random.normal(size=1000) + 0.5 * np.sin(2 * np.pi * t / 50 + random.uniform(0, 6)))
    print(f"white {white}, red {red}, weak sine {weak}")
    assert white <= 0.01 and red <= 0.02 and weak >= 0.8


def test_the_knee_is_that_of_a_search():
    random = np.random.default_rng(4)
    x = np.linspace(1, 10, 40)
    y = 1 + 0.3 * x + 2 * np.maximum(x - 6.2, 0) + 0.3 * random.normal(size=40)
    ours = statistic("knee", y, "--against", "other", "--linear", against=x)

    def residual(knee):
        design = np.column_stack([np.ones_like(x), x, np.maximum(x - knee, 0)])
        return np.linalg.lstsq(design, y, rcond=None)[1][0]

    grid = np.linspace(1.5, 9.5, 8001)
    best = grid[np.argmin([residual(knee) for knee in grid])]
    assert ours["knee"] == pytest.approx(best, abs=0.002)
    assert ours["knee_interval"]["low"] < 6.2 < ours["knee_interval"]["high"]
    assert ours["identified"]


@pytest.mark.parametrize("test", ["adf", "kpss", "cusum", "oscillation", "acf"])
def test_constant_and_short_series_are_refused_by_name(test):
    assert statistic(test, [3.0] * 100, code=1)["refused"] == "constant"
    assert statistic(test, [3.0], code=1)["refused"] == "too_short"
