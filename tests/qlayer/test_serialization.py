"""Circuits as JSON data: nothing is lost, and defaults take no place."""

import json

import pytest

from qlayer.circuits.circuit import Circuit, Measurement, Operation, Parameter, PauliTerm
from qlayer.circuits.serialization import from_data, to_data


def round_trip(value, hint):
    """Through JSON's text and back."""
    return from_data(json.loads(json.dumps(to_data(value, hint))), hint)


CIRCUIT = Circuit(
    wire_labels=("a", 1),
    operations=(
        Operation("RX", (0,), (Parameter((), (), 0, (3,)),)),
        Operation("QubitUnitary", (1,), (Parameter((2, 2), (1.0, 0.0, 0.0, -1j)),)),
        Operation("PauliX", (0, 1), controls=1, is_adjoint=True),
    ),
    measurements=(Measurement("expval", (), (PauliTerm(0.1, ((0, "Z"), (1, "X"))),)), Measurement("probs", (1,))),
    angle_outputs=(),
)


def test_circuits_survive():
    """A circuit is the same after it was text, and its default values are not in the text."""
    assert round_trip(CIRCUIT, Circuit) == CIRCUIT
    assert to_data(CIRCUIT.operations[2], Operation) == {
        "name": "PauliX",
        "wires": [0, 1],
        "controls": 1,
        "is_adjoint": True,
    }


@pytest.mark.parametrize("value", [0.1, -0.0, 1e-300, 1 / 3, complex(0.1, -0.0), complex(-1, 1 / 3)])
def test_numbers_are_exact(value):
    """Every bit of a number survives, the sign of a zero too."""
    assert repr(round_trip(value, complex)) == repr(value)


def test_labels_become_text():
    """A wire's label that JSON does not know becomes its text."""
    circuit = Circuit((("row", 1), 2), (), (), ())
    assert round_trip(circuit, Circuit).wire_labels == ("('row', 1)", 2)


@pytest.mark.parametrize(
    ("data", "message"),
    [({"name": "RX"}, "the field 'wires' of Operation is missing"), ({"nam": 1}, "Operation has no field 'nam'")],
)
def test_wrong_data_is_named(data, message):
    """Data that does not fit a record names the field."""
    with pytest.raises(ValueError, match=message):
        from_data(data, Operation)
