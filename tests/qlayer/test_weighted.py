"""Observables with calculated coefficients, against default.qubit: values, gradients, shots, configuration."""

import json

import numpy as np
import oracle
import pennylane as qml
import pytest
import tensorflow as tf

from qlayer import KerasLayer, UnsupportedError

OBSERVABLES = {
    "Hamiltonian": lambda x, w: qml.Hamiltonian(w[:2], [qml.X(0), qml.Z(1) @ qml.Y(0)]),
    "with a constant": lambda x, w: qml.Hamiltonian([w[0], 0.4], [qml.X(0), qml.Z(1)]),
    "with a matrix": lambda x, w: qml.Hamiltonian(w[:2], [qml.X(0), qml.Hermitian(np.diag([1, 2]), 0)]),
    "product": lambda x, w: qml.s_prod(x[0], qml.X(0)),
    "product by an operator": lambda x, w: (qml.X(0) @ qml.Z(1)) * w[0],
    "nested": lambda x, w: qml.s_prod(w[0], qml.sum(qml.X(0), qml.s_prod(w[1], qml.Z(0)))),
    "sum with a matrix": lambda x, w: qml.s_prod(w[0] * x[1], qml.Hadamard(1)) + 2.0 * qml.Projector([1], 0),
    "nested with a matrix": lambda x, w: qml.s_prod(w[0], qml.Hadamard(0) + qml.X(1) - qml.Hadamard(1)),
    "Hamiltonian of sums": lambda x, w: qml.Hamiltonian(w[:2], [qml.X(0) + qml.Z(0), 3 * qml.Hadamard(1)]),
    "dot": lambda x, w: qml.dot(w[:2] * x[1], [qml.X(0), qml.Z(1)]),
}


def measured(name):
    """A quantum function with one of the observables, and a probability."""

    def function(inputs, weights):
        qml.RX(inputs[0], wires=0)
        qml.RY(weights[2], wires=1)
        qml.CNOT([0, 1])
        return qml.expval(OBSERVABLES[name](inputs, weights)), qml.probs(wires=[1])

    return function


@pytest.mark.parametrize("name", OBSERVABLES)
def test_values_and_gradients(name):
    """Expectation values, and gradients by the coefficients as well as by the angles, are PennyLane's."""
    arguments = oracle.random_arguments(1)
    oracle.assert_same(measured(name), *arguments)
    oracle.assert_same_gradients(measured(name), *arguments, diff_method="backprop")


def test_a_constant_among_the_terms():
    """A number that is added to a sum is a term without wires, also with finite shots."""

    def function(inputs, weights):
        qml.RX(inputs[0], wires=0)
        return qml.expval(weights[0] * qml.Z(0) + 1.5 * qml.I())

    inputs, weights = oracle.random_arguments(1)
    expected = weights["weights"][0] * np.cos(inputs[:, 0]) + 1.5
    for shots, tolerance in ((None, 1e-10), (100_000, 0.05)):
        circuit = oracle.compiled(function, (4,), weights, shots=shots)
        found = circuit(tf.constant(inputs), tf.constant(weights["weights"]))
        np.testing.assert_allclose(found, expected, atol=tolerance)


def test_product_with_a_weight_on_the_left():
    """`weights[0] * observable` is an observable too."""

    def function(inputs, weights):
        qml.RX(inputs[0], wires=0)
        return qml.expval(weights[0] * qml.Z(0) + weights[1] * inputs[1] * qml.Y(0))

    inputs, weights = oracle.random_arguments(1)
    found = oracle.compiled(function, (4,), weights)(tf.constant(inputs), tf.constant(weights["weights"]))
    first, second = weights["weights"][:2]
    expected = first * np.cos(inputs[:, 0]) - second * inputs[:, 1] * np.sin(inputs[:, 0])
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_shots():
    """With finite shots every term is drawn, and the coefficients keep their gradient."""
    inputs, weights = oracle.random_arguments(1)
    x, w = tf.constant(inputs), tf.constant(weights["weights"])
    found = []
    for shots in (None, 100_000):
        circuit = oracle.compiled(measured("Hamiltonian"), (4,), weights, shots=shots)
        tf.random.set_seed(2)
        with tf.GradientTape() as tape:
            tape.watch(w)
            values = circuit(x, w)[:, 0]
            total = tf.reduce_sum(values)
        found.append((values, tape.gradient(total, w)))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=5 * 3 * 5 / np.sqrt(100_000))


def test_configuration():
    """A layer made of its configuration has the same numbers, and draws the sum on its wires."""
    qnode = qml.QNode(measured("Hamiltonian"), qml.device("default.qubit"))
    layer = KerasLayer(qnode, {"weights": 4}, output_dim=None, dtype="float64")
    inputs = tf.constant(oracle.random_arguments(1)[0])
    expected = layer(inputs)
    again = KerasLayer.from_config(json.loads(json.dumps(layer.get_config())))
    again.build(inputs.shape)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(inputs), expected)
    assert [line.count("<H>") for line in again.draw().splitlines()] == [1, 1]


def test_variance_is_refused():
    """The variance of a sum with calculated coefficients is refused, with what to do."""

    def function(inputs, weights):
        qml.RX(inputs[0], wires=0)
        return qml.var(qml.s_prod(weights[0], qml.Z(0)))

    with pytest.raises(UnsupportedError, match=r"Only the coefficients of a sum may be, in qml.expval. Return the"):
        oracle.compiled(function, (4,), {"weights": np.ones(4)})
