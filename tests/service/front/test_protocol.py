"""HTTP as it comes over the wire: what is not HTTP, what is too much, and who is too slow."""

import contextlib
import itertools
import re
import shutil
import socket
import threading
import time
from pathlib import Path

import httpx
import processes
import pytest
import standing

HEADER_TIMEOUT_S = 2
BODY_TIMEOUT_S = 3
PATIENCE_S = 8  # of the looks at all connections, and of a busy machine

_POST = b"POST /v1/models/m:predict HTTP/1.1\r\nHost: x\r\n"
_GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n"
_CHUNKED = _POST + b"Transfer-Encoding: chunked\r\n\r\n"
_UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"

REFUSED = [
    ("negative length", _POST + b"Content-Length: -5\r\n\r\nhello", 400, "bad_http"),
    ("signed length", _POST + b"Content-Length: +5\r\n\r\nhello", 400, "bad_http"),
    ("two lengths", _POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400, "bad_http"),
    ("a list of lengths", _POST + b"Content-Length: 5, 5\r\n\r\nhello", 400, "bad_http"),
    ("length beyond 64 bits", _POST + b"Content-Length: 99999999999999999999999\r\n\r\n", 400, "bad_http"),
    (
        "length, then chunked",
        _POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
        "bad_http",
    ),
    (
        "chunked, then length",
        _POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        400,
        "bad_http",
    ),
    ("coding that is not chunked last", _POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n", 400, "bad_http"),
    ("unknown coding", _POST + b"Transfer-Encoding: identity\r\n\r\n", 400, "bad_http"),
    ("chunk size", _CHUNKED + b"zz\r\nhello\r\n", 400, "bad_http"),
    ("negative chunk size", _CHUNKED + b"-1\r\nhello\r\n", 400, "bad_http"),
    ("chunk size beyond 64 bits", _CHUNKED + b"fffffffffffffffff\r\nhello\r\n", 400, "bad_http"),
    ("no host", b"GET /livez HTTP/1.1\r\n\r\n", 400, "bad_http"),
    ("two hosts", b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "bad_http"),
    ("TLS", bytes.fromhex("16030100c8010000c40303") + bytes(190), 400, "bad_http"),
    ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "bad_http"),
    ("HTTP/9.9", b"GET /livez HTTP/9.9\r\nHost: x\r\n\r\n", 400, "bad_http"),
    ("unknown method", b"FLY /livez HTTP/1.1\r\nHost: x\r\n\r\n", 400, "bad_http"),
    ("proxying", b"CONNECT a:80 HTTP/1.1\r\nHost: x\r\n\r\n", 400, "bad_http"),
    ("path without slash", b"GET livez HTTP/1.1\r\nHost: x\r\n\r\n", 400, "bad_http"),
    ("path in bytes", b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n", 400, "bad_http"),
    ("garbage", b"\x00\x01\x02garbage\r\n\r\n", 400, "bad_http"),
    ("folded header", _GET + b"X-Request-ID: a\r\n b\r\n\r\n", 400, "bad_http"),
    ("line feed in a header", _GET + b"X-Request-ID: a\nEvil: b\r\n\r\n", 400, "bad_http"),
    ("carriage return in a header", _GET + b"X-Request-ID: a\rEvil: b\r\n\r\n", 400, "bad_http"),
    ("nul in a header", _GET + b"X-Request-ID: a\x00b\r\n\r\n", 400, "bad_http"),
    ("space before a colon", b"GET /livez HTTP/1.1\r\nHost : x\r\n\r\n", 400, "bad_http"),
    ("long header", _GET + b"X: " + b"a" * 40_000 + b"\r\n\r\n", 431, "headers_too_large"),
    ("header of 1 MB", _GET + b"X: " + b"a" * 1_000_000 + b"\r\n\r\n", 431, "headers_too_large"),
    ("2,000 headers", _GET + b"X: a\r\n" * 2000 + b"\r\n", 431, "headers_too_large"),
    ("100,000 trailers", _CHUNKED + b"1\r\n{\r\n0\r\n" + b"X: a\r\n" * 100_000 + b"\r\n", 431, "headers_too_large"),
    ("trailer of 3 MB", _CHUNKED + b"1\r\n{\r\n0\r\nX: " + b"a" * 3_000_000 + b"\r\n\r\n", 431, "headers_too_large"),
    ("chunk extension of 3 MB", _CHUNKED + b"1;" + b"a" * 3_000_000 + b"\r\n{\r\n", 431, "headers_too_large"),
    ("line ends without end", b"\r\n" * 500_000, 431, "headers_too_large"),
    ("long URL", b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "url_too_long"),
    ("URL of 1 MB", b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "url_too_long"),
]


@pytest.fixture(scope="module")
def wire(savedmodels, tmp_path_factory):
    """A server of one model, with short deadlines."""
    flags = (
        "--header-timeout-s",
        str(HEADER_TIMEOUT_S),
        "--body-timeout-s",
        str(BODY_TIMEOUT_S),
        "--idle-timeout-s",
        "4",
    )
    models = tmp_path_factory.mktemp("wire")
    shutil.copytree(savedmodels / "affine", models / "control")
    with processes.Server(models, *flags) as server:
        server.wait_until("/readyz")
        server.models = models
        yield server


@pytest.fixture
def untouched(wire):
    """After the test the server must stand as before."""
    with httpx.Client(base_url=wire.url) as client, standing.unharmed(client, wire.models, "control"):
        yield


@contextlib.contextmanager
def _connections(port, count, sent=b""):
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30)) for _ in range(count)]
        for connection in made:
            connection.sendall(sent)
        yield made


def _memory(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) * 1024


def _descriptors(pid):
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@pytest.mark.parametrize(("sent", "status", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
@pytest.mark.usefixtures("untouched")
def test_what_is_not_acceptable_http_is_refused_in_our_form(wire, sent, status, code):
    """Each has its status and our error document, is the last of its connection, and harms nobody else."""
    answer = processes.exchange(wire.port, sent)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b'"code":"%s"' % code.encode() in body
    assert b"connection: close" in head
    standing.check_silent(body.decode())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("HEAD", "/livez", 200),
        ("HEAD", "/v1/models", 200),
        ("HEAD", "/v1/models/m:predict", 400),
        ("DELETE", "/livez", 405),
        ("OPTIONS", "/v1/models", 400),
        ("TRACE", "/livez", 405),
        ("GET", "/livez/", 404),
        ("GET", "//livez", 404),
        ("GET", "/%00", 404),
        ("GET", "/v1/models/a%2f..%2f..%2fetc", 400),
        ("GET", "/v1/models/..%00", 404),
    ],
)
def test_methods_and_paths(wire, method, path, status):
    """HEAD is answered where GET is; others are 405 and 404, below /v1 400 as TensorFlow Serving says it."""
    answer = httpx.request(method, wire.url + path)
    assert answer.status_code == status
    assert ("allow" in answer.headers) == (status == 405)
    assert (answer.content == b"") == (method == "HEAD")


def test_a_body_where_none_is_expected_does_not_become_a_request(wire):
    """What follows a GET with a body is read from behind the body."""
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    first = _GET + b"Content-Length: %d\r\n\r\n" % len(smuggled) + smuggled
    answer = processes.exchange(wire.port, first + _GET + b"Connection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200 OK") == answer.count(b"HTTP/1.1 ") == 2


@pytest.mark.parametrize("second", [_GET, _GET + _UPGRADE])
def test_a_wish_for_http_2_is_answered_as_http_1(server, second):
    """Java's client asks to upgrade to h2c: its body is read all the same, and so is what comes behind it."""
    body = b'{"instances":[[0,0,0,0]]}'
    for length in (
        b"Content-Length: 25\r\n\r\n" + body,
        b"Transfer-Encoding: chunked\r\n\r\n19\r\n" + body + b"\r\n0\r\n\r\n",
    ):
        post = _POST.replace(b"/m:", b"/affine:") + _UPGRADE + length
        last = _GET + b"Connection: close\r\n\r\n"
        answer = processes.exchange(server.port, post + second + b"\r\n" + last)
        assert answer.count(b"HTTP/1.1 200 OK") == answer.count(b"HTTP/1.1 ") == 3
        assert b'{"predictions":[[0.5,-0.5]]}' in answer


def test_pipelining_has_an_end(wire):
    """Some requests may be sent ahead; thousands before the first is answered end the connection."""
    assert processes.exchange(wire.port, (_GET + b"\r\n") * 20).count(b"HTTP/1.1 200 ") == 20
    assert processes.exchange(wire.port, (_GET + b"\r\n") * 2000).count(b"HTTP/1.1 200 ") < 100


def test_two_hundred_silent_sockets_and_half_heads_keep_nobody_out(wire):
    """While they are there /livez answers at once; they are closed in time, the half heads with 408."""
    with _connections(wire.port, 200) as silent, _connections(wire.port, 200, b"GET /livez HTTP/1.1\r\nX: ") as half:
        begun = time.monotonic()
        assert httpx.get(f"{wire.url}/livez", timeout=10).status_code == 200
        assert time.monotonic() - begun < HEADER_TIMEOUT_S
        assert {connection.recv(1000) for connection in silent} == {b""}
        assert all(connection.recv(1000).startswith(b"HTTP/1.1 408 ") for connection in half)
        assert time.monotonic() - begun < HEADER_TIMEOUT_S + PATIENCE_S


@pytest.mark.parametrize(
    ("sent", "status", "limit_s"),
    [
        (_POST + b"Content-Length: 50000\r\n\r\n", 408, BODY_TIMEOUT_S),
        (b"POST /v2/repository/index HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\n", 408, BODY_TIMEOUT_S),
        (b"PUT /v1/models/m/versions/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\n", 401, HEADER_TIMEOUT_S),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\n", 200, HEADER_TIMEOUT_S),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nX: ", 408, HEADER_TIMEOUT_S),
    ],
)
def test_a_trickle_is_ended_in_time(wire, sent, status, limit_s):
    """A byte now and then does not keep a connection: neither in a head, nor in a body, nor behind an early answer."""
    with _connections(wire.port, 1, sent) as [connection]:
        begun = time.monotonic()
        _trickle(connection, seconds=20)
        assert time.monotonic() - begun < limit_s + PATIENCE_S
        with contextlib.suppress(ConnectionError):
            assert connection.recv(1000).startswith(b"HTTP/1.1 %d " % status)


def _trickle(connection, seconds):
    """Send a byte ten times a second, until the connection is closed or the time is over."""
    end = time.monotonic() + seconds
    with contextlib.suppress(ConnectionError):
        while time.monotonic() < end:
            connection.sendall(b"x")
            time.sleep(0.1)


def test_idle_connections_are_closed(wire):
    """After an answer a connection may wait for a while, and is then closed."""
    begun = time.monotonic()
    assert processes.exchange(wire.port, _GET + b"\r\n").startswith(b"HTTP/1.1 200")
    assert HEADER_TIMEOUT_S < time.monotonic() - begun < 4 + PATIENCE_S


def test_a_client_that_takes_nothing_of_its_answer_is_let_go(wire):
    """A reply that nobody reads is given up after the time a body may take, and its memory with it."""
    before = _descriptors(wire.process.pid)
    asset = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n"
    with _connections(wire.port, 20, asset * 8):
        processes.wait_for(lambda: _descriptors(wire.process.pid) >= before + 20)
        processes.wait_for(lambda: _descriptors(wire.process.pid) <= before + 2, timeout_s=BODY_TIMEOUT_S + 5)


def test_a_client_that_takes_nothing_of_a_last_answer_is_let_go(wire):
    """However little the kernel does not take: what is less than a buffer stalls nothing, and closing waits for it."""
    before = _descriptors(wire.process.pid)
    with contextlib.ExitStack() as stack:
        for schemas, metrics in itertools.product(range(8, 24), (0, 6)):  # 2 to 3.5 MB, of which the kernel takes some
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", wire.port))
            paths = ["/docs/swagger-ui-bundle.js", *["/openapi.json"] * schemas, *["/metrics"] * metrics]
            asked = b"".join(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode() for path in paths)
            connection.sendall(asked + _GET + b"Connection: close\r\n\r\n")
        processes.wait_for(lambda: _descriptors(wire.process.pid) > before)
        processes.wait_for(lambda: _descriptors(wire.process.pid) <= before, timeout_s=2 * BODY_TIMEOUT_S + 5)


def test_a_hundred_thousand_chunks_of_one_byte_cost_no_memory(wire):
    """They are answered as the bytes they are, and leave nothing behind."""
    before = _memory(wire.process.pid)
    answer = processes.exchange(wire.port, _CHUNKED + b"1\r\n1\r\n" * 100_000 + b"0\r\n\r\n", until=b"}")
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert _memory(wire.process.pid) - before < 20e6


def test_a_thousand_clients_that_vanish_leave_nothing(wire):
    """Mid-head, mid-body, before the answer and mid-upload: descriptors are back at the baseline within seconds."""
    key = f"Authorization: Bearer {processes.MANAGE_KEY}\r\n".encode()
    upload = b"PUT /v1/models/m/versions/1 HTTP/1.1\r\nHost: x\r\n" + key + b"Content-Length: 50000\r\n\r\nPK"
    before = _descriptors(wire.process.pid)
    for sent in (b"GET /li", _POST + b"Content-Length: 50\r\n\r\n{", _GET + b"\r\n", upload):
        with _connections(wire.port, 250, sent):
            pass
    processes.wait_for(lambda: _descriptors(wire.process.pid) <= before + 2, timeout_s=10)
    assert httpx.get(f"{wire.url}/livez").status_code == 200


def test_too_many_connections_cost_the_idle_ones(tmp_path):
    """Beyond the limit the connection that is idle longest makes room, so that nobody can lock others out."""
    with processes.Server(tmp_path, "--connections-max", "20", "--header-timeout-s", "60") as server:
        server.wait_until("/readyz")
        with _connections(server.port, 100):
            assert httpx.get(f"{server.url}/livez", timeout=5).status_code == 200
            assert _descriptors(server.process.pid) < 60


def test_when_as_many_requests_run_as_may_health_still_answers(savedmodels, tmp_path):
    """More requests are 503 with Retry-After; health paths are always answered; when there is room again, all are."""
    (tmp_path / "slow").symlink_to(savedmodels / "slow")
    with processes.Server(tmp_path, "--requests-max", "2") as server:
        server.wait_until("/readyz")

        def run():
            url, body = f"{server.url}/v1/models/slow:predict", {"instances": [1500]}
            _first(lambda: httpx.post(url, json=body, timeout=60), 200)  # it may be the one too many itself

        running = [threading.Thread(target=run) for _ in range(2)]
        for thread in running:
            thread.start()
        answer = _first(lambda: httpx.get(f"{server.url}/v1/models"), 503)
        assert answer.json()["code"] == "overloaded"
        assert answer.headers["retry-after"] == "1"
        for path in ("/healthz", "/livez", "/readyz"):
            assert httpx.get(server.url + path).status_code == 200
        for thread in running:
            thread.join()
        assert httpx.get(f"{server.url}/v1/models").status_code == 200


def _first(ask, status):
    """The first answer with a status."""
    deadline = time.monotonic() + 10
    while (answer := ask()).status_code != status:
        assert time.monotonic() < deadline
    return answer
