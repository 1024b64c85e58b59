"""The circuit card: what is in it, and that it fits its schema, whatever the circuit."""

import json
from pathlib import Path

import jsonschema
import numpy as np
import pennylane as qml
import tensorflow as tf
from openqasm_machine import Machine

from qlayer import KerasLayer, __version__
from qlayer.exporting.card import card
from qlayer.exporting.freezing import freezing
from qlayer.exporting.openqasm import MARK

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "circuit-card.schema.json").read_text())


def layer_card(layer, inputs):
    """The card of a layer, checked, as it is after a journey through JSON."""
    with freezing() as frozen:
        tf.function(layer).get_concrete_function(tf.constant(inputs))
    found = json.loads(json.dumps(card(frozen.layers.values(), [])))
    jsonschema.validate(found, SCHEMA)
    return found


def test_schema():
    """The schema is one."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_a_card():
    """Wires by the user's labels, numbers for weights, arguments for inputs, depth, counts, measurements."""

    def function(inputs, weights):
        qml.RX(inputs[0], wires="a")
        qml.RY(2 * inputs[1], wires="b")
        qml.Rot(*weights, wires="a")
        qml.RZ(np.pi * weights[0], wires=7)
        qml.CNOT(["a", 7])
        qml.ctrl(qml.adjoint(qml.T("b")), control=[7, "a"])
        return qml.expval(0.5 * qml.X("a") @ qml.Z(7) + qml.Y("b")), qml.probs(wires=["b"]), qml.var(qml.Z("a"))

    layer = KerasLayer(qml.QNode(function, qml.device("default.qubit", wires=["a", "b", 7])), {"weights": 3}, None)
    layer(tf.zeros([1, 2]))
    weights = [0.25, -1.5, 0.125]
    layer.set_weights([np.array(weights)])
    found = layer_card(layer, np.zeros((1, 2), np.float32))
    assert found["format"] == 1
    assert found["created_by"] == f"qlayer {__version__}"
    assert found["versions"]["pennylane"] == qml.__version__
    (entry,) = found["layers"]
    calculated = entry["operations"][3].pop("angles")
    np.testing.assert_allclose(calculated, [np.pi * 0.25], rtol=1e-6)
    assert entry["operations"] == [
        {"name": "RX", "wires": ["a"], "angles": ["inputs[0]"]},
        {"name": "RY", "wires": ["b"], "angles": ["θ1"]},
        {"name": "Rot", "wires": ["a"], "angles": weights},
        {"name": "RZ", "wires": [7]},
        {"name": "PauliX", "wires": ["a", 7], "angles": [], "controls": 1},
        {"name": "T", "wires": [7, "a", "b"], "angles": [], "controls": 2, "adjoint": True},
    ]
    assert entry["gate_counts"] == {"RX": 1, "RY": 1, "Rot": 1, "RZ": 1, "CNOT": 1, "Adjoint(C(C(T)))": 1}
    assert entry["depth"] == 4
    assert entry["parameters"] == 3
    assert entry["output_shape"] == [4]
    assert entry["wires"] == ["a", "b", 7]
    assert entry["measurements"] == [
        {"kind": "expval", "wires": ["a", "b", 7], "observable": "0.5 * X('a') @ Z(7) + Y('b')", "shots": None},
        {"kind": "probs", "wires": ["b"], "observable": None, "shots": None},
        {"kind": "var", "wires": ["a"], "observable": "Z('a')", "shots": None},
    ]
    assert "// wires: q[0] is 'a', q[1] is 'b', q[2] is 7" in entry["openqasm"]
    assert not Machine(entry["openqasm"]).is_measured  # X is not read off in the computational basis
    assert "Rot(0.25, -1.5, 0.125)" in entry["text"]


def test_shots_and_preparation():
    """Shots are told, a prepared state is an operation, and results in the computational basis are measured."""

    @qml.set_shots(20)
    @qml.qnode(qml.device("default.qubit", wires=2))
    def circuit(inputs):
        qml.AmplitudeEmbedding(inputs, wires=[0, 1], normalize=True)
        return qml.sample(wires=[1])

    (entry,) = layer_card(KerasLayer(circuit, {}, None), np.ones((1, 4), np.float32))["layers"]
    assert entry["operations"] == [{"name": "StatePrep", "wires": [0, 1], "angles": []}]
    assert entry["measurements"] == [{"kind": "states", "wires": [1], "observable": None, "shots": 20}]
    assert f"{MARK}the prepared state of q[0], q[1]" in entry["openqasm"]
    assert Machine(entry["openqasm"]).is_measured


def test_weights_of_an_observable():
    """Coefficients that are calculated are shown as such; an observable of many terms is cut."""

    @qml.qnode(qml.device("default.qubit", wires=6))
    def circuit(inputs, weights):
        qml.AngleEmbedding(inputs, wires=range(2))
        many = qml.sum(*(qml.X(i) @ qml.Z(j) for i in range(6) for j in range(6) if i != j), *map(qml.Y, range(6)))
        return qml.expval(qml.Hamiltonian(weights, [qml.Z(0), qml.X(1)])), qml.expval(many @ qml.I(0) + many)

    layer = KerasLayer(circuit, {"weights": 2}, None)
    (entry,) = layer_card(layer, np.ones((1, 2), np.float32))["layers"]
    first, second = (found["observable"] for found in entry["measurements"])
    assert first == "θ * Z(0) + θ * X(1)"
    assert second.count(" + ") < 51
