"""Gradients: every method of differentiation, of first and second order, against PennyLane's own."""

import numpy as np
import oracle
import pennylane as qml
import pytest
import tensorflow as tf
from pennylane import numpy as pnp

from qlayer import KerasLayer

METHODS = {  # and how exact PennyLane's own are
    "best": 1e-9,
    "backprop": 1e-9,
    "adjoint": 1e-9,
    "parameter-shift": 1e-9,
    "hadamard": 1e-9,
    "finite-diff": 1e-5,
}


def function(inputs, weights):
    """Rotations in a row, an angle in two places, and an angle calculated of inputs and weights."""
    qml.RX(inputs[0], wires=0)
    qml.RY(weights[0] * inputs[1], wires=1)
    qml.CNOT([0, 1])
    qml.RZ(weights[1], wires=1)
    qml.RY(weights[1], wires=0)
    qml.RX(weights[2], wires=1)
    qml.CNOT([1, 0])
    qml.RY(inputs[1], wires=0)
    return qml.expval(qml.Z(0)), qml.expval(qml.X(1))


@pytest.mark.filterwarnings("ignore::pennylane.exceptions.PennyLaneDeprecationWarning")  # of its hadamard gradients
@pytest.mark.parametrize("method", METHODS)
def test_method(method):
    """Whatever the method, the gradient by inputs and weights is what PennyLane's own method gives."""
    inputs, weights = oracle.random_arguments(1)
    oracle.assert_same_gradients(function, inputs, weights, diff_method=method, tolerance=METHODS[method])


@pytest.mark.parametrize("seed", range(4))
def test_random_circuits(seed):
    """The gradients of random circuits with observables of many kinds are PennyLane's."""
    measured = [
        lambda: (qml.expval(qml.X(0) @ qml.Z(3)), qml.var(qml.Y(1) + qml.Z(2))),
        lambda: qml.probs(wires=[2, 0]),
        lambda: qml.expval(qml.Hermitian(np.array([[1, 2j], [-2j, 0.5]]), wires=1)),
        lambda: qml.density_matrix(wires=[0, 2]),
    ]
    circuit = oracle.random_function(seed, 25, measured[seed])
    oracle.assert_same_gradients(circuit, *oracle.random_arguments(seed), diff_method="backprop")


def test_none():
    """With diff_method=None nothing is differentiated: no gradient reaches inputs or weights."""
    inputs, weights = oracle.random_arguments(1)
    circuit = oracle.compiled(function, (4,), weights, diff_method=None)
    arguments = [tf.constant(inputs), tf.constant(weights["weights"])]
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        total = tf.reduce_sum(circuit(*arguments))
    assert tape.gradient(total, arguments) == [None, None]


def test_second_order():
    """The Hessian by the weights, and the mixed derivative by inputs and weights, are PennyLane's."""
    inputs, weights = oracle.random_arguments(2, batch=1)
    circuit = oracle.compiled(function, (4,), weights)
    x, w = tf.constant(inputs), tf.constant(weights["weights"])
    with tf.GradientTape(persistent=True) as outer:
        outer.watch([x, w])
        with tf.GradientTape() as inner:
            inner.watch(w)
            total = tf.reduce_sum(circuit(x, w) * [1.0, 0.5])
        first = inner.gradient(total, w)
    qnode = qml.QNode(function, qml.device("default.qubit"), diff_method="backprop")

    def loss(x, w):
        first, second = qnode(x, w)
        return first + 0.5 * second

    arguments = pnp.array(inputs[0], requires_grad=True), pnp.array(weights["weights"], requires_grad=True)
    by_weights = qml.grad(loss, argnums=1)
    np.testing.assert_allclose(outer.jacobian(first, w), qml.jacobian(by_weights, argnums=1)(*arguments), atol=1e-9)
    mixed = qml.jacobian(by_weights, argnums=0)(*arguments)
    np.testing.assert_allclose(outer.jacobian(first, x)[:, 0], mixed, atol=1e-9)


def test_jacobian():
    """`jacobian` and `batch_jacobian` by the inputs of a layer are PennyLane's, sample by sample."""
    inputs, _ = oracle.random_arguments(3)
    qnode = qml.QNode(function, qml.device("default.qubit"))
    layer = KerasLayer(qnode, {"weights": 3}, output_dim=2, dtype="float64")
    x = tf.constant(inputs)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        outputs = layer(x)
    weights = layer.qnode_weights["weights"].numpy()
    expected = [
        np.stack(qml.jacobian(lambda sample: pnp.stack(qnode(sample, weights)))(pnp.array(s, requires_grad=True)))
        for s in inputs
    ]
    np.testing.assert_allclose(tape.batch_jacobian(outputs, x), expected, atol=1e-9)
    whole = tape.jacobian(outputs, x).numpy()
    np.testing.assert_allclose(whole[1, :, 1], expected[1], atol=1e-9)
    assert not np.any(whole[0, :, 1])


@pytest.mark.parametrize("wires", [2, 5])
def test_jacobian_by_weights(wires):
    """`jacobian` by the weights, for every result at once, is PennyLane's, whatever the size of the blocks."""

    def layered(inputs, weights):
        qml.AngleEmbedding(inputs, wires=range(wires))
        qml.StronglyEntanglingLayers(weights, wires=range(wires))
        return [qml.expval(qml.Z(wire)) for wire in range(wires)]

    generator = np.random.default_rng(wires)
    inputs, weights = generator.uniform(-1, 1, (2, wires)), generator.uniform(-3, 3, (2, wires, 3))
    circuit = oracle.compiled(layered, (wires,), {"weights": weights})
    w = tf.constant(weights)
    with tf.GradientTape() as tape:
        tape.watch(w)
        outputs = circuit(tf.constant(inputs), w)
    qnode = qml.QNode(layered, qml.device("default.qubit"), diff_method="backprop")
    expected = [
        qml.jacobian(lambda values, x=sample: pnp.stack(qnode(x, values)))(pnp.array(weights, requires_grad=True))
        for sample in inputs
    ]
    np.testing.assert_allclose(tape.jacobian(outputs, w), expected, atol=1e-9)


def test_between_classical_layers():
    """Through classical layers on both sides, the gradient by every weight is that of central differences."""
    keras = tf.keras
    qnode = qml.QNode(function, qml.device("default.qubit"))
    layers = [
        keras.layers.Dense(4, activation="tanh", dtype="float64"),
        KerasLayer(qnode, {"weights": 3}, output_dim=2, dtype="float64"),
        keras.layers.Dense(1, dtype="float64"),
    ]
    keras.utils.set_random_seed(3)
    model = keras.Sequential(layers)
    x = tf.constant(np.random.default_rng(4).normal(size=(5, 3)))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(x) ** 2)
    for variable, gradient in zip(
        model.trainable_variables, tape.gradient(loss, model.trainable_variables), strict=True
    ):
        value, step = variable.numpy(), 1e-5
        place = (0,) * value.ndim
        shifted = []
        for sign in (1, -1):
            moved = value.copy()
            moved[place] += sign * step
            variable.assign(moved)
            shifted.append(tf.reduce_sum(model(x) ** 2))
        variable.assign(value)
        np.testing.assert_allclose(gradient.numpy()[place], (shifted[0] - shifted[1]) / (2 * step), atol=1e-6)
