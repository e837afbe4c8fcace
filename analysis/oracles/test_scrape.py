"""`nashtrace scrape` against prometheus_client: it serves a page, and its own parser reads the same page."""

import json
import math
import os
import subprocess
from pathlib import Path

import prometheus_client
import pytest
from prometheus_client.parser import text_string_to_metric_families

LABELS = ["plain", "with \\ and \"quotes\"", "two\nlines", "", "ünïcode {}=,#"]
VALUES = [0.0, 17.0, 1e-300, 1.5e300, math.inf, -math.inf, math.nan, 0.1 + 0.2]


@pytest.fixture
def registry() -> prometheus_client.CollectorRegistry:
    registry = prometheus_client.CollectorRegistry()
    counter = prometheus_client.Counter("requests", "Help \\ of\ntwo lines", ["label"], registry=registry)
    gauge = prometheus_client.Gauge("level", "A level", ["label", "number"], registry=registry)
    histogram = prometheus_client.Histogram("seconds", "Times", buckets=[0.1, 1.0], registry=registry)
    prometheus_client.Summary("sizes", "Sizes", registry=registry).observe(3.5)
    for label in LABELS:
        counter.labels(label).inc(len(label) + 0.25)
        for number, value in enumerate(VALUES):
            gauge.labels(label, str(number)).set(value)
    for value in (0.05, 0.5, 5.0):
        histogram.observe(value)
    return registry


def last_scrape(path: Path) -> dict[tuple, float]:
    """The values of the last scrape, by name and labels."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    names = [line for line in lines if "series" in line]
    moments = [line for line in lines if "values" in line]
    assert len(moments) > 1 and not any("gap" in line or "restarted" in line for line in lines)
    return {
        (names[number]["name"], frozenset(names[number]["labels"].items())): float(value)
        for number, value in moments[-1]["values"]
    }


def test_a_page_means_the_same_to_prometheus_client(registry, tmp_path):
    server, thread = prometheus_client.start_http_server(0, "127.0.0.1", registry)
    try:
        url = f"http://127.0.0.1:{server.server_port}/metrics"
        out = tmp_path / "scrape.jsonl"
        subprocess.run(
            [os.environ["NASHTRACE_TOOL"], "scrape", url, "--every", "100ms", "--for", "500ms", "--out", out], check=True
        )
    finally:
        server.shutdown()
        thread.join()
    text = prometheus_client.generate_latest(registry).decode()
    expected = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    found = last_scrape(out)
    assert found.keys() == expected.keys()
    for series, value in expected.items():
        assert found[series] == value or (math.isnan(found[series]) and math.isnan(value)), series
