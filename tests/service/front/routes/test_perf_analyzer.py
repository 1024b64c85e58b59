"""Load by Triton's perf_analyzer, unmodified, in an environment of its own: see `make test-perf-analyzer`."""

import json
import os
import re
import subprocess

import pytest

PROGRAM = os.environ.get("PERF_ANALYZER")
MEASURED = ("--measurement-mode", "count_windows", "--measurement-request-count", "50", "-s", "99", "-r", "3")
BY_JSON = ("--input-tensor-format", "json", "--output-tensor-format", "json")

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="PERF_ANALYZER names no such program: make test-perf-analyzer")


@pytest.fixture
def measure(server, tmp_path):
    """What the program says of some load, which is one row again and again if the right answer is to be looked for."""

    def run(*options, expected=None):
        command = [PROGRAM, "-m", "affine", "-u", server.url.removeprefix("http://"), *MEASURED, *options]
        if expected is not None:
            data = {"data": [{"x": [0.0, 0.0, 0.0, 1.0]}], "validation_data": [{"y": expected}]}
            (tmp_path / "data.json").write_text(json.dumps(data))
            command += ["--input-data", tmp_path / "data.json"]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)

    return run


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--sync",), [6.5, 6.5]),
        (("--async", "--concurrency-range", "16"), [6.5, 6.5]),
        (BY_JSON, [6.5, 6.5]),
        (("--request-rate-range", "100"), [6.5, 6.5]),
        (("--concurrency-range", "4", "-b", "8"), None),  # it compares single rows only
    ],
)
def test_it_measures_the_service_and_finds_each_answer_right(measure, options, expected):
    """One after another and many at once, in bytes and in JSON, at a rate and in batches; its counts are ours."""
    done = measure(*options, expected=expected)
    assert done.returncode == 0, done.stdout + done.stderr
    [asked] = re.findall(r"Request count: (\d+)", done.stdout)
    [answered] = re.findall(r"Successful request count: (\d+)", done.stdout)
    assert int(asked) >= 50
    assert int(answered) == pytest.approx(int(asked), rel=0.5)  # some are under way when a window begins or ends


def test_it_would_see_a_wrong_answer(measure):
    """Where other numbers are expected it says so."""
    done = measure(expected=[6.5, 6.25])
    assert done.returncode != 0
    assert "Output doesn't match expected output" in done.stderr
