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


def test_what_is_drawn_with_shots():
    """Postselection, shadows, samples of wires, words and matrices, and a sum with calculated coefficients."""

    @qml.set_shots(10)
    @qml.qnode(qml.device("default.qubit", wires=2))
    def circuit(inputs, weights):
        qml.RX(inputs[0], wires=0)
        qml.measure(0, postselect=1, reset=True)
        qml.RY(0.5, wires=1)
        return [
            qml.expval(qml.Hamiltonian(weights, [qml.X(0), qml.Z(1)])),
            qml.classical_shadow(wires=[0]),
            qml.shadow_expval(qml.X(0)),
            qml.sample(wires=1),
            qml.sample(qml.X(0)),
            qml.sample(qml.Hermitian(np.eye(2), 1)),
            qml.var(qml.Z(0)),
        ]

    first, second, *_ = KerasLayer(circuit, {"weights": 2}, None, sample_shape=1).draw().splitlines()
    assert first.startswith("0: ──RX(inputs[0])──Projection(1)──")
    assert first.partition("┤")[2].split() == ["╭<H>", "Shadow", "<X>", "Sample[X]", "var[Z]"]
    assert second.partition("┤")[2].split() == ["╰<H>", "Sample", "Sample"]


def test_channels():
    """A channel is one sign on all its wires."""

    @qml.qnode(qml.device("default.mixed", wires=2))
    def circuit(inputs, weight):
        qml.AmplitudeDamping(weight, wires=0)
        qml.PauliError("XY", 0.1, wires=[0, 1])
        return qml.state()

    layer = KerasLayer(circuit, {"weight": 1}, None, sample_shape=1)
    assert layer.draw() == "0: ──Channel──╭Channel──┤  ╭density_matrix\n1: ───────────╰Channel──┤  ╰density_matrix"
