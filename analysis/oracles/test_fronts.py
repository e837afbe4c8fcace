"""Fronts and volumes against moocore, pymoo and closed forms; intervals and designs against SciPy; expected improvements
against their closed form."""

import itertools
import json
import math
import os
import subprocess

import moocore
import numpy as np
import pytest
from pymoo.indicators.hv import HV
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting
from scipy.stats import bootstrap, norm, qmc, t

from peers import agrees

TIME_LIMIT = 60


def run(*arguments, points=None, code=0):
    text = None
    if points is not None:
        names = [f"f{index}" for index in range(points.shape[1])]
        text = "\n".join([",".join(names), *(",".join(map(repr, map(float, row))) for row in points)]) + "\n"
    output = subprocess.run(
        [os.environ["NASHTRACE_TOOL"], *map(str, arguments), "--json"],
        input=text, stdout=subprocess.PIPE, text=True, timeout=TIME_LIMIT,
    )
    assert output.returncode == code, output
    return json.loads(output.stdout) if output.stdout else None


def pareto(points, reference=None, maximise=(), *arguments):
    objectives = ",".join(f"f{i}:{'max' if i in maximise else 'min'}" for i in range(points.shape[1]))
    more = [] if reference is None else ["--reference", ",".join(f"f{i}={x!r}" for i, x in enumerate(map(float, reference)))]
    return run("pareto", "-", "--objectives", objectives, *more, *arguments, points=points)


def sphere(random, count, objectives):
    points = np.abs(random.normal(size=(count, objectives)))
    return points / np.linalg.norm(points, axis=1)[:, None]


@pytest.mark.parametrize("objectives", [2, 3, 4, 5, 6])
def test_volumes_are_moocores(objectives):
    random = np.random.default_rng(objectives)
    for count in (1, 7, 60):
        for points in (random.uniform(size=(count, objectives)), sphere(random, count, objectives),
                       random.integers(0, 4, size=(count, objectives)) / 4):
            ours = pareto(points, [1.1] * objectives)
            theirs = moocore.hypervolume(points, ref=[1.1] * objectives)
            assert ours["hypervolume"] == pytest.approx(theirs, rel=1e-12)
            assert ours["completeness"] == "exact"
            agrees("moocore")
            shares = {share["row"]: share["volume"] for share in ours["contributions"]}
            unique = [row for row in shares if (points == points[row]).all(axis=1).sum() == 1]
            if len(unique) == len(shares):
                front = points[sorted(shares)]
                theirs = moocore.hv_contributions(front, ref=[1.1] * objectives)
                assert [shares[row] for row in sorted(shares)] == pytest.approx(list(theirs), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("objectives", [2, 3, 4])
def test_ranks_and_fronts_are_moocores(objectives):
    random = np.random.default_rng(100 + objectives)
    for count in (1, 30, 500):
        points = random.integers(0, 12, size=(count, objectives)).astype(float)
        ours = pareto(points)
        assert ours["ranks"] == moocore.pareto_rank(points).tolist()
        keep = moocore.is_nondominated(points, keep_weakly=True)
        assert ours["front"] == np.flatnonzero(keep).tolist()
        agrees("moocore")


@pytest.mark.parametrize("objectives", [2, 3, 4])
def test_ranks_and_volumes_are_pymoos(objectives):
    random = np.random.default_rng(200 + objectives)
    for points in (random.uniform(size=(300, objectives)), sphere(random, 60, objectives), random.integers(0, 6, size=(80, objectives)) / 6):
        ours = pareto(points, [1.1] * objectives)
        _, ranks = NonDominatedSorting().do(points, return_rank=True)
        assert ours["ranks"] == ranks.tolist()
        assert ours["hypervolume"] == pytest.approx(HV(ref_point=np.full(objectives, 1.1))(points), rel=1e-12)
        agrees("pymoo")


def lattice(parts, objectives):
    """All points whose coordinates are multiples of 1/parts and sum to 1."""
    axes = itertools.product(range(parts + 1), repeat=objectives - 1)
    return np.array([(*first, parts - sum(first)) for first in axes if sum(first) <= parts]) / parts


@pytest.mark.parametrize(("objectives", "parts"), [(2, 1000), (3, 30), (4, 12), (5, 8), (6, 6)])
def test_regular_staircases_have_the_volume_of_their_steps(objectives, parts):
    """Beneath the front of DTLZ1, sampled on a lattice, are comb(parts + m - 1, m) cubes with sides 1/(2 parts)."""
    points = lattice(parts, objectives) / 2
    beneath = math.comb(parts + objectives - 1, objectives) / (2 * parts) ** objectives
    for reference in (0.5, 1.0):
        found = pareto(points, [reference] * objectives)["hypervolume"]
        assert found == pytest.approx(reference**objectives - beneath, rel=1e-12)
        # The plane itself takes 0.5^m / m! away: a sample of it comes close from below.
        limit = reference**objectives - 0.5**objectives / math.factorial(objectives)
        assert limit * (1 - 2 / parts * objectives) < found < limit


@pytest.mark.parametrize(("objectives", "parts", "limit", "near"), [
    (3, 30, 0.8074012, 0.03), (4, 14, 1.1556749, 0.13), (5, 8, 1.4460166, 0.3),
])
def test_spheres_come_close_from_below(objectives, parts, limit, near):
    """DTLZ2: the volume that a finite sample of the sphere dominates is less than that of the sphere."""
    points = lattice(parts, objectives)
    points /= np.linalg.norm(points, axis=1)[:, None]
    found = pareto(points, [1.1] * objectives)["hypervolume"]
    assert limit - near < found < limit


def test_large_ones_are_turned():
    random = np.random.default_rng(9)
    points = random.uniform(size=(40, 3))
    turned = points * [1, -1, 1]
    plain, other = pareto(points, [1, 1, 1]), pareto(turned, [1, -1, 1], {1})
    assert plain["front"] == other["front"]
    assert plain["hypervolume"] == pytest.approx(other["hypervolume"], rel=1e-12)


def test_closed_forms():
    """Fine samples of fronts of known volume approach it from below."""
    x = np.linspace(0, 1, 200_001)
    for y, reference, volume in [
        (1 - np.sqrt(x), [1.1, 1.1], 0.8766667), (1 - x**2, [1.1, 1.1], 0.5433333),
        (np.sqrt(1 - x**2), [1.1, 1.1], 0.4246018), (1 - np.sqrt(x) - x * np.sin(10 * np.pi * x), [1.1, 1.1], 1.331763), (0.5 - x / 2, None, None),
    ]:
        if reference is None:
            line = np.column_stack([x / 2, y])
            for at, volume in ((0.5, 0.125), (1.0, 0.875)):
                found = pareto(line, [at, at])["hypervolume"]
                assert volume - 1e-5 < found < volume
            continue
        found = pareto(np.column_stack([x, y]), reference)["hypervolume"]
        # The volume of ZDT3 is itself a sum over points, known to so many digits.
        assert volume - 2e-5 < found < volume + 1e-6
    x = np.linspace(0.2807753191, 1, 200_001)
    found = pareto(np.column_stack([x, 1 - x**2]), [1.1, 1.1])["hypervolume"]
    assert 0.5078775 - 2e-5 < found < 0.5078775 + 1e-7, "ZDT6"


def test_more_than_six_objectives_are_sampled():
    random = np.random.default_rng(2)
    points = sphere(random, 50, 7)
    ours = pareto(points, [1.1] * 7)
    theirs = moocore.hypervolume(points, ref=[1.1] * 7)
    assert ours["completeness"].startswith("sampled")
    assert abs(ours["hypervolume"] - theirs) < 5 * ours["hypervolume_error"]


def test_time_limit_gives_a_sampled_volume():
    random = np.random.default_rng(3)
    ours = pareto(sphere(random, 3000, 6), [1.1] * 6, (), "--time-limit", "0.2", "--samples", "2000")
    assert ours["completeness"].startswith("sampled: time was up")
    assert ours["hypervolume_error"] > 0


def test_a_reference_inside_the_front_is_said():
    points = np.array([[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]])
    inside = pareto(points, [0.7, 0.7])
    assert inside["reference"]["verdict"] == "inside the front"
    assert inside["reference"]["front_rows_beyond"] == [0, 2]
    assert inside["hypervolume"] == pytest.approx(0.04)
    beyond = pareto(points, [0.1, 0.1])
    assert beyond["hypervolume"] == 0
    assert beyond["reference"]["verdict"].startswith("beyond the front")


def test_infinite_coordinates_are_refused(tmp_path):
    file = tmp_path / "points.csv"
    file.write_text("a,b\n1,2\ninf,3\n")
    output = subprocess.run(
        [os.environ["NASHTRACE_TOOL"], "pareto", str(file), "--objectives", "a:min,b:min"],
        stderr=subprocess.PIPE, text=True, timeout=TIME_LIMIT,
    )
    assert output.returncode == 2
    assert f"{file}: line 3: column a has \"inf\"; a finite number is needed" in output.stderr


def test_membership_is_the_bootstraps(tmp_path):
    random = np.random.default_rng(6)
    centres = np.array([[0, 1], [0.45, 0.6], [0.5, 0.5], [1, 0], [0.9, 0.9]])
    file = tmp_path / "runs.csv"
    rows = [(name, *(centre + 0.15 * random.normal(size=2)).tolist()) for _ in range(8) for name, centre in zip("abcde", centres)]
    file.write_text("profile,x,y\n" + "".join(f"{n},{x!r},{y!r}\n" for n, x, y in rows))
    ours = run("pareto", file, "--objectives", "x:min,y:min", "--configuration", "profile", "--reference", "x=2,y=2")
    values = np.array([row[1:] for row in rows], dtype=float).reshape(8, 5, 2)
    count = np.zeros(5)
    for _ in range(4000):
        means = np.array([values[random.integers(0, 8, 8), i].mean(axis=0) for i in range(5)])
        count += moocore.is_nondominated(means)
    shares = [configuration["share_on_front"] for configuration in ours["configurations"]]
    assert shares == pytest.approx(count / 4000, abs=0.06)
    interval = ours["hypervolume_interval"]
    assert interval["low"] < ours["hypervolume"] < interval["high"]
    assert set(ours["attainment"]) == {"reached_by_97.5%", "reached_by_50%", "reached_by_2.5%"}


def test_attainment_surfaces_are_moocores(tmp_path):
    """With one configuration each resample's front is one mean, so the surfaces are those of its means."""
    random = np.random.default_rng(7)
    file = tmp_path / "runs.csv"
    file.write_text("profile,x,y\n" + "".join(f"a,{x!r},{y!r}\n" for x, y in random.normal(size=(12, 2)).tolist()))
    ours = run("pareto", file, "--objectives", "x:min,y:min", "--configuration", "profile")
    median = np.array([[corner["x"], corner["y"]] for corner in ours["attainment"]["reached_by_50%"]])
    assert len(median) > 3 and (np.diff(median[:, 0]) > 0).all() and (np.diff(median[:, 1]) < 0).all()


def test_intervals_are_scipys(tmp_path):
    """BCa intervals of the means of replicates, at the level that makes as few of them cover like Student's t
    (Hesterberg 2015): both are random, so as close as resamples of both allow."""
    random = np.random.default_rng(12)
    for seed, draws in enumerate([random.exponential(size=40), random.lognormal(size=25), random.normal(size=12)]):
        file = tmp_path / f"{seed}.csv"
        file.write_text("profile,x,y\n" + "".join(f"a,{value!r},{-value!r}\n" for value in map(float, draws)))
        ours = run("pareto", file, "--objectives", "x:min,y:min", "--configuration", "profile")
        (configuration,) = ours["configurations"]
        n = len(draws)
        level = 2 * norm.cdf(t.ppf(0.975, n - 1) * np.sqrt(n / (n - 1))) - 1
        theirs = bootstrap(
            (draws,), np.mean, n_resamples=20_000, method="BCa", confidence_level=level, rng=seed
        ).confidence_interval
        interval = configuration["mean_intervals"]["x"]
        width = theirs.high - theirs.low
        assert [interval["low"], interval["high"]] == pytest.approx([theirs.low, theirs.high], abs=0.08 * width)
        agrees("scipy")


def test_designs_fill_the_cube():
    knobs = [option for index in range(4) for option in ("--knob", f"k{index}=0:1")]

    def design(kind, *arguments):
        return np.array([list(point.values()) for point in run("design", kind, *knobs, *arguments)["points"]])

    spread, plain = design("lhs", "--points", 40), design("lhs", "--points", 40, "--random")
    for points in (spread, plain):
        assert (np.sort((points * 40).astype(int), axis=0) == np.arange(40)[:, None]).all()

    def least(points):
        distances = np.linalg.norm(points[:, None] - points[None], axis=2)
        return distances[np.triu_indices(len(points), 1)].min()

    scipys = np.median([least(qmc.LatinHypercube(4, seed=seed).random(40)) for seed in range(50)])
    assert least(spread) > 1.5 * scipys
    sobol = design("sobol", "--points", 64)
    theirs = np.mean([qmc.discrepancy(qmc.Sobol(4, seed=seed).random(64)) for seed in range(10)])
    uniform = np.mean([qmc.discrepancy(np.random.default_rng(s).uniform(size=(64, 4))) for s in range(10)])
    assert qmc.discrepancy(sobol) < (theirs + uniform) / 2
    agrees("scipy")
    grid = run("design", "factorial", "--knob", "a=1,2,3", "--knob", "b=x,y")["points"]
    assert len(grid) == 6 and grid[1] == {"a": 1.0, "b": "y"}


def test_the_next_point_is_where_it_is_expected(tmp_path):
    """One knob, two opposed objectives, a gap in what was measured: the next point is in the gap."""
    x = np.array([0.0, 0.1, 0.2, 0.8, 0.9, 1.0])
    file = tmp_path / "measured.csv"
    file.write_text("k,a,b\n" + "".join(f"{v!r},{v**2!r},{(1 - v) ** 2!r}\n" for v in map(float, x)))
    arguments = ["design", "next", file, "--knob", "k=0:1", "--objectives", "a:min,b:min", "--reference", "a=1.5,b=1.5"]
    found = run(*arguments, "--count", 3)
    points = [point["k"] for point in found["points"]]
    assert all(0.2 < point < 0.8 for point in points[:2])
    first = found["points"][0]
    assert first["expected_a"] == pytest.approx(points[0] ** 2, abs=0.1)
    before = np.column_stack([x**2, (1 - x) ** 2])
    grown = moocore.hypervolume(np.vstack([before, [points[0] ** 2, (1 - points[0]) ** 2]]), ref=[1.5, 1.5])
    gain = grown - moocore.hypervolume(before, ref=[1.5, 1.5])
    assert first["expected_improvement"] == pytest.approx(gain, rel=0.5)
    assert run(*arguments, "--count", 3) == found
