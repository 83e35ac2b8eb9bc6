"""What `paceline report` writes for other programs is read by those programs' own parsers."""

import json
import subprocess
import xml.etree.ElementTree as xml

import pyarrow.parquet as parquet
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

US = 1_000_000


def cell(stack: str, sweep: str, repeat: int, requests: int, batch: int, clients: int, **more) -> dict:
    """One second with evenly spread requests of 20 ms."""
    finished = [(i + 1) * US // requests for i in range(requests)]
    sent = [t - 20_000 for t in finished]
    return {
        "stack": stack, "sweep": sweep, "batch_size": batch, "concurrency": clients, "repeat": repeat,
        "started": f"2026-01-02T03:04:{5 + repeat:02d}Z", "seconds": 1,
        "requests": {"intended_us": sent, "sent_us": sent, "finished_us": finished, "texts": [batch] * requests, "outcome": ["ok"] * requests},
        "samples": {"at_us": [0, US], "cpu_seconds": [1, 2.5], "rss_bytes": [100_000_000, 132_000_000], "client_cpu_seconds": [0, 0.1]},
    } | more


@pytest.fixture(scope="module")
def run(binary, tmp_path_factory):
    """The folder of a run with one sound stack and one whose slices failed their checks."""
    folder = tmp_path_factory.mktemp("run")
    agreement = {"texts": 8, "mean_cosine": 1.0, "min_cosine": 0.99999, "comparable": True}
    names = ["good", 'odd "name"\\']
    cells = [cell("good", "concurrency", i, 10, 4, 2) for i in range(5)] + [cell("good", "online", i, 140, 1, 8) for i in range(5)]
    cells += [cell(names[1], "concurrency", i, 5, 4, 2, invalid="the client was busy") for i in range(5)]
    results = {
        "schema": 1, "stacks": [{"name": n, "agreement": agreement, "max_batch": {"size": 64, "limit": "refused"}, "idle_bytes": 90_000_000} for n in names], "cells": cells,
        "manifest": {"version": "v1", "command": ["paceline", "bench"], "started": "2026-01-02T03:04:05Z", "finished": "2026-01-02T03:05:05Z", "model": {"name": "tiny"}},
    }
    (folder / "results.json").write_text(json.dumps(results))
    subprocess.run([binary, "report", str(folder)], check=True, capture_output=True)
    return folder


def test_openmetrics(run):
    """The strict parser of the Python client takes the textfile, and finds base units, intervals and validity."""
    families = {f.name: f for f in text_string_to_metric_families((run / "paceline_bench.prom").read_text())}
    throughput = {(s.labels["stack"], s.labels["estimate"]): (s.value, s.labels["valid"]) for s in families["paceline_bench_throughput_embeddings_per_second"].samples}
    assert throughput["good", "median"] == (40, "true")
    assert throughput['odd "name"\\', "upper"] == (20, "false")
    latency = [s.value for s in families["paceline_bench_latency_p95_seconds"].samples]
    assert latency == pytest.approx([0.02] * 3)
    assert {s.labels["stack"]: s.value for s in families["paceline_bench_comparable"].samples} == {"good": 1, 'odd "name"\\': 1}


def test_openmetrics_parser_is_strict(run):
    """The control: without its last line the text is refused."""
    text = (run / "paceline_bench.prom").read_text().removesuffix("# EOF\n")
    with pytest.raises(ValueError):
        list(text_string_to_metric_families(text))


def test_parquet(run):
    """Arrow reads a row for every request, as it was recorded."""
    rows = parquet.read_table(run / "requests.parquet").to_pylist()
    assert len(rows) == 5 * 10 + 5 * 140 + 5 * 5
    first = rows[0]
    assert (first["stack"], first["cell"], first["finished_us"] - first["intended_us"], first["texts"], first["valid"]) == ("good", 0, 20_000, 4, True)
    assert sum(not r["valid"] for r in rows) == 25
    assert first["started"].isoformat().startswith("2026-01-02T03:04:05")


def test_junit_and_limits(binary, run, tmp_path):
    """A run against itself breaks no limit and says so in JUnit's XML."""
    subprocess.run([binary, "report", "--fail-if", "throughput<-5%", "--junit", str(tmp_path / "j.xml"), str(run), str(run)], check=True, capture_output=True)
    suites = xml.parse(tmp_path / "j.xml").getroot()
    assert suites.tag == "testsuites" and suites.get("failures") == "0" and int(suites.get("tests")) > 0
