"""What holds for every request and every reply."""

import asyncio
import json
import re

import httpx
import processes
import pytest

from service.front.requests import Requests

AFFINE = "/v1/models/affine:predict"
EVERYWHERE = [
    ("GET", "/livez", 200),
    ("GET", "/readyz", 200),
    ("GET", "/", 200),
    ("GET", "/docs", 200),
    ("GET", "/openapi.json", 200),
    ("GET", "/v1/models", 200),
    ("POST", AFFINE, 400),
    ("GET", AFFINE, 400),
    ("GET", "/v1/nothing", 400),
    ("POST", "/v1/models/nobody:predict", 404),
    ("GET", "/nowhere", 404),
    ("DELETE", "/livez", 405),
    ("PUT", "/v1/models/m/versions/1", 401),
    ("GET", "/livez?key=x", 400),
]
PAGE = "https://console.example"


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A server whose operator lets pages of one origin ask."""
    with processes.Server(tmp_path_factory.mktemp("cors"), "--cors-origins", f"{PAGE}, https://b.example/") as server:
        server.wait_until("/readyz")
        with httpx.Client(base_url=server.url) as client:
            yield client


@pytest.mark.parametrize(("method", "path", "status"), EVERYWHERE)
def test_every_reply_has_the_clients_id_and_the_security_headers(server, method, path, status):
    """A usable X-Request-ID comes back, on the hot path and on errors too, beside the security headers."""
    answer = httpx.request(method, server.url + path, headers={"X-Request-ID": "trace-1.a_B"})
    assert answer.status_code == status
    assert answer.headers["x-request-id"] == "trace-1.a_B"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers
    if status >= 400:
        assert answer.json()["request_id"] == "trace-1.a_B"
    if "text/html" in answer.headers["content-type"]:
        assert answer.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("given", ["", "a" * 65, "a b", "a/b", "é".encode(), "a\tb"])
def test_an_unusable_id_is_replaced(server, given):
    """What could write into a log what it should not is not taken over."""
    answer = httpx.get(f"{server.url}/livez", headers={b"X-Request-ID": given})
    assert re.fullmatch("[0-9a-f]{12}-[0-9a-f]+", answer.headers["x-request-id"])


def test_ids_are_unique(server):
    """Requests without an id get one each."""
    with httpx.Client(base_url=server.url) as client:
        ids = [client.get("/livez").headers["x-request-id"] for _ in range(50)]
    assert len(set(ids)) == 50


def test_pages_of_other_origins_may_not_ask_unless_the_operator_says_so(server):
    """Without the setting no reply has a header of CORS, neither to a request nor to a preflight."""
    for method in ("GET", "OPTIONS"):
        answer = httpx.request(method, f"{server.url}/v1/models", headers={"Origin": PAGE})
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_pages_of_the_operators_origins_may_ask(shared):
    """Preflight and request carry the origin; errors do too, so that pages can read them; cookies are never allowed."""
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    preflight = shared.options(AFFINE, headers=asked)
    assert preflight.status_code == 200
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert "Authorization" in preflight.headers["access-control-allow-headers"]
    for answer in (preflight, shared.get("/v1/models", headers=asked), shared.post(AFFINE, headers=asked)):
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert answer.headers["vary"] == "Origin"
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    ("origin", "status"),
    [("https://evil.example", 403), ("null", 400), (None, 400), ("https://console.example.evil", 403)],
)
def test_other_origins_get_nothing(shared, origin, status):
    """A preflight without an origin is 400 as in TensorFlow Serving, of another 403; replies do not name them."""
    headers = {"Origin": origin} if origin else {}
    assert shared.options(AFFINE, headers=headers).status_code == status
    assert "access-control-allow-origin" not in shared.get("/v1/models", headers=headers).headers


def test_all_origins(tmp_path):
    """A star is for every page, as TensorFlow Serving answers when its CORS is on."""
    with processes.Server(tmp_path, "--cors-origins", "*") as server:
        server.wait_until("/readyz")
        answer = httpx.options(server.url + AFFINE, headers={"Origin": "http://anywhere"})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")


def test_a_failure_below_is_an_error_document(tmp_path):
    """An application that raises before it replies is answered 500 in our form, without what it said."""

    async def failing(scope, receive, send):
        raise RuntimeError("/secret/path")

    [start, body] = asyncio.run(_collect(failing, tmp_path))
    assert (start["status"], json.loads(body["body"])["code"]) == (500, "internal")
    assert b"secret" not in body["body"]


async def _collect(app, folder):
    """What a request of /livez to an application below Requests is sent."""
    from service.front.server import create_context
    from service.settings import Settings

    sent = []

    async def send(message):
        sent.append(message)

    context = create_context(Settings(models=folder, manage_key="a key"))
    scope = {"type": "http", "method": "GET", "path": "/livez", "query_string": b"", "headers": []}
    await Requests(app, context, ())(scope, None, send)
    return sent
