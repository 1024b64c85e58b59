"""Devices that are not compiled: values, shapes and gradients on the host. Run with Keras 3 too, by test_keras_3."""

import numpy as np
import pennylane as qml
import pytest
import tensorflow as tf
from devices import CASES, INPUTS, RANDOM, Derived, Plugin, broadcast, circuit, gates, made, several, state

from qlayer import KerasLayer, UnsupportedError


def of_one_sample(qnode):
    """The QNode as a function of one sample and the weights that returns one vector; autograd follows it."""

    def function(sample, weights):
        results = qnode(sample, weights)
        parts = results if isinstance(results, list | tuple) else [results]
        return qml.math.concatenate([qml.math.reshape(part, (-1,)) for part in parts])

    return function


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_are_pennylanes(name):
    """Values are those of the QNode, and so are the gradients by inputs and weights, sample by sample."""
    device, function, shape = CASES[name]
    layer = made(function, device, dtype="float64")
    inputs = tf.constant(RANDOM.uniform(-1, 1, (3, 2)))
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs)
        upstream = RANDOM.uniform(-1, 1, outputs.shape)
        loss = tf.reduce_sum(upstream * outputs)
    by_inputs, by_weights = tape.gradient(loss, [inputs, *layer.trainable_weights])
    weights = layer.get_weights()[0]
    qnode = of_one_sample(layer.qnode)
    assert tuple(layer.compute_output_shape((None, 2))) == (None, *shape)
    np.testing.assert_allclose(outputs, [np.reshape(qnode(row, weights), shape) for row in inputs.numpy()], atol=1e-12)
    jacobians = [qml.jacobian(qnode, argnums=(0, 1))(row, weights) for row in inputs.numpy()]
    rows = upstream.reshape(3, -1)
    expected = [row @ jacobian for row, (jacobian, _) in zip(rows, jacobians, strict=True)]
    np.testing.assert_allclose(by_inputs, expected, atol=1e-8)
    expected = sum(row @ jacobian for row, (_, jacobian) in zip(rows, jacobians, strict=True))
    np.testing.assert_allclose(by_weights, expected, atol=1e-8)


@pytest.mark.parametrize(("function", "device"), [(several, Plugin), (broadcast, Plugin), (state, Derived)])
def test_host_and_compiled_agree(function, device):
    """The same QNode gives the same shapes, values and gradients on the host as compiled, also for complex results."""
    devices = (device(wires=2), qml.device("default.qubit", wires=2))
    layers = [made(function, device, dtype="float64") for device in devices]
    inputs = tf.constant(INPUTS[:4], tf.float64)
    found = []
    for layer in layers:
        layer(inputs)
        layer.set_weights([np.array([0.3, -0.7, 1.1])])
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs)
            loss = tf.reduce_sum(tf.abs(outputs - tf.cast(0.3, outputs.dtype)) ** 3)
        found.append([outputs, *tape.gradient(loss, [inputs, *layer.trainable_weights])])
    for host, compiled in zip(*found, strict=True):
        assert host.dtype == compiled.dtype
        np.testing.assert_allclose(host, compiled, atol=1e-10)


@pytest.mark.parametrize("batch", [(), (3,), (2, 3), (0,), (2, 0)])
def test_all_axes_but_the_last_are_batch(batch):
    """Inputs may have no batch axis, one, several, or an empty one; so do the gradients."""
    layer = made(several)
    inputs = tf.constant(RANDOM.uniform(-1, 1, (*batch, 2)).astype(np.float32))
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs)
    assert outputs.shape == (*batch, 6)
    by_inputs, by_weights = tape.gradient(outputs, [inputs, *layer.trainable_weights])
    assert by_inputs.shape == inputs.shape
    assert by_weights.shape == (3,)
    flat = layer(tf.reshape(inputs, [-1, 2]))
    np.testing.assert_allclose(tf.reshape(outputs, [-1, 6]), flat, atol=1e-6)


def test_a_tape_outside_of_a_graph():
    """A tape around a tf.function, which no tape is in, gets the gradients of an eager call; layers may be parallel."""
    device = Derived(wires=2)
    layers = [made(circuit, device, dtype="float64") for _ in range(2)]

    def function(inputs):
        return layers[0](inputs) * layers[1](inputs)

    inputs = tf.constant(INPUTS, tf.float64)
    found = []
    for each in (function, tf.function(function)):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(each(inputs))
        sources = [inputs, *layers[0].trainable_weights, *layers[1].trainable_weights]
        found.append([loss, *tape.gradient(loss, sources)])
    for eager, graph in zip(*found, strict=True):
        np.testing.assert_allclose(eager, graph, atol=1e-12)


def test_finite_shots():
    """The QNode's shots are the device's: samples have their shape, means their noise, and gradients come of shots."""
    shots = 500

    @qml.set_shots(shots)
    @qml.qnode(Plugin())
    def qnode(inputs, weights):
        gates(inputs, weights)
        return qml.sample(wires=[0, 1])

    samples = KerasLayer(qnode, {"weights": 3}, None)(tf.constant(INPUTS[:2]))
    assert samples.shape == (2, shots, 2)
    assert set(np.unique(samples)) == {0, 1}
    layer = KerasLayer(qml.set_shots(qml.QNode(circuit, Plugin()), shots), {"weights": 3}, None)
    exact = made(circuit)
    inputs = tf.constant(INPUTS)
    with tf.GradientTape(persistent=True) as tape:
        found = layer(inputs)
        exact(inputs)
        exact.set_weights(layer.get_weights())
        expected = exact(inputs)
    assert np.all(np.isclose(found * shots, np.round(found * shots), atol=1e-3))
    np.testing.assert_allclose(found, expected, atol=5 / np.sqrt(shots))
    gradients = [
        tape.gradient(*each) for each in ((found, layer.trainable_weights[0]), (expected, exact.trainable_weights[0]))
    ]
    assert np.any(gradients[0] != gradients[1])
    np.testing.assert_allclose(*gradients, atol=5 * np.sqrt(len(INPUTS) / shots))


def test_transforms_and_gradient_keywords_apply():
    """The user's transforms run, also one of several circuits; the diff_method's keyword arguments reach it."""
    device = Plugin()

    @qml.transforms.split_non_commuting
    @qml.qnode(device, diff_method="finite-diff", gradient_kwargs={"h": 0.1})
    def qnode(inputs, weights):
        gates(inputs, weights)
        return [qml.expval(qml.X(0)), qml.expval(qml.Z(0))]

    layer = KerasLayer(qnode, {"weights": 3}, 2, dtype="float64")
    inputs = tf.constant(INPUTS[:2], tf.float64)
    with tf.GradientTape() as tape:
        outputs = layer(inputs)
    assert device.jobs == [4]
    np.testing.assert_allclose(outputs, [qnode(row, *layer.get_weights()) for row in inputs.numpy()], atol=1e-12)
    weights = layer.get_weights()[0]
    total = lambda weights: sum(sum(qnode(row, weights)) for row in inputs.numpy())  # noqa: E731
    expected = [(total(weights + 0.1 * unit) - total(weights)) / 0.1 for unit in np.eye(3)]
    np.testing.assert_allclose(tape.gradient(outputs, layer.trainable_weights[0]), expected, atol=1e-8)


def test_second_derivatives_are_refused():
    """A derivative of a derivative is refused, not zero."""
    layer = made(name="once")
    inputs = tf.constant(INPUTS)
    with tf.GradientTape() as outer:
        outer.watch(inputs)
        with tf.GradientTape() as inner:
            inner.watch(inputs)
            loss = tf.reduce_sum(layer(inputs))
        slope = inner.gradient(loss, inputs)
    with pytest.raises(UnsupportedError, match=r"second derivative through the layer 'once'.*on default.qubit"):
        outer.gradient(slope, inputs)
