"""The loads: wrk's closed loop as it is read, and our open loop against a server of sockets."""

import http.server
import queue
import threading
import time

import numpy as np
import pytest

from benchmarks.serving import overload, wrk
from benchmarks.serving.openloop import Sent, run_open_loop, status_of
from benchmarks.serving.protocols import Request

REQUESTS = [Request({"content-type": "application/json"}, b"[%d]" % i) for i in range(3)]
PAUSE_S = 0.3


def test_output_of_wrk_becomes_rates():
    """Refusals are counted apart from answers, and times become milliseconds."""
    output = (
        "Running 1s test\n"
        '{"requests": 300, "duration_us": 2000000, "p50_us": 1500, "p99_us": 9000, "longest_us": 10000, '
        '"refused": 100, "failed": 2}\n'
    )
    assert wrk.load_of(output) == wrk.Load(answers_per_s=100, refusals_per_s=50, p50_ms=1.5, p99_ms=9, failed=2)


def test_missing_wrk_is_explained(monkeypatch):
    """Without wrk the error says how to get it."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(wrk.WrkError, match="apt-get install wrk"):
        wrk.run_wrk("http://127.0.0.1:1/", REQUESTS, connections=1, seconds=1)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200),
        (b"HTTP/1.1 429 Too Many\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n", 429),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh", 0),
        (b"HTTP/1.1 200 OK\r\nContent-Le", 0),
    ],
)
def test_status_is_told_when_the_answer_is_whole(answer, status):
    """An answer's status is known once its last byte is there."""
    assert status_of(answer) == status


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers every other request with 200, after a pause, and the rest with 429, at once."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer leaves in one piece

    def do_POST(self):
        """Answer."""
        self.server.bodies.append(self.rfile.read(int(self.headers["content-length"])))
        is_accepted = self.server.turns.get()
        if is_accepted:
            time.sleep(PAUSE_S)
        self.send_response(200 if is_accepted else 429)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def server():
    """A server of the standard library, with a thread for each connection."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.bodies, server.turns = [], queue.SimpleQueue()
        for i in range(200):
            server.turns.put(i % 2 == 0)
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_open_loop_sends_at_its_rate_and_does_not_wait_for_answers(server):
    """Slow answers do not slow the sending down, every request is accounted for, and bodies are used in turn."""
    sent = run_open_loop(server.server_port, "/predict", REQUESTS, rate=200, seconds=1)
    assert len(sent) == len(server.bodies) == 200
    assert sorted(request.status for request in sent) == [200] * 100 + [429] * 100
    assert set(server.bodies) == {request.body for request in REQUESTS}
    assert min(request.latency_s for request in sent if request.status == 200) >= PAUSE_S
    assert max(request.due_s for request in sent) < 2
    assert all(request.latency_s >= request.late_s > -0.002 for request in sent)


def test_open_loop_tells_of_requests_without_an_answer():
    """Nobody listening is status 0, not a latency."""
    sent = run_open_loop(1, "/predict", REQUESTS, rate=100, seconds=0.1)
    assert {request.status for request in sent} == {0}
    assert all(np.isnan(request.latency_s) for request in sent)


def test_summary_of_an_overload_counts_each_fate():
    """Goodput, refusals and the rest are told apart, and rates are over the time until the last answer."""
    sent = [
        *(Sent(i / 100, 0, 0.5, 200) for i in range(100)),
        *(Sent(i / 100, 0.001, 0.002, 429) for i in range(300)),
        Sent(0.5, 0, float("nan"), 0),
    ]
    seen = overload.summarize(sent, capacity=100, seconds=1)
    assert seen["offered_per_s"] == 401
    assert seen["goodput_per_s"] == pytest.approx(100 / 1.49)
    assert (seen["refused"], seen["others"]) == (300, 1)
    assert seen["refusal_p50_ms"] == pytest.approx(2)
    assert seen["accepted_p99_ms"] == pytest.approx(500)
    assert seen["bound_ms"] == pytest.approx((overload.QUEUE_ROWS + 1) * 10)
    assert overload.summarize([], capacity=100, seconds=1)["refusal_p50_ms"] is None
