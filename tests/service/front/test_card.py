"""Circuit cards are read under limits, and nothing of them is believed."""

import json
from pathlib import Path

import jsonschema
import pytest
from cards import card, operation, write

from service.errors import CircuitNotFound
from service.front.circuits import card as module
from service.front.circuits.card import Operation, read_card

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "circuit-card.schema.json").read_text())
RX = operation("RX", [0], 0.5)
Z = {"kind": "expval", "wires": [0], "observable": "Z(0)", "shots": None}


def read(folder, content):
    """The card with this content."""
    return read_card(write(folder, content))


def layer_with(**properties):
    """A card whose layer has other properties."""
    content = card(RX, measurements=[Z])
    content["layers"][0] |= properties
    return content


def test_our_cards_are_cards():
    """What these tests write is what qlayer writes, as the schema has it."""
    jsonschema.validate(card(RX, measurements=[Z]), SCHEMA)


def test_what_is_read(tmp_path):
    """Operations with their angles as numbers or text, controls and adjoints, measurements, and the figures."""
    content = card(
        RX, operation("T", ["b", 0], "inputs[0]", controls=1, adjoint=True), wires=[0, "b"], measurements=[Z]
    )
    found = read(tmp_path, content)
    assert (found.format, found.created_by, found.versions["keras"], found.batch_sizes) == (1, "qlayer 1", "3", ())
    [layer] = found.layers
    assert layer.operations == (
        Operation("RX", (0,), (0.5,), 0, is_adjoint=False),
        Operation("T", ("b", 0), ("inputs[0]",), 1, is_adjoint=True),
    )
    assert (layer.name, layer.wires, layer.depth, layer.output_shape) == ("layer", (0, "b"), 1, (1,))
    assert layer.measurements[0].observable == "Z(0)"


def test_exported_cards_are_read(circuits):
    """What qlayer.export writes is read without a loss: the same names, wires, angles and measurements."""
    for name in ("gates", "two", "drawn", "unequal", "samples"):
        folder = circuits / name / "1"
        written = json.loads((folder / "assets.extra" / "circuit.json").read_text())
        jsonschema.validate(written, SCHEMA)
        found = read_card(folder)
        for layer, expected in zip(found.layers, written["layers"], strict=True):
            assert [item.name for item in layer.operations] == [item["name"] for item in expected["operations"]]
            assert [list(item.angles) for item in layer.operations] == [i["angles"] for i in expected["operations"]]
            assert [list(item.wires) for item in layer.operations] == [i["wires"] for i in expected["operations"]]
            assert [vars(item) | {"wires": list(item.wires)} for item in layer.measurements] == expected["measurements"]
            assert (layer.text, layer.openqasm) == (expected["text"], expected["openqasm"])


def test_shots(tmp_path):
    """The number of shots of all that is drawn, where it is one number."""

    def shots(*numbers):
        measurements = [Z | {"shots": number} for number in numbers]
        return read(tmp_path / str(numbers), card(measurements=measurements)).shots

    assert shots(100, 100) == 100
    assert shots(100, None) == 100
    assert shots(100, 200) is None
    assert shots(None) is None


BAD = [
    ("no JSON", "{", "JSON Parse error"),
    ("no object", "[]", "Is not object"),
    ("deep", "[" * 100_000, "JSON Parse error"),
    ("deep in an object", '{"format": 1, "x": ' + "[" * 100_000, "JSON Parse error"),
    ("format", card(format="1"), '"1", expected a whole number'),
    ("format 0", card(format=0), "0, expected a whole number from 1"),
    ("layers", card(layers={}), "layers: expected a list"),
    ("layer", card(layers=[1]), "layers[0]. is 1, expected an object"),
    ("too many layers", card(layers=[{}] * 101), "layers: expected a list of at most 100"),
    ("wires", layer_with(wires=[[0]]), "layers[0].wires: "),
    ("wires twice", layer_with(wires=[0, 0]), "layers[0].wires: expected wires that differ"),
    ("too many wires", layer_with(wires=list(range(201))), "layers[0].wires: expected a list of at most 200"),
    ("unknown wire", card(operation("RX", [7], 1)), "layers[0].operations[0].wires: expected wires of its layer"),
    ("boolean as wire", card(operation("RX", [True], 1)), "true, expected a whole number"),
    ("name", card(operation(["RX"], [0], 1)), "layers[0].operations[0].name: expected text"),
    ("long name", card(operation("R" * 1001, [0], 1)), "expected text of at most 1000 characters"),
    ("angle", card(operation("RX", [0], [1])), "layers[0].operations[0].angles: "),
    ("huge angle", json.dumps(card(operation("RX", [0], 10**30, float("nan")))), "layers[0].operations[0].angles: "),
    ("many angles", card(operation("RX", [0], *[1] * 1001)), "angles: expected a list of at most 1000"),
    ("controls", card(operation("X", [0, 1], controls=3)), "controls: 3, expected a whole number from 1 to 2"),
    ("adjoint", card(operation("X", [0], adjoint=1)), "adjoint: 1, expected true or false"),
    ("missing", card({"name": "X", "wires": [0]}), "layers[0].operations[0].angles: expected a list"),
    ("counts", layer_with(gate_counts=[1]), "gate_counts: expected an object"),
    ("depth", layer_with(depth=-1), "depth: -1, expected a whole number from 0"),
    ("text", layer_with(text=5), "text: expected text"),
    ("measurement", card(measurements=[Z | {"shots": 0}]), "measurements[0].shots: 0, expected a whole number from 1"),
    ("observable", card(measurements=[Z | {"observable": 1}]), "measurements[0].observable: expected text"),
]


@pytest.mark.parametrize(("content", "fragment"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_bad_cards(tmp_path, content, fragment):
    """A card that is none is refused, with the place and what was expected there."""
    with pytest.raises(CircuitNotFound) as caught:
        read(tmp_path, content)
    assert caught.value.message.startswith("the circuit card cannot be read: ")
    assert fragment in caught.value.message
    assert str(tmp_path) not in caught.value.message


def test_limits(tmp_path, monkeypatch):
    """A file that is too large is not read; too many operations are refused."""
    monkeypatch.setattr(module, "CARD_MAX_BYTES", 100)
    with pytest.raises(CircuitNotFound, match="larger than the 100 bytes that are read"):
        read(tmp_path, card())
    monkeypatch.undo()
    with pytest.raises(CircuitNotFound, match="operations: expected a list of at most 50000"):
        read(tmp_path / "other", card(*[RX] * 50_001))


def test_models_without_a_card(tmp_path):
    """No file, or something else in its place."""
    with pytest.raises(CircuitNotFound, match="has no circuit card"):
        read_card(tmp_path)
    (tmp_path / "assets.extra" / "circuit.json").mkdir(parents=True)
    with pytest.raises(CircuitNotFound, match="circuit card"):
        read_card(tmp_path)


def test_a_newer_format_is_read_as_far_as_it_is_understood(tmp_path):
    """What is missing, has become something else, or names what is not there is left out; the rest is shown."""
    odd = {"name": {"text": "RZ"}, "wires": [0], "angles": [{"degrees": 90}], "when": "x"}
    content = card(RX, odd, operation("RY", [9], 1), "pulse", measurements=[Z, 5], format=2, created_by="qlayer 9")
    content["layers"] += [{"name": "empty"}, []]
    first, second = read(tmp_path, content).layers
    assert [item.name for item in first.operations] == ["RX", "?", "RY"]
    assert [item.wires for item in first.operations] == [(0,), (0,), ()]
    assert len(first.measurements) == 1
    assert (second.name, second.operations, second.wires) == ("empty", (), ())


def test_text_is_made_harmless(tmp_path):
    """Escape sequences of terminals, characters that turn the direction of text, and line breaks in names are gone."""
    content = layer_with(name="a\n\x1b[31mb\u202ec", text="0: ──\x1b]0;x\x07\n1: ──")
    [layer] = read(tmp_path, content).layers
    assert layer.name == "a [31mb c"
    assert layer.text == "0: ── ]0;x \n1: ──"


def test_numbers_that_are_none(tmp_path):
    """NaN and infinities among the angles are text."""
    content = json.dumps(card(operation("Rot", [0], float("nan"), float("inf"), 1e400)))
    [layer] = read(tmp_path, content).layers
    assert layer.operations[0].angles == ("nan", "inf", "inf")


def test_a_card_that_changes_is_read_again(tmp_path):
    """What was read is kept as long as the file stays the same."""
    first = read(tmp_path, card(RX))
    assert read_card(tmp_path) is first
    assert read(tmp_path, card(RX, RX)).layers[0].operations != first.layers[0].operations
