"""X-Request-Timeout-Ms: what a client does not wait for is neither answered late nor computed."""

import contextlib
import shutil
import signal
import socket
import time

import httpx
import processes
import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.errors import InvalidHeader
from service.front.http.deadlines import timeout_s_of

EXAMPLES = {"examples": [{"theta": 0.25}]}
TENSOR = {"name": "x", "shape": [1, 4], "datatype": "FP32", "data": [0, 0, 0, 1]}
ENDPOINTS = {
    "predict": ("/v1/models/affine:predict", {"instances": [[0, 0, 0, 1]]}),
    "infer": ("/v2/models/affine/infer", {"inputs": [TENSOR]}),
    "classify": ("/v1/models/scoring:classify", {"signature_name": "classify", **EXAMPLES}),
    "regress": ("/v1/models/scoring:regress", {"signature_name": "regress", **EXAMPLES}),
}
WRONG = ["0", "-1", "1.5", "", "1e3", "soon", "0x10", "1" * 20, "+5", "٣"]


@pytest.fixture
def deadlines(savedmodels, tmp_path):
    """A server of two models that takes one request for each call, and lets requests wait for four seconds at most."""
    for name in ("affine", "scoring"):
        shutil.copytree(savedmodels / name, tmp_path / name)
    with processes.Server(tmp_path, "--batch-max-rows", "1", "--request-timeout-s", "4") as server:
        server.wait_until("/readyz")
        yield server


@contextlib.contextmanager
def stopped(server):
    """The workers compute nothing in this block."""
    workers = processes.workers(server.process.pid)
    for worker in workers:
        processes.send(worker, signal.SIGSTOP)
    try:
        yield
    finally:
        for worker in workers:
            processes.send(worker, signal.SIGCONT)


def ask(server, name, timeout_ms, **more):
    """An answer, and the seconds that it took."""
    path, body = ENDPOINTS[name]
    start = time.monotonic()
    headers = {"X-Request-Timeout-Ms": str(timeout_ms)}
    answer = httpx.post(server.url + path, json={**body, **more}, headers=headers, timeout=30)
    return answer, time.monotonic() - start


def counted(server, sample):
    """A metric's values by model, or by model, status and code."""
    families = text_string_to_metric_families(httpx.get(f"{server.url}/metrics").text)
    samples = [item for family in families for item in family.samples if item.name == sample]
    return {
        tuple(item.labels[key] for key in ("model", "status", "code") if key in item.labels): item.value
        for item in samples
    }


def test_every_way_to_ask_has_a_deadline(deadlines):
    """504 when it is over, called or waiting; of what waited nothing is computed; the version counts each once."""
    with stopped(deadlines):
        for name in [*ENDPOINTS, *ENDPOINTS]:
            answer, took_s = ask(deadlines, name, 150)
            assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded"), name
            assert answer.json()["error"] == "not answered within the 150 ms that the request gave"
            assert 0.15 <= took_s < 2
    for name in ENDPOINTS:
        assert ask(deadlines, name, 30_000)[0].status_code == 200
    assert counted(deadlines, "qlayer_rows_total") == {("affine",): 1 + 2, ("scoring",): 1 + 2}
    requests = counted(deadlines, "qlayer_requests_total")
    assert {labels: count for labels, count in requests.items() if count} == {
        **{(model, "504", "deadline_exceeded"): 4 for model in ("affine", "scoring")},
        **{(model, "200", "ok"): 2 for model in ("affine", "scoring")},
    }


def test_the_smallest_of_all_limits_counts(deadlines):
    """A longer time than the server's changes nothing, and the protocol's own parameter may be shorter."""
    with stopped(deadlines):
        ask(deadlines, "infer", 100)  # this one is being called: the next ones wait
        answer, took_s = ask(deadlines, "infer", 3000, parameters={"timeout": 200_000})
        assert (answer.status_code, took_s < 2) == (504, True)
        answer, took_s = ask(deadlines, "infer", 200, parameters={"timeout": 3_000_000})
        assert (answer.status_code, took_s < 2) == (504, True)
        answer, took_s = ask(deadlines, "predict", 60_000)
        assert (answer.status_code, 4 <= took_s < 8) == (504, True)
        assert answer.json()["error"].startswith("not computed in time")


def test_a_body_that_comes_too_late_is_no_exception(deadlines):
    """The time runs from the head on."""
    head = (
        b"POST /v1/models/affine:predict HTTP/1.1\r\nHost: x\r\nX-Request-Timeout-Ms: 200\r\nContent-Length: 9\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", deadlines.port), timeout=10) as connection:
        connection.sendall(head)
        assert connection.recv(4096).startswith(b"HTTP/1.1 504")


def test_what_is_over_in_time_is_not_touched(client):
    """A connection whose requests are answered in time goes on beyond their deadlines."""
    path, body = ENDPOINTS["predict"]
    for _ in range(3):
        assert client.post(path, json=body, headers={"X-Request-Timeout-Ms": "2000"}).status_code == 200
    time.sleep(2.1)
    assert client.post(path, json=body).status_code == 200


@pytest.mark.parametrize("name", ENDPOINTS)
def test_a_time_that_is_none_is_refused(client, name):
    """400 before anything is computed, with what was found."""
    path, body = ENDPOINTS[name]
    answer = client.post(path, json=body, headers={"X-Request-Timeout-Ms": "-5"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_header")
    assert answer.json()["error"] == (
        "X-Request-Timeout-Ms: a whole number of milliseconds, 1 or more, was expected, found '-5'"
    )


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_time(text):
    """Zero, signs, fractions, words, and more digits than a number has."""
    with pytest.raises(InvalidHeader, match="a whole number of milliseconds"):
        timeout_s_of(text.encode())


@pytest.mark.parametrize(("text", "seconds"), [("1", 0.001), ("250", 0.25), (str(10**15 - 1), (10**15 - 1) / 1000)])
def test_times(text, seconds):
    """Milliseconds become seconds."""
    assert timeout_s_of(text.encode()) == seconds
