"""The run that the oracles look at: recorded by the lab, read by both readers."""

import json
import os
import subprocess
from pathlib import Path

import pytest

import peers
import trace_format


def tool(*arguments: str) -> dict:
    """What `nashtrace ... --json` prints."""
    output = subprocess.run(
        [os.environ["NASHTRACE_TOOL"], *arguments, "--json"], check=True, stdout=subprocess.PIPE
    )
    return json.loads(output.stdout)


def runs() -> list[Path]:
    return [Path(run) for run in os.environ["NASHTRACE_RUNS"].split(":")]


@pytest.fixture(scope="session", params=runs(), ids=lambda run: run.name)
def run(request) -> Path:
    return request.param


@pytest.fixture(scope="session")
def trace(run) -> trace_format.Trace:
    (file,) = (run / "trace").glob("*.nash")
    return trace_format.read(file)


@pytest.fixture(scope="session")
def decisions(trace) -> list[trace_format.Record]:
    """The tracked decisions."""
    return [r for r in trace.records if r.kind == "decision" and r.fields["mode"] == 1]


@pytest.fixture(scope="session")
def outcomes(run) -> list[dict]:
    return [json.loads(line) for line in (run / "requests.jsonl").read_text().splitlines()]


@pytest.fixture(scope="session")
def regret(run) -> dict:
    return tool("regret", str(run))


def pytest_terminal_summary(terminalreporter) -> None:
    lines = peers.summary()
    if lines:
        terminalreporter.section("peers")
        for line in lines:
            terminalreporter.write_line(line)
