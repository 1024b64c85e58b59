"""The OpenAPI document: every path is there, and its examples work when they are pasted."""

import archives
import httpx
import processes
import pytest

from service.front.documentation.verbs import VERBS

PLACES = ["", "/versions/{version}", "/labels/{label}"]


@pytest.fixture(scope="module")
def document(client):
    """The server's document."""
    return client.get("/openapi.json").json()


@pytest.mark.parametrize("ending", [*(f":{verb.name}" for verb in VERBS), ":shape", "", "/metadata", "/circuit"])
def test_every_path_is_there(document, ending):
    """Each question can be asked of a model, a version and a label."""
    for place in PLACES:
        [operation] = [
            found for verb, found in document["paths"][f"/v1/models/{{model}}{place}{ending}"].items() if verb != "put"
        ][:1]
        assert operation["summary"]
        names = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
        assert names == {
            "model",
            *(["version"] if "version" in place else []),
            *(["label"] if "label" in place else []),
        }


def test_operations_have_names_of_their_own(document):
    """Generated clients need them."""
    names = [found["operationId"] for path in document["paths"].values() for found in path.values()]
    assert len(set(names)) == len(names)


MODELS = {"rows": "two", "columns": "two", "drawn": "drawn"}


@pytest.mark.parametrize("name", MODELS)
def test_examples_of_predictions_work(document, circuit_client, name):
    """A model with two features answers the examples as they stand."""
    operation = document["paths"]["/v1/models/{model}:predict"]["post"]
    example = operation["requestBody"]["content"]["application/json"]["examples"][name]["value"]
    answer = circuit_client.post(f"/v1/models/{MODELS[name]}:predict", json=example)
    assert answer.status_code == 200


@pytest.mark.parametrize(("verb", "signature"), [("classify", "classify"), ("regress", "regress")])
def test_examples_of_examples_work(document, client, verb, signature):
    """A model of tf.Examples answers the example, once it is told which signature is meant."""
    operation = document["paths"][f"/v1/models/{{model}}:{verb}"]["post"]
    example = operation["requestBody"]["content"]["application/json"]["examples"]["features"]["value"]
    answer = client.post(f"/v1/models/scoring:{verb}", json={"signature_name": signature, **example})
    assert len(answer.json()["results"]) == 2


def test_examples_of_shapes_work(document, circuit_client):
    """The example of a question for shapes."""
    operation = document["paths"]["/v1/models/{model}:shape"]["post"]
    example = operation["requestBody"]["content"]["application/json"]["example"]
    assert circuit_client.post("/v1/models/two:shape", json=example).status_code == 200


UPLOAD, UPLOAD_NEXT = "put /v1/models/{model}/versions/{version}", "post /v1/models/{model}/versions"
FIRST = [UPLOAD, "put /v1/models/{model}/labels/{label}"]
LAST = [
    "post /v2/repository/models/{model}/unload",
    "post /v2/repository/models/{model}/load",
    "delete /v1/models/{model}/labels/{label}",
    "delete /v1/models/{model}/versions/{version}",
    "post /v1/models/{model}/versions/{version}:restore",
    "delete /v1/models/{model}",
    "post /v1/models/{model}/versions/{version}:restore",
    UPLOAD_NEXT,
    "post /v1/models/{model}:rollback",
]
UPLOADS = {UPLOAD: "two", UPLOAD_NEXT: "gates"}
"""The model that is uploaded; a document of text has no example of an archive."""

OF_OTHER_MODELS = (":classify", ":regress")
"""Verbs for models of tf.Examples; see test_examples_of_examples_work."""
OF_DRAWN_MODELS = "drawn"
"""An example for models with finite shots; see test_examples_of_predictions_work."""


def in_order(document):
    """All operations, in the one order in which each finds what its example names."""
    names = [f"{method} {path}" for path, operations in document["paths"].items() for method in operations]
    between = [name for name in names if name not in FIRST + LAST and not name.endswith(OF_OTHER_MODELS)]
    assert set(FIRST + LAST) < set(names)
    return [*FIRST, *between, *LAST]


def examples_of(operation):
    """The bodies that an operation's document shows; one of nothing where it shows none."""
    shown = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    several = [example["value"] for name, example in shown.get("examples", {}).items() if name != OF_DRAWN_MODELS]
    return several or [shown.get("example")]


def test_every_example_works_when_pasted(document, circuits, tmp_path):
    """From the upload of a model to its last change: operations answer their examples with a documented success."""
    headers = {"Authorization": f"Bearer {processes.MANAGE_KEY}"}
    with processes.Server(tmp_path) as server, httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
        server.wait_until("/readyz")
        for name in in_order(document):
            method, path = name.split()
            operation = document["paths"][path][method]
            parts = {part["name"]: part["example"] for part in operation.get("parameters", ()) if part["in"] == "path"}
            for example in examples_of(operation):
                archive = archives.zip_of(circuits / UPLOADS[name] / "1") if name in UPLOADS else None
                body = {"content": archive} if archive else {"json": example} if example is not None else {}
                answer = client.request(method, path.format(**parts), **body)
                assert answer.is_success, (name, answer.text)
                assert str(answer.status_code) in operation["responses"]
