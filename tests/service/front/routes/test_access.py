"""Who may ask what: every route of the application against every kind of key."""

import types

import httpx
import processes
import pytest
from fastapi import FastAPI
from tritonclient.http.auth import BasicAuth

from service.front.access.keys import GRANTS, KeyFile
from service.front.app import HOT, ROUTERS, framework
from service.front.server import create_context
from service.settings import Settings

NO_KEY = None
RULES = {
    ("GET", "/"): NO_KEY,
    ("GET", "/healthz"): NO_KEY,
    ("GET", "/livez"): NO_KEY,
    ("GET", "/readyz"): NO_KEY,
    ("GET", "/docs"): NO_KEY,
    ("GET", "/docs/{asset}"): NO_KEY,
    ("GET", "/openapi.json"): NO_KEY,
    ("GET", "/v1/models"): "list",
    ("GET", "/v1/models/{model}"): "read",
    ("GET", "/v1/models/{model}/versions/{version}"): "read",
    ("GET", "/v1/models/{model}/metadata"): "read",
    ("GET", "/v1/models/{model}/versions/{version}/metadata"): "read",
    ("POST", "/v1/models/{model}:shape"): "read",
    ("POST", "/v1/models/{model}/versions/{version}:shape"): "read",
    ("POST", "/v1/models/{model}:predict"): "infer",
    ("PUT", "/v1/models/{model}/versions/{version}"): "manage",
    ("GET", "/metrics"): "read",
    ("GET", "/monitoring/prometheus/metrics"): "read",
    ("GET", "/v2"): "list",
    ("GET", "/v2/"): "list",
    ("GET", "/v2/health/live"): NO_KEY,
    ("GET", "/v2/health/ready"): NO_KEY,
    ("GET", "/v2/models"): "list",
    ("GET", "/v2/models/stats"): "list",
    ("GET", "/v2/models/{model}/stats"): "read",
    ("GET", "/v2/models/{model}/versions/{version}/stats"): "read",
    ("GET", "/v2/models/{model}"): "read",
    ("GET", "/v2/models/{model}/versions/{version}"): "read",
    ("GET", "/v2/models/{model}/ready"): "read",
    ("GET", "/v2/models/{model}/versions/{version}/ready"): "read",
    ("GET", "/v2/models/{model}/config"): "read",
    ("GET", "/v2/models/{model}/versions/{version}/config"): "read",
    ("GET", "/v2/trace/setting"): "read",
    ("POST", "/v2/trace/setting"): "read",
    ("GET", "/v2/models/{model}/trace/setting"): "read",
    ("POST", "/v2/models/{model}/trace/setting"): "read",
    ("GET", "/v2/systemsharedmemory/{rest:path}"): "read",
    ("POST", "/v2/systemsharedmemory/{rest:path}"): "read",
    ("GET", "/v2/cudasharedmemory/{rest:path}"): "read",
    ("POST", "/v2/cudasharedmemory/{rest:path}"): "read",
    ("POST", "/v2/models/{model}/generate"): "read",
    ("POST", "/v2/models/{model}/generate_stream"): "read",
    ("POST", "/v2/models/{model}/versions/{version}/generate"): "read",
    ("POST", "/v2/models/{model}/versions/{version}/generate_stream"): "read",
    ("POST", "/v2/models/{model}/infer"): "infer",
    ("GET", "/v2/logging"): "read",
    ("OPTIONS", "/v1/models"): NO_KEY,
    ("OPTIONS", "/v1/models/{path:path}"): NO_KEY,
    ("GET", "/v1/models/{model}/labels"): "read",
    ("GET", "/v1/models/{model}/labels/{label}"): "read",
    ("GET", "/v1/models/{model}/labels/{label}/metadata"): "read",
    ("POST", "/v1/models/{model}/labels/{label}:shape"): "read",
    ("GET", "/v1/models/{model}/circuit"): "read",
    ("GET", "/v1/models/{model}/versions/{version}/circuit"): "read",
    ("GET", "/v1/models/{model}/labels/{label}/circuit"): "read",
    ("GET", "/v1/models/{model}/versions/{version}/archive"): "read",
    ("POST", "/v1/models/{model}:classify"): "infer",
    ("POST", "/v1/models/{model}:regress"): "infer",
    ("POST", "/v1/models/{model}:explain"): "infer",
    ("POST", "/v1/models/{model}/versions"): "manage",
    ("DELETE", "/v1/models/{model}"): "manage",
    ("DELETE", "/v1/models/{model}/versions/{version}"): "manage",
    ("POST", "/v1/models/{model}/versions/{version}:restore"): "manage",
    ("PUT", "/v1/models/{model}/labels/{label}"): "manage",
    ("DELETE", "/v1/models/{model}/labels/{label}"): "manage",
    ("POST", "/v1/models/{model}:rollback"): "manage",
    ("POST", "/v2/repository/index"): "list",
    ("POST", "/v2/repository/models/{model:path}/load"): "manage",
    ("POST", "/v2/repository/models/{model:path}/unload"): "manage",
    ("POST", "/v2/logging"): "manage",
}
"""What each route asks of a key. A new route needs a row here, or the first test below fails."""

GUARDED = [rule for rule, scope in RULES.items() if scope]
_PARTS = {
    "{model}": "moons",
    "{version}": "1",
    "{asset}": "favicon.png",
    "{label}": "stable",
    "{rest:path}": "status",
    "{path:path}": "moons",
    "{model:path}": "moons",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with one model, which cannot be loaded, for servers whose keys matter."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "moons" / "1").mkdir(parents=True)
    (folder / "moons" / "1" / "saved_model.pb").write_bytes(b"this is no graph")
    return folder


@pytest.fixture(scope="module")
def keys(folder):
    """A key of each kind, by name."""
    file = KeyFile(folder)
    made = {scope: file.create(scope, who="test")[1] for scope in GRANTS}
    made |= {f"{scope} other": file.create(scope, who="test", model="suns")[1] for scope in GRANTS}
    made["expired"] = file.create("manage", who="test", expires_days=-1)[1]
    key, made["revoked"] = file.create("manage", who="test")
    file.revoke(key.id, who="test")
    made["bad"] = "qk_00000000_" + "x" * 43
    return made


@pytest.fixture(scope="module")
def guarded(folder, keys):
    """A client of a server where everything needs a key."""
    assert keys
    with processes.Server(folder, "--host", "0.0.0.0", "--key-failures-per-minute", "0") as server:  # noqa: S104
        server.wait_until("/readyz")
        with httpx.Client(base_url=server.url, timeout=30) as client:
            yield client


def _ask(client, rule, key=None, query=""):
    method, path = rule
    for name, part in _PARTS.items():
        path = path.replace(name, part)
    headers = {"origin": "http://page", **({"authorization": f"Bearer {key}"} if key else {})}
    return client.request(method, path + query, headers=headers, content=b"{}" if method != "GET" else None)


def _all_routes(app: FastAPI):
    for route in [*app.routes, *(route for router in ROUTERS for route in router.routes)]:
        for method in (getattr(route, "methods", None) or set()) - {"HEAD"}:
            yield method, route.path
    for endpoint in HOT:
        version = "/v2" if endpoint.suffix.startswith("/") else "/v1"
        yield "POST", version + "/models/{model}" + endpoint.suffix


def test_every_route_has_a_rule(tmp_path):
    """The table has a row for each route of the application, and for no others."""
    settings = Settings(models=tmp_path, manage_key="a key")
    routes = set(_all_routes(framework(create_context(settings))))
    assert routes - set(RULES) == set()
    assert set(RULES) - routes == set()


@pytest.mark.parametrize("rule", [rule for rule, scope in RULES.items() if not scope])
def test_what_needs_no_key_does_not_look_at_keys(guarded, keys, rule):
    """Health and documentation answer everybody, also those with a wrong key."""
    assert _ask(guarded, rule).status_code == 200
    assert _ask(guarded, rule, keys["bad"]).status_code == 200


@pytest.mark.parametrize("rule", GUARDED)
@pytest.mark.parametrize("kind", [None, "bad", "expired", "revoked"])
def test_without_a_valid_key_the_answer_is_401(guarded, keys, rule, kind):
    """No key and no valid key: 401, how to send one, and in which scheme."""
    answer = _ask(guarded, rule, keys.get(kind))
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("rule", GUARDED)
@pytest.mark.parametrize("scope", GRANTS)
def test_scopes_decide(guarded, keys, rule, scope):
    """A key whose scope includes what the route asks is let through; the others are 403."""
    answer = _ask(guarded, rule, keys[scope])
    if RULES[rule] in GRANTS[scope]:
        assert answer.status_code not in {401, 403, 500}
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("rule", GUARDED)
@pytest.mark.parametrize("scope", GRANTS)
def test_keys_for_other_models_are_403(guarded, keys, rule, scope):
    """A key for other models is let through nowhere but to the list, which hides what it is not for."""
    answer = _ask(guarded, rule, keys[f"{scope} other"])
    assert answer.status_code == (200 if RULES[rule] == "list" else 403)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    "query", ["?key={}", "?api_key={}", "?token=swordfish", "?anything={}", "?a=1&access%5Ftoken={}"]
)
def test_a_key_in_a_url_is_refused_everywhere(guarded, keys, rule, query):
    """It got into logs on its way: 400 with the advice to replace it, also if the request has a good key besides."""
    answer = _ask(guarded, rule, keys["manage"], query.format(keys["manage"]))
    assert (answer.status_code, answer.json()["code"]) == (400, "key_in_url")
    assert "rotate" in answer.json()["error"]
    assert keys["manage"] not in answer.text


def test_a_query_does_not_choose_the_model_a_key_is_checked_for(guarded, keys):
    """Only the path says which model is asked."""
    assert _ask(guarded, ("GET", "/v1/models/{model}"), keys["read other"], "?model=suns").status_code == 403


def test_tritonclients_basic_auth_carries_a_key(guarded, keys):
    """What tritonclient's plugin sends, with the key as the password, is taken."""
    request = types.SimpleNamespace(headers={})
    BasicAuth("anybody", keys["read"])(request)
    assert request.headers["authorization"].startswith("Basic ")
    assert guarded.get("/v1/models", headers=request.headers).status_code == 200


def test_a_running_server_follows_the_file(folder, guarded, keys):
    """A key made beside a running server counts within a second, and so does its end."""
    assert keys
    key, secret = KeyFile(folder).create("read", who="test")
    headers = {"authorization": f"Bearer {secret}"}
    processes.wait_for(lambda: guarded.get("/v1/models", headers=headers).status_code == 200, timeout_s=2)
    KeyFile(folder).revoke(key.id, who="test")
    processes.wait_for(lambda: guarded.get("/v1/models", headers=headers).status_code == 401, timeout_s=2)


def test_a_denied_upload_is_denied_before_it_is_sent(guarded):
    """A client that asks first (Expect: 100-continue) is told 401 and never to go on."""
    raw = (
        b"PUT /v1/models/m/versions/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 500000000\r\nExpect: 100-continue\r\n\r\n"
    )
    answer = processes.exchange(guarded.base_url.port, raw, until=b"}")
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"100 Continue" not in answer
