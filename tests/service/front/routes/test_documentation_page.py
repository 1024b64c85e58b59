"""The documentation page needs nobody but this server, and may do no more than it needs."""

import base64
import hashlib
import re

import httpx
import processes
import pytest


@pytest.fixture(scope="module")
def page(server):
    """The page."""
    return httpx.get(f"{server.url}/docs")


def test_everything_it_loads_is_ours(page, server):
    """No address of another server is in it, and each file that it names is there with its type."""
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", page.text)
    paths = re.findall(r"(?:src|href)=\"(/[^\"]+)\"", page.text)
    kinds = {path: httpx.get(server.url + path).headers["content-type"].split(";")[0] for path in paths}
    assert kinds == {
        "/docs/swagger-ui-bundle.js": "text/javascript",
        "/docs/swagger-ui.css": "text/css",
        "/docs/favicon.png": "image/png",
    }


def test_its_policy_lets_its_own_script_run_and_no_other(page):
    """The inline script is allowed by its hash; scripts inline, evaluated or from elsewhere are not."""
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    [script] = re.findall("<script>(.*?)</script>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy["script-src"] == f"'self' 'sha256-{digest}'"
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"


@pytest.mark.parametrize("asset", ["redoc.standalone.js", "..%2f__init__.py", "nothing"])
def test_other_files_of_that_package_are_not_served(server, asset):
    """Only what the page is made of."""
    answer = httpx.get(f"{server.url}/docs/{asset}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_assets_may_be_cached(server):
    """1.5 MB of script come once a day, not once a look."""
    assert "max-age" in httpx.get(f"{server.url}/docs/swagger-ui-bundle.js").headers["cache-control"]


def test_it_can_be_left_out(tmp_path):
    """With --no-docs neither the page nor the document nor a file of theirs is there, and nobody is sent to them."""
    with processes.Server(tmp_path, "--no-docs") as server:
        server.wait_until("/readyz")
        for path in ("/docs", "/docs/swagger-ui.css", "/openapi.json"):
            answer = httpx.get(server.url + path)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert httpx.get(f"{server.url}/v2").status_code == 200
    assert "ready on" in server.output
    assert "/docs" not in server.output
