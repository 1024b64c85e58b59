"""Inferences that are refused: with which status, code and text."""

import json

import processes
import pytest
import standing
from oip_requests import AFFINE, BINARY_X, IDENTITY, JSON_X, ROWS, ZOO, X, post


def _infer_x(**changes):
    return {"inputs": [{**JSON_X, **changes}]}


BAD_DOCUMENTS = [
    ("no inputs", {}, "invalid_request", "Unable to parse 'inputs'"),
    ("inputs", {"inputs": {"x": 1}}, "invalid_request", "Unable to parse 'inputs'"),
    ("outputs", {"inputs": [JSON_X], "outputs": "y"}, "invalid_request", "Unable to parse 'outputs'"),
    ("no name", {"inputs": [JSON_X], "outputs": [{}]}, "invalid_request", "Unable to parse 'name' in 'outputs'"),
    ("id", {"inputs": [JSON_X], "id": 7}, "invalid_request", "Unable to parse 'id'"),
    ("parameters", {"inputs": [JSON_X], "parameters": []}, "invalid_request", "Unable to parse 'parameters'"),
    ("flag", {"inputs": [JSON_X], "parameters": {"binary_data_output": 1}}, "invalid_request", "'binary_data_output'"),
    ("timeout", {"inputs": [JSON_X], "parameters": {"timeout": -1}}, "invalid_request", "Unable to parse 'timeout'"),
    ("long timeout", {"inputs": [JSON_X], "parameters": {"timeout": 10**400}}, "invalid_request", "parse 'timeout'"),
    ("priority", {"inputs": [JSON_X], "parameters": {"priority": "1"}}, "invalid_request", "'priority'"),
    ("reserved", {"inputs": [JSON_X], "parameters": {"triton_x": 1}}, "invalid_request", "starting with 'triton_'"),
    ("seed", {"inputs": [JSON_X], "parameters": {"seed": 1}}, "invalid_request", "this one has no signature 'sampled'"),
    ("signature", {"inputs": [JSON_X], "parameters": {"signature_name": "z"}}, "signature_not_found", '"z" not found'),
    ("input", _infer_x(name="foo"), "invalid_request", "unexpected inference input 'foo' for model 'affine'"),
    ("twice", {"inputs": [JSON_X, JSON_X]}, "invalid_request", "input 'x' already exists in request"),
    ("output", {"inputs": [JSON_X], "outputs": [{"name": "z"}]}, "invalid_request", "unexpected inference output 'z'"),
    (
        "missing",
        {"inputs": []},
        "invalid_request",
        "expected 1 inputs but got 0 inputs for model 'affine'. Got input(s)",
    ),
    ("dtype", _infer_x(datatype="FP64"), "invalid_value", "data-type is 'FP64', but model 'affine' expects 'FP32'"),
    ("no dtype", _infer_x(datatype=None), "invalid_value", "data-type is 'null'"),
    (
        "rank",
        _infer_x(shape=[8]),
        "invalid_shape",
        "unexpected shape for input 'x' for model 'affine'. Expected [-1,4]",
    ),
    ("width", _infer_x(shape=[1, 5]), "invalid_shape", "Expected [-1,4], got [1,5]"),
    ("negative", _infer_x(shape=[-2, 4]), "invalid_shape", "Unable to parse 'shape'"),
    ("boolean", _infer_x(shape=[True, 4]), "invalid_shape", "Unable to parse 'shape'"),
    ("no shape", _infer_x(shape=None), "invalid_shape", "Unable to parse 'shape'"),
    ("huge", _infer_x(shape=[2**60 + 2, 4]), "invalid_shape", "more than any memory holds"),
    ("wrap", _infer_x(shape=[2**62, 4]), "invalid_shape", "more than any memory holds"),
    ("count", _infer_x(shape=[3, 4]), "invalid_shape", "Shape does not match true shape of 'data' field"),
    ("nesting", _infer_x(data=ROWS.T.tolist()), "invalid_shape", "Shape does not match true shape of 'data' field"),
    ("ragged", _infer_x(data=[[1, 2, 3, 4], [1]]), "invalid_shape", "Unable to parse 'data' of input 'x'"),
    ("text", _infer_x(data=["1"] * 8), "invalid_value", "is not of expected type: float"),
    ("true", _infer_x(data=[True] * 8), "invalid_value", "is not of expected type: float"),
    ("null", _infer_x(data=[None] * 8), "invalid_value", "is not of expected type: float"),
    ("no source", {"inputs": [X]}, "invalid_request", "Input must set only one of the following fields: 'data'"),
    ("two", {"inputs": [{**JSON_X, **BINARY_X}]}, "invalid_request", "But got 2: binary_data_size, data"),
    ("size", {"inputs": [{**X, "parameters": {"binary_data_size": -1}}]}, "invalid_request", "'binary_data_size'"),
]


@pytest.mark.parametrize(
    ("document", "code", "fragment"), [row[1:] for row in BAD_DOCUMENTS], ids=[row[0] for row in BAD_DOCUMENTS]
)
@pytest.mark.usefixtures("unharmed")
def test_documents_that_are_refused(client, document, code, fragment):
    """Each is 400, with a text in Triton's words that says what was wrong."""
    answer = post(client, AFFINE, document)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert fragment in answer.json()["error"]
    assert answer.headers["content-type"] == "application/json"
    standing.check_silent(answer.text)


BAD_BYTES = [
    ("no number", "abc", 32, 32, "Unable to parse Inference-Header-Content-Length, got: abc"),
    ("too long", "100000", 32, 32, "inference header size should be in range (0, "),
    ("negative", "-1", 32, 32, "inference header size should be in range (0, "),
    ("unicode", "\u00b2", 32, 32, "Unable to parse Inference-Header-Content-Length"),
    ("too short", "10", 32, 32, "failed to parse the request JSON buffer"),
    ("few", None, 32, 24, "unexpected size for input 'x', expecting 8 additional bytes for model 'affine'"),
    ("many", None, 32, 33, "unexpected additional input data for model 'affine'"),
    ("mismatch", None, 28, 28, "input byte size mismatch for input 'x' for model 'affine'. Expected 32, got 28"),
    ("huge", None, 2**63, 32, "expecting"),
]


@pytest.mark.parametrize(
    ("length", "size", "tail", "fragment"), [row[1:] for row in BAD_BYTES], ids=[row[0] for row in BAD_BYTES]
)
@pytest.mark.usefixtures("unharmed")
def test_bytes_that_do_not_add_up(client, length, size, tail, fragment):
    """Sizes that contradict each other are 400, with the difference."""
    document = {"inputs": [{**X, "parameters": {"binary_data_size": size}}]}
    headers = {} if length is None else {"length": length.encode()}
    answer = post(client, AFFINE, document, b"\0" * tail, **headers)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json")
    assert fragment in answer.json()["error"]
    standing.check_silent(answer.text)


def test_a_forgotten_header_is_named(client):
    """Bytes behind a document whose length is not said cannot be JSON; the error names the header."""
    answer = client.post(AFFINE, content=json.dumps({"inputs": [BINARY_X]}).encode() + b"\xff" * 32)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_json")
    assert "Inference-Header-Content-Length" in answer.json()["error"]


@pytest.mark.parametrize("tail", [b"xyz", b"{}", b"\0" * 16])
@pytest.mark.parametrize("has_header", [True, False])
def test_text_behind_the_document_is_refused(client, tail, has_header):
    """Also where the header says that it is part of it."""
    content = json.dumps({"inputs": [JSON_X]}).encode() + tail
    headers = {"Inference-Header-Content-Length": str(len(content))} if has_header else {}
    answer = client.post(AFFINE, content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_json")
    assert "must not be followed by other values" in answer.json()["error"]
    assert ("Inference-Header-Content-Length" in answer.json()["error"]) != has_header


@pytest.mark.parametrize(
    ("tail", "shape", "fragment"),
    [
        (b"\x01\0\0", [1], "incomplete string length indicator for inference input 'x', expecting 4 bytes but only 3"),
        (b"\x09\0\0\0abc", [1], "incomplete string data for inference input 'x', expecting string of length 9 but"),
        (b"\x01\0\0\0a", [2], "unexpected number of string elements 1 for inference input 'x', expecting 2"),
        (b"\x01\0\0\0a" * 2, [1], "unexpected number of string elements for inference input 'x', expecting 1"),
        (b"\x01\0\0\0a", [2**40], "unexpected number of string elements 1"),
    ],
)
@pytest.mark.usefixtures("unharmed")
def test_strings_that_do_not_add_up(client, tail, shape, fragment):
    """The bytes of strings are read to their end, and no further."""
    tensor = {"name": "x", "shape": shape, "datatype": "BYTES", "parameters": {"binary_data_size": len(tail)}}
    answer = post(client, IDENTITY, {"parameters": {"signature_name": "string"}, "inputs": [tensor]}, tail)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_value")
    assert fragment in answer.json()["error"]
    standing.check_silent(answer.text)


def test_a_boolean_is_0_or_1(client):
    """Another byte is refused before TensorFlow computes with it."""
    tensor = {"name": "flag", "shape": [2], "datatype": "BOOL", "parameters": {"binary_data_size": 2}}
    answer = post(client, ZOO, {"parameters": {"signature_name": "booleans"}, "inputs": [tensor]}, b"\1\2")
    assert "element 1 of inference input 'flag' is the byte 2" in answer.json()["error"]


def test_inputs_with_different_rows(client):
    """Where rows are batched, all inputs have the same number of them."""
    inputs = [{"name": "a", "shape": [2, 2], "datatype": "FP32", "data": [1, 2, 3, 4]}]
    inputs += [{"name": "b", "shape": [3], "datatype": "INT32", "data": [1, 2, 3]}]
    answer = post(client, ZOO, {"parameters": {"signature_name": "pair"}, "inputs": inputs})
    assert answer.status_code == 400
    assert "input 'b' batch size does not match other inputs for 'zoo'" in answer.json()["error"]


def test_more_rows_than_a_request_may_have(client):
    """413 with the limit, also where the rows are narrow."""
    rows = 20_000
    tensor = {"name": "x", "shape": [rows], "datatype": "FP32", "parameters": {"binary_data_size": 4 * rows}}
    answer = post(client, ZOO, {"parameters": {"signature_name": "divided"}, "inputs": [tensor]}, bytes(4 * rows))
    assert answer.status_code == 413
    assert "inference request batch-size must be <= 16384 for 'zoo'" in answer.json()["error"]


def test_shared_memory_is_refused(client):
    """501 with what to do, for inputs and outputs."""
    shared = {"parameters": {"shared_memory_region": "r", "shared_memory_byte_size": 32}}
    for body in ({"inputs": [{**X, **shared}]}, {"inputs": [JSON_X], "outputs": [{"name": "y", **shared}]}):
        answer = post(client, AFFINE, body)
        assert (answer.status_code, answer.json()["code"]) == (501, "not_supported")


@pytest.mark.parametrize(
    ("path", "status", "code", "fragment"),
    [
        ("/v2/models/nobody/infer", 404, "model_not_found", "Request for unknown model: 'nobody' is not found"),
        ("/v2/models/affine/versions/9/infer", 404, "model_not_found", "'affine' version 9 is not found"),
        ("/v2/models/affine/versions/x/infer", 400, "invalid_version", "'x' is no version"),
        ("/v2/models/broken/infer", 404, "model_not_found", "has no available versions"),
        ("/v2/models/broken/versions/1/infer", 503, "model_unavailable", "version 1 is not at ready state"),
        ("/v2/models/a/b/infer", 404, "not_found", "there is nothing at this path"),
    ],
)
def test_models_that_do_not_answer(client, path, status, code, fragment):
    """In Triton's words, with the statuses of this service."""
    answer = post(client, path, {"inputs": [JSON_X]})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert fragment in answer.json()["error"]


def test_an_inference_is_asked_bypost(client):
    """405, in the one form that errors have."""
    answer = client.get(AFFINE)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


def test_a_model_may_be_called_infer(server, client):
    """The hot path's ending does not take what is another path of such a model."""
    assert "'infer' is not found" in client.get("/v2/models/infer").json()["error"]
    assert "Could not find any versions of model infer" in client.get("/v1/models/infer").json()["error"]


def test_an_inference_elsewhere_needs_a_key(models):
    """Bound to another address, nobody infers without a key."""
    with processes.Server(models, "--host", "0.0.0.0") as server:  # noqa: S104 -- what is tested
        server.wait_until("/healthz")
        assert server.wait_until("/v2/health/live").json() == {"live": True}
        assert server.wait_until("/v2", 401).json()["code"] == "unauthorized"
        assert server.wait_until("/v2/models/affine", 401).json()["code"] == "unauthorized"
