"""The OpenAPI document: every path is there, and its examples work when they are pasted."""

import pytest

from service.front.verbs import VERBS

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
