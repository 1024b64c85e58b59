"""What the server tells of its models."""

import time

import pytest

MLP_SIGNATURE = {
    "inputs": {
        "dense_input": {
            "dtype": "DT_FLOAT",
            "tensor_shape": {"dim": [{"size": "-1", "name": ""}, {"size": "4", "name": ""}], "unknown_rank": False},
            "name": "serving_default_dense_input:0",
        }
    },
    "outputs": {
        "dense_1": {
            "dtype": "DT_FLOAT",
            "tensor_shape": {"dim": [{"size": "-1", "name": ""}, {"size": "3", "name": ""}], "unknown_rank": False},
            "name": "StatefulPartitionedCall:0",
        }
    },
    "method_name": "tensorflow/serving/predict",
    "defaults": {},
}


def test_all_models_are_listed(client):
    """The names are sorted, and one that failed to load is among them."""
    names = client.get("/v1/models").json()["models"]
    assert {"affine", "broken", "mlp", "slow", "zoo"} <= set(names)
    assert names == sorted(names)


def test_the_state_of_a_model(client):
    """TensorFlow Serving's status and KServe's, in one answer."""
    state = client.get("/v1/models/mlp").json()
    status = {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    assert state["model_version_status"] == [status]
    assert (state["name"], state["ready"]) == ("mlp", True)
    [record] = state["versions"]
    assert (record["version"], record["is_verified"], record["signatures"]) == (1, False, ["serving_default"])
    assert client.get("/v1/models/mlp/versions/1").json() == state


def test_a_version_that_failed_is_listed_with_its_reason(client):
    """A model that does not load is END with the reason, and not ready."""
    state = client.get("/v1/models/broken").json()
    [status] = state["model_version_status"]
    assert (status["version"], status["state"], state["ready"]) == ("1", "END", False)
    assert status["status"]["error_code"] == "INVALID_ARGUMENT"
    assert "the model cannot be loaded" in status["status"]["error_message"]


def test_metadata(client):
    """The signatures as TensorFlow Serving writes them, nested twice and with sizes as text."""
    assert client.get("/v1/models/mlp/metadata").json() == {
        "model_spec": {"name": "mlp", "signature_name": "", "version": "1"},
        "metadata": {"signature_def": {"signature_def": {"serving_default": MLP_SIGNATURE}}},
    }
    assert client.get("/v1/models/mlp/versions/1/metadata").status_code == 200


@pytest.mark.parametrize(
    ("body", "outputs"),
    [
        ({"inputs": {"x": [5, 4]}}, {"y": {"shape": [5, 2], "dtype": "DT_FLOAT"}}),
        ({"inputs": {"x": [None, 4]}}, {"y": {"shape": [None, 2], "dtype": "DT_FLOAT"}}),
        ({"input_shape": [-1, 4]}, {"y": {"shape": [None, 2], "dtype": "DT_FLOAT"}}),
        ({"input_shape": [0, 4]}, {"y": {"shape": [0, 2], "dtype": "DT_FLOAT"}}),
        ({"input_shape": [7, None], "signature_name": "doubled"}, {"y": {"shape": [7, 4], "dtype": "DT_FLOAT"}}),
        ({"input_shape": [3, 4], "signature_name": "total"}, {"total": {"shape": [], "dtype": "DT_FLOAT"}}),
    ],
)
def test_shapes_follow_from_shapes(client, body, outputs):
    """Output shapes and dtypes for input shapes, free dimensions included."""
    assert client.post("/v1/models/affine:shape", json=body).json() == {"outputs": outputs}
    assert client.post("/v1/models/affine/versions/1:shape", json=body).json() == {"outputs": outputs}


def test_asking_for_a_shape_does_not_run_the_model(client):
    """A model that would compute for hours says at once which shape would come out."""
    start = time.monotonic()
    answer = client.post("/v1/models/slow:shape", json={"input_shape": [10**9]})
    assert answer.json() == {"outputs": {"y": {"shape": [10**9], "dtype": "DT_FLOAT"}}}
    assert time.monotonic() - start < 3


@pytest.mark.parametrize(
    ("body", "code", "fragment"),
    [
        ({"inputs": {"x": [5, 3]}}, "invalid_shape", "input 'x' has shape [5,3], expected [-1,4]"),
        ({"inputs": {"x": [4]}}, "invalid_shape", "input 'x' has shape [4], expected [-1,4]"),
        ({"inputs": {"x": [5, -2]}}, "invalid_shape", "[5, -2] is no shape"),
        ({"inputs": {"x": [True, 4]}}, "invalid_shape", "[true, 4] is no shape"),
        ({"inputs": {"x": "wide"}}, "invalid_shape", '"wide" is no shape'),
        ({"inputs": {"z": [5, 4]}}, "invalid_request", "a shape for each of: x"),
        ({}, "invalid_request", "a shape for each of: x"),
        ({"inputs": {"x": [5, 4]}, "signature_name": "none"}, "signature_not_found", '"none" not found'),
        ({"inputs": {"x": [5, 4]}, "signature_name": ["none"]}, "invalid_request", "must be a string value"),
    ],
)
def test_shapes_that_do_not_fit(client, body, code, fragment):
    """A shape that the signature cannot have is 400, with the shape it has."""
    answer = client.post("/v1/models/affine:shape", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert fragment in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "status", "fragment"),
    [
        ("/v1/models/nobody", 404, "Could not find any versions of model nobody"),
        ("/v1/models/mlp/versions/7", 404, "Could not find version 7 of model mlp"),
        ("/v1/models/mlp/versions/x", 400, "'x' is no version"),
        ("/v1/models/nobody/metadata", 404, "Servable not found for request: Latest(nobody)"),
        ("/v1/models/broken/metadata", 503, "the model cannot be loaded"),
        ("/v1/models/", 400, "Malformed request: GET /v1/models/; there is nothing"),
        ("/v2/nothing", 404, "there is nothing at this path"),
    ],
)
def test_unknown_things(client, path, status, fragment):
    """Whatever is not there is answered in the one form that errors have."""
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.json().keys() == {"error", "code", "request_id"}
    assert fragment in answer.json()["error"]


def test_wrong_methods(client):
    """A path outside TensorFlow Serving's, asked in the wrong way, is 405."""
    answer = client.delete("/healthz")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


SHAPES = [
    ("several", {"a": [7], "z": [None], "m": [-1]}, {"a": [7], "m": [None], "words": [None]}),
    ("uneven", {"a": [5], "b": []}, {"first": [5], "second": [1]}),
    ("sums", {"x": [None, None]}, {"y": [None]}),
    ("any_rank", {"x": [2, 3, 4]}, {"same": [2, 3, 4], "y": []}),
    ("any_rank", {"x": []}, {"same": [], "y": []}),
    ("of_complex", {"x": [0]}, {"y": [0]}),
]


@pytest.mark.parametrize(("signature", "inputs", "outputs"), SHAPES)
def test_shapes_of_odd_signatures(client, signature, inputs, outputs):
    """Several inputs, free and unknown ranks, scalars, and dtypes that JSON cannot carry."""
    body = {"signature_name": signature, "inputs": inputs}
    answer = client.post("/v1/models/kinds:shape", json=body).json()["outputs"]
    assert {name: output["shape"] for name, output in answer.items()} == outputs


def test_what_comes_out_has_the_shape_that_was_foretold(client):
    """The shapes of a prediction are those that were inferred for its inputs."""
    for rows in (1, 3):
        asked = {"signature_name": "sums", "inputs": {"x": [rows, 5]}}
        [size] = client.post("/v1/models/kinds:shape", json=asked).json()["outputs"]["y"]["shape"]
        body = {"signature_name": "sums", "inputs": [[1.0] * 5] * rows}
        assert len(client.post("/v1/models/kinds:predict", json=body).json()["outputs"]) == size == rows


def test_several_inputs_need_their_names(client):
    """`input_shape` is for signatures with one input."""
    answer = client.post("/v1/models/kinds:shape", json={"signature_name": "several", "input_shape": [5]})
    assert answer.status_code == 400
    assert "a shape for each of: a,m,z" in answer.json()["error"]
