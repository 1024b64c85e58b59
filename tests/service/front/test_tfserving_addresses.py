"""TensorFlow Serving's REST API: its paths, and the errors of what is not there and of bodies that are no requests."""

import json

import pytest

M = "/v1/models"


def ask(client, method, path, body=None, **headers):
    """The answer to a body that is sent as it is."""
    content = body.encode() if isinstance(body, str) else body
    return client.request(method, path, content=content, headers=headers)


# ------------------------------------------------------------------------------------------------------- addresses

ONE = '{"instances": [[0, 0, 0, 1]]}'
ANSWER = {"predictions": [[6.5, 6.5]]}

PATHS = [
    f"{M}/affine:predict",
    f"{M}/affine/versions/1:predict",
    "/V1/Models/affine/VERSIONS/1:Predict",
    f"{M}/affine:PREDICT",
    f"{M}/affine%3Apredict",
    f"{M}/affine/versions/1%3Apredict",
    f"{M}/%61ffine:predict",
]


@pytest.mark.parametrize("path", PATHS)
def test_addresses(client, path):
    """Versions, capitals in all but the names, and percent-encoded characters."""
    assert ask(client, "POST", path, ONE).json() == ANSWER


MALFORMED = [
    ("GET", f"{M}/affine:predict"),
    ("PUT", f"{M}/affine:predict"),
    ("GET", f"{M}/affine:classify"),
    ("POST", f"{M}/affine"),
    ("POST", f"{M}/affine/metadata"),
    ("DELETE", f"{M}/affine/metadata"),
    ("GET", f"{M}/"),
    ("GET", f"{M}/affine/"),
    ("GET", f"{M}/affine/metadata/"),
    ("POST", f"{M}/affine:predict/"),
    ("GET", f"{M}/affine/versions/1/labels/stable"),
    ("GET", f"{M}/affine/labels/stable/versions/1"),
    ("POST", f"{M}/affine/versions/1/labels/stable:predict"),
    ("POST", f"{M}/affine/labels/stable/versions/1:predict"),
    ("POST", f"{M}/affine/versions/one:predict"),
    ("POST", f"{M}/affine/versions/:predict"),
    ("POST", f"{M}/:predict"),
    ("POST", f"{M}/affine:guess"),
    ("GET", f"{M}/affine:shape"),
    ("GET", f"{M}/affine:guess"),
    ("GET", f"{M}/affine:1/metadata"),
    ("POST", f"{M}/a:b:shape"),
    ("GET", f"{M}/affine/labels/a:b"),
    ("GET", "/v1/nothing"),
    ("GET", "/V1/Nothing"),
]


@pytest.mark.parametrize(("method", "path"), MALFORMED)
def test_malformed_requests(client, method, path):
    """A path below /v1 that matches nothing, or a method that it does not take, is 400 and says what came."""
    answer = ask(client, method, path, ONE if method == "POST" else None)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")
    assert answer.json()["error"].lower().startswith(f"Malformed request: {method} {path}".lower())
    assert answer.headers["content-type"] == "application/json"


def test_paths_outside_are_404(client):
    """What is not below /v1 is not TensorFlow Serving's: 404, in the form of all errors."""
    answer = ask(client, "GET", "/v1x/models")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_preflight_is_answered(client):
    """OPTIONS is 200 with the Origin of a page and 400 without, and allows no foreign page anything."""
    for path in (M, f"{M}/affine", f"{M}/affine:predict"):
        answer = ask(client, "OPTIONS", path, origin="http://example.org")
        assert answer.status_code == 200
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert ask(client, "OPTIONS", path).status_code == 400


def test_head_is_get_without_a_body(client):
    """A HEAD request tells status and length as GET does."""
    for path in (f"{M}/affine", f"{M}/affine/metadata", "/healthz"):
        head, get = client.head(path), client.get(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == get.headers["content-length"]
    assert client.head(f"{M}/nobody").status_code == 404
    assert client.head(f"{M}/affine:predict").status_code == 400


def test_the_list_of_models_is_ours(client):
    """Where TensorFlow Serving only has an error, the names of the models are listed, as KServe does."""
    assert "affine" in client.get(M).json()["models"]


# ----------------------------------------------------------------------------------------------------------- errors

NOT_THERE = [
    ("POST", f"{M}/nobody:predict", 404, "Servable not found for request: Latest(nobody)"),
    ("POST", f"{M}/nobody:classify", 404, "Servable not found for request: Latest(nobody)"),
    ("POST", f"{M}/nobody:regress", 404, "Servable not found for request: Latest(nobody)"),
    ("POST", f"{M}/affine/versions/7:predict", 404, "Servable not found for request: Specific(affine, 7)"),
    ("POST", f"{M}/affine/versions/9999999999999999999:predict", 400, "is no version"),
    ("GET", f"{M}/nobody", 404, "Could not find any versions of model nobody"),
    ("GET", f"{M}/affine/versions/7", 404, "Could not find version 7 of model affine"),
    ("GET", f"{M}/nobody/metadata", 404, "Servable not found for request: Latest(nobody)"),
    ("GET", f"{M}/affine/versions/7/metadata", 404, "Servable not found for request: Specific(affine, 7)"),
    ("POST", f"{M}/affine/labels/canary:predict", 400, "Unrecognized servable version label: canary"),
    ("POST", f"{M}/affine/labels/canary:classify", 400, "Unrecognized servable version label: canary"),
    ("POST", f"{M}/affine/labels/canary:shape", 400, "Unrecognized servable version label: canary"),
    ("GET", f"{M}/affine/labels/canary", 400, "Unrecognized servable version label: canary"),
    ("GET", f"{M}/affine/labels/canary/metadata", 400, "Unrecognized servable version label: canary"),
    ("GET", f"{M}/affine/labels/canary/circuit", 400, "Unrecognized servable version label: canary"),
    ("POST", f"{M}/affine:explain", 501, "no explainer"),
]


@pytest.mark.parametrize(("method", "path", "status", "fragment"), NOT_THERE)
def test_what_is_not_there(client, method, path, status, fragment):
    """Unknown models and versions are 404, unknown labels 400, with the texts that clients know."""
    answer = ask(client, method, path, '{"instances": [1], "examples": [{}]}' if method == "POST" else None)
    assert answer.status_code == status
    assert fragment in answer.json()["error"]
    assert answer.json().keys() == {"error", "code", "request_id"}


BODIES = [
    ("", "JSON Parse error: The document is empty"),
    ("   ", "JSON Parse error: The document is empty"),
    ("x", "JSON Parse error: Invalid value. at offset: 0"),
    ('"\\ud800', "JSON Parse error"),
    ("[1, 2]", "JSON Value: [1, 2] Is not object"),
    ("{}", "Missing 'inputs' or 'instances' key"),
    ('{"instances": [1], "inputs": [1]}', "expecting only one of 'inputs' or 'instances' keys to exist"),
    ('{"instances": 5}', "Expecting 'instances' to be an list/array"),
    ('{"instances": {}}', "Expecting 'instances' to be an list/array"),
    ('{"instances": []}', "No values in 'instances' array"),
    ('{"instances": [1], "signature_name": 5}', "'signature_name' key must be a string value."),
    ('{"instances": [1], "signature_name": null}', "'signature_name' key must be a string value."),
    ('{"instances": [1], "signature_name": "foo"}', 'Serving signature name: "foo" not found in signature def'),
    ('{"instances": [["x"]]}', 'JSON Value: "x" Type: String is not of expected type: float'),
]


@pytest.mark.parametrize(("body", "fragment"), BODIES)
def test_bodies_that_are_refused(client, body, fragment):
    """Whatever is wrong with a body is 400, with the text that clients know."""
    answer = ask(client, "POST", f"{M}/affine:predict", body)
    assert answer.status_code == 400
    assert fragment in answer.json()["error"]


def test_an_excerpt_of_the_body_is_cut(client):
    """An error quotes at most 256 characters of what was sent."""
    error = ask(client, "POST", f"{M}/affine:predict", json.dumps([1] * 10_000)).json()["error"]
    assert len(error) < 300
