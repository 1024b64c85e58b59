"""What operators and newcomers look at."""

import json

import pytest


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/"])
def test_alive(client, path):
    """The server says that it is alive."""
    assert client.get(path).json() == {"status": "alive"}


def test_ready_with_failures_in_the_body(client):
    """A model that failed does not make the server unready; it is named with its reason."""
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    assert answer.json()["models"]["mlp/1"] == "AVAILABLE"
    assert "the model cannot be loaded" in answer.json()["failures"]["broken/1"]


def test_the_documentation_describes_predictions(client):
    """/docs is a page, and the document it shows has every path, the hot one too."""
    assert "swagger-ui" in client.get("/docs").text
    paths = client.get("/openapi.json").json()["paths"]
    assert "post" in paths["/v1/models/{model}:predict"]
    assert "post" in paths["/v2/models/{model}/infer"]
    assert "post" in paths["/v1/models/{model}:shape"]
    assert "put" in paths["/v1/models/{model}/versions/{version}"]


def test_the_documented_examples_of_an_inference_work_as_pasted(client):
    """Each example is answered by a model with two features, by the protocol's other path too."""
    operation = client.get("/openapi.json").json()["paths"]["/v2/models/{model}/infer"]["post"]
    for example in operation["requestBody"]["content"]["application/json"]["examples"].values():
        answer = client.post("/v2/models/identity/infer", content=json.dumps(example["value"])).json()
        assert answer["outputs"] == [{"name": "y", "datatype": "FP32", "shape": [2, 2], "data": [0.1, 0.2, 0.3, 0.4]}]
