"""Classify and regress over HTTP."""

import asyncio
import base64
import json

import httpx
import pytest
from archives import zip_of

from service.front.codecs.examples import parse_examples

M = "/v1/models/scoring"


def ask(client, verb, signature, *examples, **more):
    """The answer for examples."""
    return client.post(f"{M}:{verb}", json={"signature_name": signature, "examples": list(examples), **more})


def test_classes_with_scores(client):
    """A list of label and score for each example, features of the context among its own."""
    answer = ask(
        client, "classify", "classify", {"theta": 0.25}, {"theta": 0.5, "device": "b"}, context={"device": "a"}
    )
    assert answer.json() == {"results": [[["a", 0.25], ["other", 0.75]], [["b", 0.5], ["other", 0.5]]]}


def test_classes_or_scores_alone(client):
    """Labels are empty where there are only scores, scores are 0 where there are only labels."""
    assert ask(client, "classify", "scores", {"theta": 1.0}).text == '{"results":[[["",1.0],["",0.0]]]}'
    assert ask(client, "classify", "classes", {"theta": 1.0}).text == '{"results":[[["none",0.0],["other",0.0]]]}'


@pytest.mark.parametrize("signature", ["regress", "column"])
def test_regression(client, signature):
    """One number for each example, whether the model gives them as a vector or as a column."""
    answer = ask(client, "regress", signature, {"theta": 0.25, "phi": [0.5, 1.0]}, {"theta": 0.1, "n": 3})
    assert answer.text == '{"results":[1.75,3.1]}'


def test_special_numbers(client):
    """NaN and infinities go in and come out as bare tokens."""
    body = '{"signature_name": "regress", "examples": [{"theta": NaN}, {"theta": -Infinity}]}'
    assert client.post(f"{M}:regress", content=body).text == '{"results":[NaN,-Infinity]}'
    body = body.replace("regress", "scores")
    text = client.post(f"{M}:classify", content=body).text
    assert text == '{"results":[[["",NaN],["",NaN]],[["",-Infinity],["",Infinity]]]}'


@pytest.mark.parametrize("path", ["versions/1:classify", "versions/1:CLASSIFY"])
def test_versions(client, path):
    """A version by its number."""
    body = {"signature_name": "scores", "examples": [{"theta": 1.0}]}
    assert client.post(f"{M}/{path}", json=body).json() == {"results": [[["", 1.0], ["", 0.0]]]}


REFUSED = [
    (
        "classify",
        "serving_default",
        "signature method_name to be tensorflow/serving/classify. Was: tensorflow/serving/",
    ),
    ("classify", "", "Expected classification signature method_name"),
    ("classify", "regress", "Was: tensorflow/serving/regress"),
    ("regress", "classify", "Expected regression signature method_name to be tensorflow/serving/regress. Was: "),
    ("regress", "foo", 'Serving signature name: "foo" not found in signature def'),
]


@pytest.mark.parametrize(("verb", "signature", "fragment"), REFUSED)
def test_signatures_for_another_method(client, verb, signature, fragment):
    """A signature that is not for the method is refused, with the method it is for."""
    answer = ask(client, verb, signature, {"theta": 0.5})
    assert answer.status_code == 400
    assert fragment in answer.json()["error"]


def test_what_the_model_cannot_parse(client):
    """A feature that the model needs and an example lacks, or has with another type, is the caller's error."""
    for example in ({}, {"theta": 1}, {"theta": "x"}):
        answer = ask(client, "regress", "regress", example)
        assert (answer.status_code, answer.json()["code"]) == (400, "model_failed")
        assert "theta" in answer.json()["error"]


def test_serialized_examples_are_predicted_too(client):
    """A signature for tf.Examples can be asked by predict, with examples serialized by the caller, in base64."""
    [example] = parse_examples(b'{"examples": [{"theta": 0.25}]}').examples
    body = {"signature_name": "regress", "instances": [{"b64": base64.b64encode(example).decode()}]}
    assert client.post(f"{M}:predict", json=body).json() == {"predictions": [0.25]}


def test_a_model_of_examples_can_be_uploaded(client, savedmodels):
    """It is accepted, though no example of ours can warm it up, and answers."""
    answer = client.put("/v1/models/uploaded_scoring/versions/1", content=zip_of(savedmodels / "scoring" / "1"))
    assert answer.status_code == 201, answer.text
    body = {"signature_name": "regress", "examples": [{"theta": 0.5}]}
    assert client.post("/v1/models/uploaded_scoring:regress", json=body).json() == {"results": [0.5]}


def test_many_callers_are_batched(server):
    """Fifty concurrent callers each get the result of their own example."""

    async def ask_one(client, number):
        body = json.dumps({"signature_name": "regress", "examples": [{"theta": float(number)}]})
        return (await client.post(f"{server.url}{M}:regress", content=body)).json()["results"]

    async def ask_all():
        async with httpx.AsyncClient(timeout=60) as client:
            return await asyncio.gather(*(ask_one(client, number) for number in range(50)))

    assert asyncio.run(ask_all()) == [[float(number)] for number in range(50)]
