"""Exponentials and powers of which something is calculated, against default.qubit and against their matrix."""

import numpy as np
import oracle
import pennylane as qml
import pytest
import scipy.linalg
import tensorflow as tf

from qlayer import UnsupportedError
from qlayer.recording.eigenbasis import power

EVOLVED = {
    "power of a gate": lambda x, w: qml.pow(qml.X(0), x[0]),
    "power by inputs and weights": lambda x, w: qml.pow(qml.Hadamard(1), w[0] * x[1]),
    "power of two wires": lambda x, w: qml.pow(qml.SWAP([0, 1]), x[0]),
    "time and coefficients": lambda x, w: qml.evolve(qml.Hamiltonian(w[:2], [qml.X(0) @ qml.Y(1), qml.Z(0)]), x[0]),
    "coefficients": lambda x, w: qml.exp(qml.dot(w[:2], [qml.X(0) @ qml.Y(1), qml.Z(0)]), 0.4j),
}


@pytest.mark.parametrize("name", EVOLVED)
@pytest.mark.parametrize("wrapper", [lambda body: body, qml.adjoint, lambda body: qml.ctrl(body, control=2)])
def test_values(name, wrapper):
    """A calculated exponential or power, its inverse and the controlled one give default.qubit's results."""

    def function(inputs, weights):
        for wire in range(3):
            qml.RY(0.4 + wire, wires=wire)
        wrapper(EVOLVED[name])(inputs, weights)
        return qml.expval(qml.Y(0) @ qml.X(1)), qml.probs(wires=[2, 0])

    oracle.assert_same(function, *oracle.random_arguments(1))


@pytest.mark.parametrize("name", EVOLVED)
def test_gradients(name):
    """The gradients are differences of default.qubit's values; PennyLane's own are wrong where terms do not commute."""

    def function(inputs, weights):
        qml.RY(0.4, wires=0)
        qml.RX(0.9, wires=1)
        EVOLVED[name](inputs, weights)
        return qml.expval(qml.Y(0) @ qml.X(1) + qml.Z(1))

    inputs, weights = oracle.random_arguments(2, batch=1)
    arguments = [tf.constant(inputs), tf.constant(weights["weights"])]
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        value = oracle.compiled(function, (4,), weights)(*arguments)
    found = np.concatenate([np.ravel(gradient) for gradient in tape.gradient(value, arguments)])
    qnode, step = qml.QNode(function, qml.device("default.qubit")), 1e-5
    point = np.concatenate([inputs[0], weights["weights"]])
    moved = point + step * np.concatenate([np.eye(8), -np.eye(8)])
    values = np.array([qnode(row[:4], row[4:]) for row in moved])
    np.testing.assert_allclose(found, (values[:8] - values[8:]) / (2 * step), atol=1e-7)


@pytest.mark.parametrize(
    "gate", [qml.X(0), qml.Hadamard(0), qml.S(0), qml.SWAP([0, 1]), qml.CZ([0, 1]), qml.ISWAP([0, 1])]
)
def test_principal_branch(gate):
    """A power is the principal one, also where rounding puts an eigenvalue of -1 below the real axis."""
    found = power(qml.pow(gate, 0.3))
    evolved = found.basis @ np.diag(np.exp(-1j * found.angle * found.energies)) @ found.basis.conj().T
    np.testing.assert_allclose(evolved, scipy.linalg.fractional_matrix_power(gate.matrix(), 0.3), atol=1e-12)


@pytest.mark.parametrize("coefficient", [0.3, 0.3 + 0.1j])
def test_exponents_that_are_not_imaginary(coefficient):
    """An exponential that is not unitary is refused, with calculated coefficients too."""

    def function(inputs, weights):
        qml.exp(qml.dot(weights[:2], [qml.X(0), qml.Z(0)]), coefficient)
        return qml.expval(qml.Z(0))

    with pytest.raises(UnsupportedError, match=r"operation 0 .* is not unitary: the exponent must be an imaginary"):
        oracle.compiled(function, (4,), {"weights": np.ones(4)})
