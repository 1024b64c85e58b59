"""The table of bad requests: whatever is sent, the answer has its status, its code and a text that helps; never a 500.

Protocol paths follow TensorFlow Serving where clients can notice: NaN and infinities are values, unknown keys are
ignored, and a text behind the document does not matter.
"""

import functools
import gzip
import json
import shutil
import signal
import threading
import time

import httpx
import hypothesis
import processes
import pytest
import standing
from hypothesis import strategies

AFFINE = "/v1/models/affine:predict"
ZOO = "/v1/models/zoo:predict"
OWN = "/v1/models/affine:shape"


def _rows(text):
    return b'{"instances": %s}' % text.encode()


def _signature(name, text):
    return b'{"signature_name": "%s", "instances": %s}' % (name.encode(), text.encode())


TABLE = [
    ("63 empty", AFFINE, b"", 400, "invalid_json"),
    ("63 truncated", AFFINE, b'{"instances": [[1, 2', 400, "invalid_json"),
    ("63 not an object", AFFINE, b"[1, 2]", 400, "invalid_json"),
    ("63 a number", AFFINE, b"1", 400, "invalid_json"),
    ("63 own, empty", OWN, b"", 400, "invalid_json"),
    ("63 own, not an object", OWN, b"[1]", 400, "invalid_json"),
    ("63 own, trailing", OWN, b'{"input_shape": [1, 4]} x', 400, "invalid_json"),
    ("63 own, a bare token", OWN, b'{"input_shape": [NaN, 4]}', 400, "invalid_json"),
    ("63 own, unknown key", OWN, b'{"input_shape": [1, 4], "instances": []}', 400, "invalid_request"),
    ("64 500,000 brackets", AFFINE, b"[" * 500_000, 400, "invalid_json"),
    ("64 500,000 brackets inside", AFFINE, _rows("[" * 500_000), 400, "invalid_json"),
    ("64 1,000 brackets, closed", AFFINE, _rows("[" * 1000 + "]" * 1000), 400, None),
    ("64 500,000 objects", AFFINE, b'{"a":' * 500_000, 400, "invalid_json"),
    ("64 own", OWN, b'{"inputs":' + b"[" * 50_000, 400, "invalid_json"),
    ("64 own, 500,000", OWN, b'{"inputs":' + b"[" * 500_000, 413, "payload_too_large"),
    ("65 5,000 digits", AFFINE, _rows("[[0, 0, 0, 1" + "0" * 5000 + "]]"), 400, None),
    ("65 5,000 digits for an integer", ZOO, _signature("integers", "[1" + "0" * 5000 + "]"), 400, None),
    ("66 UTF-16", AFFINE, '{"instances": [[1, 2, 3, 4]]}'.encode("utf-16"), 400, "invalid_json"),
    ("66 bad UTF-8", AFFINE, b'{"instances": ["\xff\xfe"]}', 400, "invalid_json"),
    ("67 null", AFFINE, _rows("[[1, 2, 3, null]]"), 400, "invalid_value"),
    ("67 true", AFFINE, _rows("[[1, 2, 3, true]]"), 400, "invalid_value"),
    ("67 text", AFFINE, _rows('[[1, 2, 3, "1.5"]]'), 400, "invalid_value"),
    ("67 object", AFFINE, _rows("[[1, 2, 3, {}]]"), 400, None),
    ("68 ragged", AFFINE, _rows("[[1, 2], [3]]"), 400, "invalid_shape"),
    ("68 rank", AFFINE, _rows("[1, 2, 3, 4]"), 400, "invalid_shape"),
    ("68 features", AFFINE, _rows("[[1, 2, 3]]"), 400, "invalid_shape"),
    ("68 no rows", AFFINE, _rows("[]"), 400, "invalid_shape"),
    ("68 too many rows", AFFINE, _rows("[" + "[0,0,0,0]," * 20_000 + "[0,0,0,0]]"), 413, "payload_too_large"),
    ("68 fraction for an integer", ZOO, _signature("integers", "[3.7]"), 400, "invalid_value"),
    ("68 beyond 64 bits", ZOO, _signature("integers", "[9223372036854775808]"), 400, "invalid_value"),
    ("69 both keys", AFFINE, b'{"instances": [1], "inputs": [1]}', 400, "invalid_request"),
    ("69 missing input", ZOO, b'{"signature_name": "pair", "inputs": {"a": [[1, 2]]}}', 400, "invalid_request"),
    ("69 unknown signature", AFFINE, b'{"signature_name": "x", "instances": [1]}', 400, "signature_not_found"),
    ("70 too long", AFFINE, b" " * (16 * 1024 * 1024 + 1), 413, "payload_too_large"),
    ("70 too long once inflated", AFFINE, "bomb", 413, "payload_too_large"),
    ("70 too long in chunks", AFFINE, "chunks", 413, "payload_too_large"),
    ("71 unknown model", "/v1/models/nobody:predict", _rows("[1]"), 404, "model_not_found"),
    ("71 unknown version", "/v1/models/affine/versions/9:predict", _rows("[1]"), 404, "model_not_found"),
    ("71 cannot be loaded", "/v1/models/broken:predict", _rows("[1]"), 503, "model_unavailable"),
]
"""Number of the row and what is wrong, path, body, status, code (None where it depends on which check comes first)."""

_MADE = {
    "bomb": lambda: (gzip.compress(b" " * (17 * 1024 * 1024)), {"content-encoding": "gzip"}),
    "chunks": lambda: (iter([b" " * (1024 * 1024)] * 17), {}),
}


@pytest.mark.parametrize(("path", "sent", "status", "code"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
@pytest.mark.usefixtures("unharmed")
def test_bad_requests_are_the_callers_to_mend(server, path, sent, status, code):
    """The status and code of the table, an error document that tells nothing, and a server that stands as before."""
    body, headers = _MADE[sent]() if isinstance(sent, str) else (sent, {})
    answer = httpx.post(server.url + path, content=body, headers=headers, timeout=60)
    document = answer.json()
    assert answer.status_code == status
    assert code in {None, document["code"]}
    assert isinstance(document["error"], str)
    assert document["request_id"] == answer.headers["x-request-id"]
    standing.check_silent(answer.text)
    assert ("retry-after" in answer.headers) == (status in {429, 503})


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_65_special_numbers_are_values_on_protocol_paths(server, value):
    """TensorFlow Serving takes them, so they are computed with, not refused."""
    answer = httpx.post(server.url + AFFINE, content=_rows(f"[[0, 0, 0, {value}]]"))
    assert answer.status_code in {200, 400}
    assert answer.status_code == 200 or value == "1e400"


def test_66_odd_text_is_no_accident(server):
    """A document behind a UTF-8 mark, or half a surrogate pair: answered or refused, but no failure of the server."""
    assert httpx.post(server.url + AFFINE, content=b"\xef\xbb\xbf" + _rows("[[0, 0, 0, 0]]")).status_code in {200, 400}
    assert httpx.post(server.url + ZOO, content=_signature("strings", '["\\ud800"]')).status_code in {200, 400}


def test_73_rate_limit_and_deadline(savedmodels, tmp_path):
    """Each key has so many requests, then 429 with when to come again; what waits too long is 504."""
    shutil.copytree(savedmodels / "slow", tmp_path / "slow")
    flags = ("--rate-limit-per-s", "5", "--request-timeout-s", "0.2", "--batch-max-rows", "1")
    with processes.Server(tmp_path, *flags) as server:
        server.wait_until("/readyz")
        ask = functools.partial(httpx.post, f"{server.url}/v1/models/slow:predict", timeout=60)
        running = threading.Thread(target=ask, kwargs={"json": {"instances": [2000]}})
        running.start()
        time.sleep(0.3)
        late = ask(json={"instances": [1]})
        assert (late.status_code, late.json()["code"]) == (504, "deadline_exceeded")
        running.join()
        answers = [httpx.get(f"{server.url}/v1/models") for _ in range(10)]
        limited = [answer for answer in answers if answer.status_code == 429]
        assert limited
        assert {(answer.json()["code"], answer.headers["retry-after"]) for answer in limited} == {("rate_limited", "1")}
        key = {"Authorization": f"Bearer {processes.MANAGE_KEY}"}
        assert httpx.get(f"{server.url}/v1/models", headers=key).status_code == 200
        watched = ("/livez", "/readyz", "/metrics", "/v2/health/ready", "/v2/models/slow/ready")
        assert {httpx.get(server.url + path).status_code for path in watched for _ in range(10)} == {200}


def test_77_a_killed_worker_is_answered_for_and_replaced(savedmodels, tmp_path):
    """The request in its hands is 503 with Retry-After at worst, and the next ones are answered again."""
    shutil.copytree(savedmodels / "affine", tmp_path / "affine")
    with processes.Server(tmp_path) as server:
        server.wait_until("/readyz")
        [worker] = processes.workers(server.process.pid)
        processes.send(worker, signal.SIGKILL)
        answers = []

        def ask():
            answers.append(httpx.post(server.url + AFFINE, json={"instances": [[0, 0, 0, 0]]}, timeout=30))
            return answers[-1].status_code == 200

        processes.wait_for(ask)
        for lost in answers[:-1]:
            assert (lost.status_code, "retry-after" in lost.headers) == (503, True)


_PARTS = [
    "v1",
    "v2",
    "models",
    "affine",
    "zoo",
    ":predict",
    ":shape",
    "versions",
    "1",
    "labels",
    "metadata",
    "docs",
    "livez",
]
_ODD_PARTS = ["..", "%00", "%ff", "é", "a b", "?", "&key", "%2e%2e", "9" * 30, "~", ";x"]
_KEYS = strategies.sampled_from(["instances", "inputs", "signature_name", "x"])
_HEADERS = ["authorization", "content-encoding", "content-type", "x-request-id", "accept", "origin", "range", "expect"]
_VALUES = ["", "gzip", "Bearer x", "Basic !!!", "*/*", "bytes=0-1", "100-continue", "\x80", "a" * 500]
_DOCUMENTS = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.text(max_size=5),
    lambda inner: strategies.lists(inner, max_size=4) | strategies.dictionaries(_KEYS, inner, max_size=3),
)


@pytest.mark.usefixtures("unharmed")
@hypothesis.settings(max_examples=300, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(
    method=strategies.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"]),
    path=strategies.lists(strategies.sampled_from(_PARTS + _ODD_PARTS), max_size=7),
    body=strategies.binary(max_size=200) | _DOCUMENTS.map(lambda value: json.dumps(value).encode()),
    headers=strategies.dictionaries(strategies.sampled_from(_HEADERS), strategies.sampled_from(_VALUES), max_size=3),
)
def test_no_request_is_a_failure_of_the_server(server, method, path, body, headers):
    """Random methods, paths, bodies and headers are answered below 500, or with a documented 501 or 503."""
    url = httpx.URL(server.url).copy_with(raw_path=("/" + "/".join(path).replace("/:", ":")).encode("ascii", "ignore"))
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = httpx.request(method, url, content=body, headers=raw, timeout=20)
    assert answer.status_code < 500 or answer.status_code in {501, 503}
    if answer.status_code >= 400 and method != "HEAD":
        assert {"error", "code"} <= set(answer.json())
        standing.check_silent(answer.json()["error"])
