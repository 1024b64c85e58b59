"""The log: what is in a line, and what is never in any."""

import json

import httpx
import processes
import pytest

from service.front.access.keys import KeyFile
from service.front.observability.logs import without_keys

SECRET_VALUE = 0.123456789


def _talk(server, secret):
    """Requests of every kind: answered, refused, with keys where they belong and where they do not."""
    key = {"Authorization": f"Bearer {secret}", "X-Request-ID": "mine"}
    with httpx.Client(base_url=server.url, timeout=30) as client:
        client.post("/v1/models/affine:predict", json={"instances": [[SECRET_VALUE, 0, 0, 0]]}, headers=key)
        client.post("/v1/models/affine:predict", json={"instances": [[str(SECRET_VALUE)]]}, headers=key)
        client.put("/v1/models/m/versions/1", content=b"x", headers={"Authorization": f"Bearer {processes.MANAGE_KEY}"})
        client.put("/v1/models/m/versions/1", content=b"x", headers={"Authorization": "Bearer a-guess"})
        client.get(f"/v1/models?key={secret}")
        client.get(f"/v1/models/{secret}", headers=key)
        client.get("/v1/models/a%0aERROR%20forged", headers=key)
    processes.exchange(server.port, f"GET /{secret} FLY\r\nAuthorization: Bearer {secret}\r\n\r\n".encode())


def _lines(savedmodels, folder, *flags):
    (folder / "affine").symlink_to(savedmodels / "affine")
    key, secret = KeyFile(folder).create("infer", who="test")
    with processes.Server(folder, "--access-log", *flags) as server:
        server.wait_until("/readyz")
        _talk(server, secret)
    for hidden in (secret, secret.split("_", 2)[2], processes.MANAGE_KEY, "a-guess", str(SECRET_VALUE)):
        assert hidden not in server.output
    return key, server.output.splitlines()


def test_json_lines(savedmodels, tmp_path):
    """With log_format=json each line of the log is an object; a request's has what is known of it, and no secret."""
    key, lines = _lines(savedmodels, tmp_path, "--log-format", "json")
    logged = [json.loads(line) for line in lines if line.startswith("{")]
    assert len(lines) - len(logged) <= 3  # what an operator waits for stays as it is
    [first, *_] = [line for line in logged if line.get("request_id") == "mine"]
    duration_ms, queue_ms, compute_ms = (first.pop(name) for name in ("duration_ms", "queue_ms", "compute_ms"))
    assert 0 < queue_ms + compute_ms < duration_ms < 30_000
    assert {name: first[name] for name in first if name not in {"time", "logger"}} == {
        "level": "INFO",
        "message": "request",
        "request_id": "mine",
        "method": "POST",
        "path": "/v1/models/affine:predict",
        "status": 200,
        "model": "affine",
        "version": 1,
        "caller": key.id,
        "peer": "127.0.0.1",
    }
    assert {200, 400, 401, 404, 422} <= {line.get("status") for line in logged}


def test_text_lines_cannot_be_forged(savedmodels, tmp_path):
    """As text, a request is one line of name=value, whatever its path decodes to, and holds no secret."""
    _, lines = _lines(savedmodels, tmp_path)
    assert not [line for line in lines if " ERROR " in line[:40]]
    [line] = [line for line in lines if "forged" in line]
    assert "path=/v1/models/a%0aERROR%20forged " in line
    assert " status=404 " in line


@pytest.mark.parametrize("key", ["qk_0a1b2c3d_" + "aZ0-_" * 8, "qk_00000000_x"])
def test_keys_are_taken_out_of_every_text(key):
    """Of a key that gets into a message only the id stays."""
    assert without_keys(f"see {key}, and {key}") == f"see {key[:11]}_***, and {key[:11]}_***"
