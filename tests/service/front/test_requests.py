"""What holds for every request and every reply."""

import asyncio
import json
import re

import httpx
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
