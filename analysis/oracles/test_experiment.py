"""A small campaign played by the lab: what each run's record says against NumPy over the outcomes that it kept."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

DESIGNS = Path(__file__).parents[2] / "lab" / "designs"
SCENARIO = "three-players.scenario.toml"


@pytest.fixture(scope="module")
def campaign(tmp_path_factory) -> Path:
    """The quickstart with one block and what its runs leave."""
    folder = tmp_path_factory.mktemp("experiment")
    design = (DESIGNS / "quickstart.toml").read_text()
    for asked, shorter in [
        ("blocks = 5", "blocks = 1"),
        (f'scenario = "{SCENARIO}"', f'scenario = "{SCENARIO}"\nkeep_traces = true'),
        ("workload.requests\" = 400", "workload.requests\" = 150"),
    ]:
        assert asked in design
        design = design.replace(asked, shorter)
    (folder / "design.toml").write_text(design)
    (folder / SCENARIO).write_text((DESIGNS / SCENARIO).read_text())
    out = folder / "campaign"
    command = [os.environ["NASHTRACE_TOOL"], "experiment", "run", str(folder / "design.toml"), "--out", str(out)]
    subprocess.run(command, check=True)
    return out


def runs(campaign: Path) -> list[Path]:
    found = sorted((campaign / "runs").iterdir())
    assert len(found) == 27
    return found


def counted(run: Path) -> list[dict]:
    requests = [json.loads(line) for line in (run / "requests.jsonl").read_text().splitlines()]
    requests.sort(key=lambda request: request["arrival_time_ms"])
    return requests[len(requests) // 10 :]


def record(run: Path) -> dict:
    return json.loads((run / "run.json").read_text())


def test_metrics_are_those_of_the_outcomes(campaign):
    for run in runs(campaign):
        metrics, requests = record(run)["metrics"], counted(run)
        column = lambda name: np.array([request[name] for request in requests], dtype=float)
        ttft, e2e, itl = column("ttft_ms"), column("e2e_latency_ms"), column("itl_ms")
        tokens, arrivals = column("output_length").sum(), column("arrival_time_ms")
        seconds = ((arrivals + e2e).max() - arrivals[0]) / 1e3
        good = np.mean((ttft <= 500) & (itl <= 50))
        expected = {
            "ttft_p50_ms": np.quantile(ttft, 0.5),
            "ttft_p95_ms": np.quantile(ttft, 0.95),
            "ttft_p99_ms": np.quantile(ttft, 0.99),
            "tbt_p95_ms": np.quantile(itl, 0.95),
            "e2e_mean_ms": e2e.mean(),
            "e2e_ms_per_output_token": e2e.sum() / tokens,
            "output_tokens_per_s": tokens / seconds,
            "cache_hit_rate": column("reused_input_tokens").sum() / column("input_length").sum(),
            "slo_violation_rate": 1 - good,
        }
        for name, value in expected.items():
            assert metrics[name] == pytest.approx(value, rel=1e-9, abs=1e-12), (run.name, name)


def test_evictions_are_those_that_nashtrace_blocks_counts(campaign):
    for run in runs(campaign)[::9]:
        command = [os.environ["NASHTRACE_TOOL"], "blocks", str(run), "--json"]
        answer = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        device = answer["tiers"]["g1"]
        said = record(run)
        # Both count what the recorded sample stands for.
        assert said["trace"]["block_sample"] == 16
        assert said["metrics"]["evictions"] == device["blocks"]["evict"]
        assert said["trace"]["lost"] == 0


def test_every_profile_of_a_block_answers_the_same_requests(campaign):
    def asked(run: Path) -> list[tuple]:
        requests = [json.loads(line) for line in (run / "requests.jsonl").read_text().splitlines()]
        # A conversation goes on once it was answered; its beginning is the block's alone.
        begins = lambda request: request["arrival_time_ms"] if request["turn_index"] == 0 else None
        names = ("session_id", "turn_index", "input_length", "requested_output_length")
        return sorted((*(request[name] for name in names), begins(request) or 0.0) for request in requests)

    first, *others = [asked(run) for run in runs(campaign)]
    assert len({row[0] for row in first}) > 50 and {row[1] for row in first} == {0, 1}
    assert all(other == first for other in others)
