"""Warm-up requests: made before a model is served, and a reason to refuse it when they fail."""

import pathlib

import archives
import processes
import pytest

BAD = {
    "many": "more than 1000 records",
    "wrong_value": "record 4 of assets.extra/tf_serving_warmup_requests was refused: assertion failed",
    "wrong_signature": "record 4 of assets.extra/tf_serving_warmup_requests was refused: there is no signature",
    "wrong_input": "was refused: it has the inputs ['z'], and ['x'] were expected",
    "no_kind": "record 4 of assets.extra/tf_serving_warmup_requests cannot be used: it is no predict, classify",
    "no_record": "record 4 of assets.extra/tf_serving_warmup_requests cannot be used",
    "damaged": "is damaged: it is no file of TFRecords",
    "none": "40 is wanted",
}


def _build(here, folder):
    import sys

    sys.path.insert(0, here)
    import warmup_models

    warmup_models.build(folder)


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """A folder of models that refuse what we would try, with warm-up requests of all kinds."""
    folder = tmp_path_factory.mktemp("warm")
    processes.run_blocked(_build, str(pathlib.Path(__file__).parent), str(folder))
    return folder


@pytest.mark.parametrize("name", ["good", "partly", "grpc"])
def test_a_models_own_requests_warm_it_up(client, warm, name):
    """A model that refuses zeros and ones is accepted, because its own requests are made instead.

    A signature without any that takes texts may refuse the empty one: nobody knows what they mean.
    """
    answer = client.put(f"/v1/models/picky-{name}/versions/1", content=archives.zip_of(warm / name / "1"))
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("name", BAD)
def test_a_bad_request_refuses_the_model(client, warm, name):
    """The text names the record and what is wrong with it."""
    answer = client.put("/v1/models/picky/versions/1", content=archives.zip_of(warm / name / "1"))
    assert (answer.status_code, answer.json()["code"]) == (422, "warmup_failed"), answer.text
    assert BAD[name] in answer.json()["error"]
