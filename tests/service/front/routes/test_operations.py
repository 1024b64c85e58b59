"""What operators and newcomers look at."""

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
    assert "post" in paths["/v1/models/{model}:shape"]
    assert "put" in paths["/v1/models/{model}/versions/{version}"]
