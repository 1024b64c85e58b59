"""What the Open Inference Protocol tells of the server and its models."""

import json

import processes
import pytest

SPEC = {"name": "x", "datatype": "FP32", "shape": [-1, 4]}


@pytest.mark.parametrize("path", ["/v2", "/v2/"])
def test_the_server(client, path):
    """Its name, its version, and the extensions that are there."""
    answer = client.get(path).json()
    assert answer.keys() == {"name", "version", "extensions", "sandbox"}
    assert {"binary_tensor_data", "classification", "statistics", "model_configuration"} <= set(answer["extensions"])
    assert {"model_repository", "model_repository(unload_dependents)"} <= set(answer["extensions"])
    assert answer["sandbox"] == client.get("/readyz").json()["sandbox"]


def test_health(client):
    """Bodies that satisfy every client: those that look at the status, and those that read a key."""
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"live": True, "ready": True}
    assert client.get("/v2/models/affine/ready").json() == {"name": "affine", "ready": True}
    assert client.get("/v2/models/affine/versions/1/ready").json() == {"name": "affine", "ready": True}


def test_a_model_that_is_not_ready(client):
    """503 with the reason and `ready` false; a model that is not there is 404."""
    answer = client.get("/v2/models/broken/ready")
    assert (answer.status_code, answer.json()["ready"], answer.json()["name"]) == (503, False, "broken")
    assert "Model version not ready" in answer.json()["error"]
    assert client.get("/v2/models/nobody/ready").status_code == 404
    assert client.get("/v2/models/affine/versions/9/ready").status_code == 404


def test_the_server_is_not_ready_before_its_models(models):
    """Alive at once, ready when every model had its attempt."""
    with processes.Server(models) as server:
        answer = server.wait_until("/v2/health/ready", 503)
        assert answer.json() == {
            "live": True,
            "ready": False,
            "error": "the server is not ready: models are still loading",
            "code": "model_unavailable",
        }
        assert server.wait_until("/v2/health/live").json() == {"live": True}
        assert server.wait_until("/v2/health/ready").json()["ready"] is True


def test_the_names_of_models(client):
    """All of them, sorted, as KServe lists them."""
    assert client.get("/v2/models").json() == client.get("/v1/models").json()


def test_metadata(client):
    """Inputs and outputs of the default signature, -1 where free, and what has no other place as properties."""
    answer = client.get("/v2/models/affine").json()
    properties = answer.pop("properties")
    assert answer == {
        "name": "affine",
        "versions": ["1"],
        "platform": "tensorflow_savedmodel",
        "inputs": [SPEC],
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1, 2]}],
    }
    assert properties == {
        "signature_name": "serving_default",
        "signatures": "doubled,serving_default,total",
        "shape": "/v1/models/affine/versions/1:shape",
    }
    assert client.get("/v2/models/affine/versions/1").json() == {**answer, "properties": properties}


def test_metadata_of_another_signature(client):
    """By name; complex tensors are named where they cannot be told from pairs."""
    answer = client.get("/v2/models/zoo", params={"signature_name": "complex_numbers"}).json()
    assert answer["inputs"] == [{"name": "z", "datatype": "FP32", "shape": [-1, 2]}]
    assert (answer["properties"]["complex_inputs"], answer["properties"]["complex_outputs"]) == ("z", "conjugate")
    unknown = client.get("/v2/models/identity?signature_name=string").json()
    assert unknown["inputs"] == [{"name": "x", "datatype": "BYTES", "shape": [-1]}]
    assert unknown["properties"]["unknown_rank"] == "x,y"


def test_a_model_without_a_default_signature_has_its_first(client):
    """The protocol knows no signatures: metadata and inference mean the same one."""
    assert client.get("/v2/models/zoo").json()["inputs"] == [{"name": "flag", "datatype": "BOOL", "shape": [-1]}]
    body = {"inputs": [{"name": "flag", "shape": [1], "datatype": "BOOL", "data": [True]}]}
    assert client.post("/v2/models/zoo/infer", json=body).json()["outputs"][0]["data"] == [False]


def test_configuration(client):
    """Sizes of one row where rows are batched, as Triton writes it; else whole shapes and no batching."""
    config = client.get("/v2/models/affine/versions/1/config").json()
    assert (config["name"], config["max_batch_size"]) == ("affine", 64)
    assert config["input"] == [{"name": "x", "data_type": "TYPE_FP32", "dims": [4]}]
    assert config["output"] == [{"name": "y", "data_type": "TYPE_FP32", "dims": [2]}]
    assert config["instance_group"][0]["count"] == 1
    assert client.get("/v2/models/affine/config").json() == config


def test_statistics_have_every_key(client):
    """perf_analyzer indexes them without looking: each is there, and each is a whole number."""
    body = {"inputs": [{**SPEC, "shape": [3, 4], "data": [0] * 12}]}
    [before] = client.get("/v2/models/affine/stats").json()["model_stats"]
    assert client.post("/v2/models/affine/infer", json=body).status_code == 200
    assert client.post("/v2/models/affine/infer", json={"inputs": []}).status_code == 400
    [after] = client.get("/v2/models/affine/versions/1/stats").json()["model_stats"]
    assert after["inference_count"] - before["inference_count"] == 3
    assert after["execution_count"] - before["execution_count"] == 1
    assert after["last_inference"] > 0
    durations = ["success", "fail", "queue", "compute_input", "compute_infer", "compute_output"]
    durations += ["cache_hit", "cache_miss"]
    assert list(after["inference_stats"]) == durations
    for name in durations:
        assert {key: type(value) for key, value in after["inference_stats"][name].items()} == {"count": int, "ns": int}
    assert after["inference_stats"]["success"]["count"] - before["inference_stats"]["success"]["count"] == 1
    [batch] = [item for item in after["batch_stats"] if item["batch_size"] == 3]
    assert batch.keys() == {"batch_size", "compute_input", "compute_infer", "compute_output"}


def test_statistics_of_all_models(client):
    """`stats` is no model's name: those that are served are in it."""
    names = [item["name"] for item in client.get("/v2/models/stats").json()["model_stats"]]
    assert {"affine", "zoo"} <= set(names)
    assert "broken" not in names
    answer = client.get("/v2/models/nobody/stats")
    assert (answer.status_code, answer.json()["code"]) == (404, "model_not_found")
    assert "requested model 'nobody' is not available" in answer.json()["error"]


def test_logging_can_be_changed(client):
    """Settings that are given change, the others stay; null stands for the same."""
    before = client.get("/v2/logging").json()
    assert before == {
        "log_file": "",
        "log_format": "default",
        "log_info": True,
        "log_warning": True,
        "log_error": True,
        "log_verbose_level": 0,
    }
    try:
        assert client.post("/v2/logging", json={"log_info": False, "log_error": None}).json() == {
            **before,
            "log_info": False,
        }
        assert client.post("/v2/logging", json={"log_info": True, "log_verbose_level": 1}).json() == {
            **before,
            "log_verbose_level": 1,
        }
        assert client.get("/v2/logging").json()["log_verbose_level"] == 1
    finally:
        assert client.post("/v2/logging", json=before).json() == before


@pytest.mark.parametrize(
    ("body", "fragment"),
    [
        ({"log_file": "server.log"}, "'log_file' cannot be changed over the network"),
        ({"log_format": "ISO8601"}, "'log_format' cannot be changed"),
        ({"log_file": ["x"]}, "'log_file' cannot be changed"),
        ({"log_info": 1}, "'log_info' is 1, expected true or false"),
        ({"log_verbose_level": -1}, "Unable to parse 'log_verbose_level'"),
        ({"log_warning": False}, "what is logged is everything from one level on"),
        ({"log_colour": True}, "unknown setting 'log_colour'"),
    ],
)
def test_logging_that_cannot_be(client, body, fragment):
    """400 with what can."""
    answer = client.post("/v2/logging", content=json.dumps(body))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert fragment in answer.json()["error"]


def test_logging_is_changed_by_managers_only(server, client):
    """Reading is free on loopback, changing is not."""
    del client.headers["authorization"]
    try:
        assert client.get("/v2/logging").status_code == 200
        assert client.post("/v2/logging", json={}).status_code == 401
    finally:
        client.headers["authorization"] = f"Bearer {processes.MANAGE_KEY}"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v2/trace/setting", 501, "not_supported"),
        ("POST", "/v2/models/affine/trace/setting", 501, "not_supported"),
        ("GET", "/v2/systemsharedmemory/status", 501, "not_supported"),
        ("POST", "/v2/systemsharedmemory/region/x/register", 501, "not_supported"),
        ("POST", "/v2/cudasharedmemory/unregister", 501, "not_supported"),
        ("POST", "/v2/models/affine/generate", 501, "not_supported"),
        ("POST", "/v2/models/affine/versions/1/generate_stream", 501, "not_supported"),
        ("GET", "/v2/nothing", 404, "not_found"),
        ("GET", "/v2/models/affine/", 404, "not_found"),
        ("DELETE", "/v2/models/affine", 405, "method_not_allowed"),
        ("GET", "/v2/models/nobody", 404, "model_not_found"),
        ("GET", "/v2/models/affine/versions/x", 400, "invalid_version"),
        ("GET", "/v2/models/broken", 404, "model_not_found"),
        ("GET", "/v2/models/broken/versions/1", 503, "model_unavailable"),
        ("GET", "/v2/models/affine?signature_name=z", 400, "signature_not_found"),
        ("GET", "/v2/models/nobody/config", 404, "model_not_found"),
    ],
)
def test_what_is_not_there(client, method, path, status, code):
    """One form of error for all of it, with exactly the content type that KServe's client reads it under."""
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert isinstance(answer.json()["error"], str)
    assert answer.headers["content-type"] == "application/json"
