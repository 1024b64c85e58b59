"""Seeds and shots: the results of models that draw, over HTTP."""

import asyncio

import httpx
import pytest

ROW = [0.7, -0.4]


def drawn(client, model="drawn", rows=(ROW,), **parameters):
    """What a model predicts."""
    body = {"instances": list(rows)} | ({"parameters": parameters} if parameters else {})
    return client.post(f"/v1/models/{model}:predict", json=body)


def test_the_same_seed_gives_the_same_answer(circuit_client):
    """Twice asked, twice the same; another seed gives another answer."""
    first = drawn(circuit_client, seed=7, shots=1000).json()["predictions"]
    assert drawn(circuit_client, seed=7, shots=1000).json()["predictions"] == first
    assert drawn(circuit_client, seed=8, shots=1000).json()["predictions"] != first


def test_without_a_seed_every_answer_is_fresh(circuit_client):
    """With as many shots as the model has, or as were asked for."""
    answers = {str(drawn(circuit_client).json()["predictions"]) for _ in range(8)}
    assert len(answers) > 1
    answers = {str(drawn(circuit_client, shots=1000).json()["predictions"]) for _ in range(8)}
    assert len(answers) > 1


def test_shots_are_the_circuit_cards_where_none_are_given(circuit_client):
    """A seed alone draws as often as the circuit does."""
    seeded = drawn(circuit_client, seed=7).json()["predictions"]
    assert seeded == drawn(circuit_client, seed=7, shots=100).json()["predictions"]
    assert seeded != drawn(circuit_client, seed=7, shots=101).json()["predictions"]


def test_a_seed_holds_among_others(circuit_client):
    """The answer to a seed does not depend on who else asks at the same time."""
    alone = drawn(circuit_client, seed=7, shots=500).json()["predictions"]
    url = f"{circuit_client.base_url}/v1/models/drawn:predict".replace("//v1", "/v1")

    async def ask(client, seed):
        body = {"instances": [ROW], "parameters": {"seed": seed, "shots": 500}}
        return (await client.post(url, json=body)).json()["predictions"]

    async def ask_all():
        async with httpx.AsyncClient(timeout=60) as client:
            return await asyncio.gather(*(ask(client, 7 if place % 3 == 0 else place) for place in range(30)))

    answers = asyncio.run(ask_all())
    assert [answers[place] for place in range(0, 30, 3)] == [alone] * 10
    assert answers[1] != alone


def test_more_shots_are_nearer_to_the_mean(circuit_client):
    """A million shots with two seeds agree to two digits."""
    first, second = (drawn(circuit_client, seed=seed, shots=1_000_000).json()["predictions"][0] for seed in (1, 2))
    assert first == pytest.approx(second, abs=0.01)
    assert first != second


def test_a_model_whose_number_of_shots_is_fixed(circuit_client):
    """It takes a seed; shots are refused, because their number is in the shape of its result."""
    first = drawn(circuit_client, "samples", seed=7).json()["predictions"]
    assert drawn(circuit_client, "samples", seed=7).json()["predictions"] == first
    answer = drawn(circuit_client, "samples", seed=7, shots=5)
    assert answer.status_code == 400
    assert "the number of shots of this model is fixed" in answer.json()["error"]


REFUSED = [
    ("unequal", {"seed": 7}, "give 'shots' beside 'seed'"),
    ("gates", {"seed": 7}, "'seed' and 'shots' are for models whose results are drawn"),
    ("drawn", {"shots": 0}, "parameter 'shots' is 0, expected a whole number from 1"),
    ("drawn", {"seed": 0.5}, "parameter 'seed' is 0.5, expected a whole number"),
]


@pytest.mark.parametrize(("model", "parameters", "fragment"), REFUSED)
def test_what_is_refused(circuit_client, model, parameters, fragment):
    """Parameters that a model cannot follow are refused, with the reason."""
    answer = drawn(circuit_client, model, **parameters)
    assert answer.status_code == 400
    assert fragment in answer.json()["error"]


def test_layers_that_draw_unequally_take_given_shots(circuit_client):
    """Where the circuits differ in their shots, the number that is given holds for all."""
    body = {"inputs": [ROW], "parameters": {"seed": 7, "shots": 50}}
    first, second = (circuit_client.post("/v1/models/unequal:predict", json=body).json() for _ in range(2))
    assert first == second
    assert len(first["outputs"]) == 2
