"""The page, the figure and the targets, from results."""

import json

import pytest

from benchmarks.machine import describe_machine
from benchmarks.report import report
from benchmarks.serving.contenders import SERVERS
from benchmarks.serving.page import page
from benchmarks.serving.scaling import LOADS, SETUPS
from benchmarks.serving.scenarios import SCENARIOS
from benchmarks.serving.targets import TARGETS

RATES = {name: 1000.0 * (len(SERVERS) - i) for i, name in enumerate(SERVERS)}  # ours is the fastest


def _result(rate, rows=1):
    return {"answers_per_s": rate, "rows_per_s": rate * rows, "p50_ms": 1.0, "p99_ms": 9e3 / rate, "failed": 0}


@pytest.fixture
def run():
    """Results as a run writes them: of each server that speaks the encoding, and why the others have none."""
    points = [
        {
            "scenario": scenario.to_json(),
            "results": {
                name: _result(RATES[name], scenario.rows)
                if scenario.encoding in server.protocols
                else {"skipped": "it does not speak | binary"}
                for name, server in SERVERS.items()
            },
        }
        for scenario in SCENARIOS
    ]
    seen = {
        "times": 4,
        "capacity_per_s": 100.0,
        "refusal_rate_per_s": 5000.0,
        "offered_per_s": 400.0,
        "goodput_per_s": 95.0,
        "refused": 300,
        "others": 0,
        "refusal_p50_ms": 1.0,
        "refusal_p99_ms": None,
        "accepted_p50_ms": 600.0,
        "accepted_p99_ms": 700.0,
        "bound_ms": 650.0,
        "late_p99_ms": 1.0,
    }
    scaled = {setup.name: _result(100.0 * (i + 1)) for i, setup in enumerate(SETUPS)}
    return {
        "question": "serving",
        "machine": describe_machine(),
        "effort": "quick",
        "versions": {name: {"python": "3.11.7"} for name in SERVERS},
        "points": points,
        "overload": seen,
        "scaling": [{"scenario": scenario.to_json(), "results": scaled} for scenario in LOADS],
    }


def _found(run):
    return {target.wanted: (target, target.find(run)) for target in TARGETS}


def test_each_target_finds_its_number(run):
    """All targets are found in a whole run, and each is judged by its own limit."""
    found = _found(run)
    assert all(number for _, number in found.values())
    target, number = found["64 connections: requests a second, of Triton's"]
    assert number == (pytest.approx(RATES["service"] / RATES["triton"]), "triton")
    assert not target.holds(number[0])
    assert target.holds(3)
    target, (share, _) = found["64 connections: p99, of Triton's"]
    assert target.holds(share)
    target, (share, _) = found["overload: median of a refusal in ms"]
    assert target.holds(share)


def test_targets_of_what_was_not_measured_are_open(run):
    """A partial run leaves targets open instead of failing."""
    assert not any(number for _, number in _found({**run, "points": [], "overload": None}).values())


def test_page_shows_every_number_and_every_gap(run):
    """Tables, targets, overload, reasons, settings and versions are on the page."""
    text = page(run)
    for server in SERVERS.values():
        assert server.settings in text
    assert "| q4, 64 connections, 1 row, json | 7,000 (1.0, 1.3)" in text
    assert "- mlserver: it does not speak / binary (q4, 4 connections, 1,024 rows, binary; q10" in text
    assert "| two instances | 200 (2.00) | 200 (2.00) |" in text
    assert "| overload: goodput, of the capacity | at least 0.9 | 0.95 | service | yes |" in text
    assert "| refusals: p99, ms | - |" in text


def test_page_of_a_part_shows_that_part(run):
    """Without races, overload or scaling their sections are left out."""
    text = page({**run, "points": [], "overload": None, "scaling": []})
    assert "## Overload" not in text
    assert "## More processes" not in text
    assert "not measured" in text


def test_report_writes_page_and_figures(run, tmp_path):
    """The report finds the results by their name, and lists the page with the others."""
    (tmp_path / "serving.json").write_text(json.dumps(run))
    assert report(["serving"], tmp_path, tmp_path / "pages") == [tmp_path / "pages" / "serving.md"]
    assert {path.name for path in (tmp_path / "pages").iterdir()} == {
        "README.md",
        "serving.md",
        "serving.png",
        "serving.svg",
    }
    assert "- [Serving](serving.md)" in (tmp_path / "pages" / "README.md").read_text()
