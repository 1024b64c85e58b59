"""Answers that are too large for the front to hold, behind a real server."""

import shutil

import httpx
import processes

URL = "/v1/models/identity:predict"


def rows(count):
    """Rows of a thousand floats: 4 kB each in the answer of the worker."""
    return {"signature_name": "rows", "instances": [[0.5] * 1000] * count}


def test_what_is_too_large_is_refused_and_nobody_else_is_hurt(savedmodels, tmp_path):
    """With its size and the limit; the worker goes on."""
    shutil.copytree(savedmodels / "identity", tmp_path / "identity")
    with processes.Server(tmp_path, "--answer-max-mb", "1") as server:
        server.wait_until("/readyz")
        [worker] = processes.workers(server.process.pid)
        refused = httpx.post(server.url + URL, json=rows(300), timeout=30)
        assert (refused.status_code, refused.json()["code"]) == (400, "model_failed")
        assert "the outputs have 1200000 bytes, at most 1 MiB are taken: send fewer rows" in refused.json()["error"]
        answer = httpx.post(server.url + URL, json=rows(200), timeout=30)
        assert (answer.status_code, len(answer.json()["predictions"])) == (200, 200)
        assert processes.workers(server.process.pid) == [worker]
