"""Freezing: weights are constants while it lasts, layers are noted down, and everything is as before afterwards."""

import numpy as np
import pennylane as qml
import pytest
import tensorflow as tf

from qlayer import KerasLayer
from qlayer.exporting.freezing import freezing

INPUTS = np.random.default_rng(0).uniform(-1, 1, (5, 2)).astype(np.float32)


@qml.qnode(qml.device("default.qubit", wires=2))
def circuit(inputs, weights):
    """An embedding, a template."""
    qml.AngleEmbedding(inputs, wires=range(2))
    qml.StronglyEntanglingLayers(weights, wires=range(2))
    return qml.expval(qml.Z(0)), qml.expval(qml.X(1))


@qml.set_shots(10)
@qml.qnode(qml.device("default.qubit", wires=2))
def drawn(inputs):
    """Finite shots."""
    qml.AngleEmbedding(inputs, wires=range(2))
    return qml.expval(qml.Z(0))


def built(**options):
    """A layer with weights."""
    layer = KerasLayer(circuit, {"weights": (1, 2, 3)}, None, **options)
    layer(INPUTS)
    return layer


def traced(call):
    """A trace of a function of inputs."""
    return tf.function(call, autograph=False).get_concrete_function(tf.TensorSpec([None, 2], tf.float32))


def test_weights_are_constants():
    """A trace made while freezing captures no variable, and keeps its numbers when the weights change."""
    layer = built()
    expected = layer(INPUTS).numpy()
    with freezing() as frozen:
        trace = traced(layer)
    assert traced(layer).captured_inputs
    assert not trace.captured_inputs
    (found,) = frozen.layers.values()
    assert found.name == layer.name
    np.testing.assert_array_equal(found.values[0], layer.get_weights()[0])
    layer.set_weights([np.zeros((1, 2, 3))])
    np.testing.assert_allclose(trace(tf.constant(INPUTS)), expected, rtol=1e-5, atol=1e-6)
    assert np.abs(layer(INPUTS) - expected).max() > 1e-3


def test_a_layer_that_is_called_twice():
    """It is noted once; another layer of the same QNode is another one."""
    first, second = built(), built()
    with freezing() as frozen:
        traced(lambda inputs: first(first(inputs)) + second(inputs))
    assert [found.name for found in frozen.layers.values()] == [first.name, second.name]


def test_it_ends():
    """After the block, and after an error in it, layers have variables again."""
    layer = built()
    with freezing():
        pass
    assert traced(layer).captured_inputs
    with pytest.raises(ZeroDivisionError), freezing():
        _ = 1 / 0
    assert traced(layer).captured_inputs


def test_calls_draw_for_themselves():
    """From one key, every call of a layer draws other shots, and the same ones in every run."""
    layer = KerasLayer(drawn, {}, None)
    layer(INPUTS)
    many = tf.constant(np.repeat(INPUTS, 20, axis=0))
    with freezing(tf.constant([1, 2])):
        trace = traced(lambda inputs: tf.stack([layer(inputs), layer(inputs)]))
    first, second = trace(many).numpy()
    assert np.any(first != second)
    np.testing.assert_array_equal(trace(many), [first, second])


def test_double_precision():
    """The constants have the precision of the layer."""
    layer = KerasLayer(circuit, {"weights": (1, 2, 3)}, None, dtype="float64")
    inputs = INPUTS.astype(np.float64)
    expected = layer(inputs)
    with freezing() as frozen:
        trace = tf.function(layer).get_concrete_function(tf.TensorSpec([None, 2], tf.float64))
    assert next(iter(frozen.layers.values())).values[0].dtype == np.float64
    np.testing.assert_allclose(trace(tf.constant(inputs)), expected, rtol=1e-12, atol=1e-13)
