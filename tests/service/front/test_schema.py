"""The OpenAPI document against the server: Schemathesis asks by the one, and the answers must be as it says."""

import json
import shutil
import subprocess
import sys

import httpx
import processes
import pytest

MODEL = "moons"
"""As the examples of the document call it."""

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
    "missing_required_header",
    "ignored_auth",
)
"""Not among them: positive_data_acceptance. Which values a model takes is for its own signature to say."""

EXCEPTIONS = [
    (
        "^/v1",
        "unsupported_method.enabled = false",
        "TensorFlow Serving answers 400, not 405, to a method that a path does not take",
    ),
    (
        "(:predict|:classify|:regress|/infer)$",
        'not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 504]',
        "a request that says it waits for a millisecond may not be answered in time",
    ),
]
"""Paths, how a check is for them, and why; the document itself says which other things are lenient:
bodies may have unknown keys, and their Content-Type is not looked at."""

UNLOAD = "/v2/repository/models/{model}/unload"
"""Asked on its own, last: it would leave nothing to ask."""

ROUNDS = {
    "with the key": (processes.MANAGE_KEY, ["--exclude-path", UNLOAD]),
    "without a key": ("", ["--exclude-path", UNLOAD, "--phases", "examples"]),
    "unload": (processes.MANAGE_KEY, ["--include-path", UNLOAD]),
}
"""The key, and the options of a round of requests."""


@pytest.fixture(scope="module")
def moons(circuits, savedmodels, tmp_path_factory):
    """A server of a model that the document's examples fit, which has a label too, and of another model."""
    folder = tmp_path_factory.mktemp("schema")
    shutil.copytree(circuits / "two", folder / MODEL)
    shutil.copytree(savedmodels / "affine", folder / "affine")
    with processes.Server(folder) as server:
        server.wait_until("/readyz")
        headers = {"Authorization": f"Bearer {processes.MANAGE_KEY}"}
        labelled = httpx.put(f"{server.url}/v1/models/{MODEL}/labels/stable", json={"version": 1}, headers=headers)
        assert labelled.status_code == 200
        yield server


def configuration(key):
    """The text of Schemathesis's configuration: the same requests each time, and few of them."""
    lines = [
        "color = false",
        "continue-on-failure = true",
        "request-timeout = 30",
        "warnings = false",
        f"headers = {{ Authorization = {json.dumps(f'Bearer {key}')} }}" if key else "",
        "[generation]",
        "max-examples = 2",
        "deterministic = true",
        "no-shrink = true",
        'database = "none"',
        "[phases.stateful]",
        "enabled = false",
        "[checks]",
        "enabled = false",
        *(f"{check}.enabled = true" for check in CHECKS),
    ]
    for path, check, _ in EXCEPTIONS:
        lines += ["[[operations]]", f"include-path-regex = {json.dumps(path)}", f"checks.{check}"]
    return "\n".join(lines)


@pytest.mark.parametrize("name", ROUNDS)
def test_answers_are_as_documented(moons, tmp_path, name):
    """Examples, every edge of the schemas and random requests, right and wrong: nothing undocumented comes back."""
    key, options = ROUNDS[name]
    config = tmp_path / "schemathesis.toml"
    config.write_text(configuration(key))
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run"]
    command += [f"{moons.url}/openapi.json", *options]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
