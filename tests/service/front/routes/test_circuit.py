"""Circuits over HTTP: of models that qlayer exported, and of cards that nobody should believe."""

import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import pytest
from archives import zip_of
from cards import card, operation, write
from openqasm_machine import Machine

SCHEMA = json.loads((Path(__file__).parents[4] / "docs" / "circuit-card.schema.json").read_text())
M = "/v1/models"


def test_json(circuit_client, circuits):
    """The card as data: it fits the schema of both sides, and nothing is lost."""
    answer = circuit_client.get(f"{M}/gates/circuit")
    jsonschema.validate(answer.json(), SCHEMA)
    assert answer.json() == json.loads((circuits / "gates/1/assets.extra/circuit.json").read_text())
    assert answer.headers["content-type"] == "application/json"


def test_text(circuit_client, circuits):
    """The drawing of the card, as text that no browser takes for anything else."""
    answer = circuit_client.get(f"{M}/gates/circuit", headers={"accept": "text/plain"})
    assert "RX(inputs[0])" in answer.text
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    both = circuit_client.get(f"{M}/two/circuit?format=text").text
    assert both.index("second\n") >= 0
    assert both.index("first\n") >= 0


def test_svg(circuit_client):
    """A picture drawn here, which may run nothing."""
    answer = circuit_client.get(f"{M}/gates/circuit?format=svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    svg = ET.fromstring(answer.text)  # noqa: S314 -- our own server's
    written = {element.text for element in svg.iter("{http://www.w3.org/2000/svg}text")}
    assert {"a", "b", "c", "<d>", "H", "RX", "inputs[0]", "T†", "⟨Z⟩", "Var[Z]"} <= written


def test_qasm(circuit_client):
    """A program that a machine for OpenQASM runs; of one layer, where there are several."""
    program = circuit_client.get(f"{M}/two/circuit?format=qasm&layer=first").text
    assert Machine(program).is_measured
    both = circuit_client.get(f"{M}/two/circuit?format=qasm")
    assert both.status_code == 400
    assert "say which with ?layer=" in both.json()["error"]


def test_layers(circuit_client):
    """All layers, or the one asked for by name."""
    names = [layer["name"] for layer in circuit_client.get(f"{M}/two/circuit").json()["layers"]]
    assert sorted(names) == ["first", "second"]
    [only] = circuit_client.get(f"{M}/two/circuit?layer=first").json()["layers"]
    assert only["name"] == "first"


def test_versions(circuit_client):
    """A version by its number, in whatever capitals the path is written."""
    answer = circuit_client.get(f"{M}/gates/versions/1/circuit")
    assert answer.json() == circuit_client.get("/V1/models/gates/Versions/1/Circuit").json()
    assert answer.headers["vary"] == "accept"


NOT_FOUND = [
    ("affine/circuit", 404, "circuit_not_found", "the model has no circuit card"),
    ("two/circuit?layer=third", 404, "circuit_not_found", "no quantum layer 'third'; its layers are: "),
    ("nobody/circuit", 404, "model_not_found", "Latest(nobody)"),
    ("gates/versions/2/circuit", 404, "model_not_found", "Specific(gates, 2)"),
    ("gates/circuit?format=png", 400, "invalid_request", "format 'png' is none of: json, svg, text, qasm"),
]


@pytest.mark.parametrize(("path", "status", "code", "fragment"), NOT_FOUND)
def test_what_is_not_there(circuit_client, path, status, code, fragment):
    """A model without a card, a layer or a format that is not there: an error with its reason."""
    answer = circuit_client.get(f"{M}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert fragment in answer.json()["error"]


def test_an_uploaded_model_shows_its_circuit(circuit_client, circuits):
    """The card travels with the model: uploaded as a zip, the circuit is the same."""
    answer = circuit_client.put(f"{M}/uploaded/versions/3", content=zip_of(circuits / "gates" / "1"))
    assert answer.status_code == 201
    found = circuit_client.get(f"{M}/uploaded/versions/3/circuit").json()
    assert found == circuit_client.get(f"{M}/gates/circuit").json()


@pytest.fixture
def doubtful(circuit_client, circuits, savedmodels):
    """Give a served model another card, and ask for it in every form."""
    folder = circuits / "affine" / "1"

    def ask(content):
        write(folder, content)
        return {
            name: circuit_client.get(f"{M}/affine/circuit?format={name}") for name in ("json", "svg", "text", "qasm")
        }

    yield ask
    shutil.rmtree(folder / "assets.extra", ignore_errors=True)


def test_a_card_of_a_newer_format(doubtful):
    """It is shown as far as it is understood, and this is said."""
    content = card(operation("RX", [0], 0.5), {"new": 1}, format=2)
    answers = doubtful(content)
    assert {answer.status_code for answer in answers.values()} == {200}
    assert "format 2 of the circuit card is newer" in answers["json"].json()["note"]
    assert "format 2 of the circuit card is newer" in answers["svg"].text


def test_a_card_that_attacks(doubtful):
    """Markup and escape sequences in a card come out as harmless text in every form."""
    evil = "<script>alert(1)</script>\x1b[2J"
    content = card(operation(evil, [0], evil))
    content["layers"][0] |= {"text": evil, "openqasm": f"OPENQASM 3.0; {evil}", "name": evil}
    answers = doubtful(content)
    assert {answer.status_code for answer in answers.values()} == {200}
    assert not any("\x1b" in answer.text for answer in answers.values())
    assert "<script" not in answers["svg"].text
    for name in ("text", "qasm"):
        assert answers[name].headers["content-type"].startswith("text/plain")
        assert answers[name].headers["x-content-type-options"] == "nosniff"


def test_a_card_that_cannot_be_read(doubtful):
    """The reason is told, without the server's paths, and the model is served all the same."""
    for answer in doubtful("{").values():
        assert (answer.status_code, answer.json()["code"]) == (404, "circuit_not_found")
        assert "the circuit card cannot be read" in answer.json()["error"]
