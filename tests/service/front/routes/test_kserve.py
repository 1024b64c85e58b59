"""Inference by KServe's own client, unmodified, in an environment of its own: see `make test-kserve`."""

import json
import os
import subprocess
from pathlib import Path

import pytest

PYTHON = os.environ.get("KSERVE_PYTHON")
EXPECTED = {"id": "seven", "model": "affine", "y": [[40.5, 49.5], [6.5, 6.5]]}


@pytest.mark.skipif(PYTHON is None, reason="KSERVE_PYTHON names no interpreter that has kserve: make test-kserve")
def test_everything_the_client_can_ask(server):
    """Health, readiness, inference with bytes and JSON in and out, strings, an error's text, and the older protocol."""
    script = Path(__file__).with_name("kserve_client.py")
    done = subprocess.run([PYTHON, script, server.url], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["live"] == [True, True]
    assert report["ready"] is True
    assert report["models"] == {"affine": [True, True], "broken": [False, False]}
    assert report["inferred"] == [EXPECTED] * 4
    assert report["words"] == {"upper": ["A", "LONG"], "is_long": [False, True]}
    assert report["predicted"] == {"predictions": [[6.5, 6.5]]}
    assert "expected 1 inputs but got 0 inputs for model 'affine'" in report["refused"]
