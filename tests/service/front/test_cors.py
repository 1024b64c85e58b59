"""CORS: which pages of other origins may ask, and what they may send and see."""

import httpx
import processes
import pytest

AFFINE = "/v1/models/affine:predict"
OURS = [
    "Authorization",
    "Content-Digest",
    "Inference-Header-Content-Length",
    "X-Content-SHA256",
    "X-Request-Timeout-Ms",
]
"""Headers that requests may have here, and browsers keep from pages unless a preflight allows them."""
PAGE = "https://console.example"


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A server whose operator lets pages of one origin ask."""
    with processes.Server(tmp_path_factory.mktemp("cors"), "--cors-origins", f"{PAGE}, https://b.example/") as server:
        server.wait_until("/readyz")
        with httpx.Client(base_url=server.url) as client:
            yield client


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


def names(answer, header):
    """The names of headers in a header."""
    return {name.strip().lower() for name in answer.headers[header].split(",")}


@pytest.mark.parametrize("header", [*OURS, "Content-Type", "Content-Encoding", "X-Request-ID", "traceparent"])
def test_pages_may_send_what_others_send(shared, header):
    """The preflight of an upload allows each header that a request is read for."""
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": header}
    preflight = shared.options("/v1/models/m/versions/1", headers=asked)
    assert "PUT" in preflight.headers["access-control-allow-methods"]
    assert header.lower() in names(preflight, "access-control-allow-headers")


def test_pages_see_every_header_that_is_documented(shared):
    """What the OpenAPI document says of replies' headers, browsers show to pages."""
    document = shared.get("/openapi.json").json()
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    replies = [*document["components"]["responses"].values()]
    replies += [reply for operation in operations for reply in operation["responses"].values()]
    documented = {name.lower() for reply in replies for name in reply.get("headers", {})}
    shown = names(shared.get("/livez", headers={"Origin": PAGE}), "access-control-expose-headers")
    assert {"location", "retry-after", "etag"} < documented <= shown
    assert "inference-header-content-length" in shown


def test_a_question_of_no_page_is_refused_alike_with_cors_and_without(server, shared):
    """OPTIONS without an origin is 400 in the same words, below /v1 with TensorFlow Serving's code."""
    refused = [httpx.options(url + AFFINE).json() for url in (server.url, str(shared.base_url).rstrip("/"))]
    assert [answer["code"] for answer in refused] == ["malformed_request"] * 2
    assert refused[0]["error"] == refused[1]["error"]
    assert refused[0]["error"].endswith("expected the header Origin, http(s)://...")
    assert shared.options("/v2").json()["code"] == "invalid_request"
