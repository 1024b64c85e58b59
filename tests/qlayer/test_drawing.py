"""Drawings: a line for each wire, and where each angle comes from."""

import numpy as np
import pennylane as qml

from qlayer import KerasLayer


def test_everything_in_a_drawing():
    """Preparation, angles by argument, numbers, calculated angles, controls across a wire, adjoints, observables."""

    @qml.qnode(qml.device("default.qubit", wires=["a", "b", 2]))
    def circuit(inputs, weights, angle):
        qml.StatePrep(np.array([0.6, 0, 0, 0.8]), wires=["a", "b"])
        qml.RX(inputs[1], "a")
        qml.RY(weights[0, 2], "b")
        qml.RY(2 * angle, 2)
        qml.RZ(0.5, "a")
        qml.CNOT(["a", 2])
        qml.adjoint(qml.S("b"))
        qml.Toffoli(["a", "b", 2])
        qml.T(2)
        return qml.expval(qml.Z("a") @ qml.X(2)), qml.probs(wires=["b"]), qml.expval(qml.Z("a") + qml.Z("b"))

    layer = KerasLayer(circuit, {"weights": (1, 3), "angle": 1}, None, sample_shape=2)
    assert layer.draw().splitlines() == [
        "a: ──╭|Ψ⟩───RX(inputs[1])──────RZ(0.5)──╭●──────╭●─────┤  ╭<Z@X>       ╭<H>",
        "b: ──╰|Ψ⟩───RY(weights[0, 2])───────────│───S†──├●─────┤  │      Probs ╰<H>",
        "2: ──RY(θ)──────────────────────────────╰X──────╰X──T──┤  ╰<Z@X>",
    ]


def test_no_operations():
    """A circuit without operations still shows its wires and measurements."""

    @qml.qnode(qml.device("default.qubit", wires=2))
    def circuit(inputs):
        return qml.state()

    assert KerasLayer(circuit, {}, None, sample_shape=1).draw() == "0: ──┤  ╭State\n1: ──┤  ╰State"
