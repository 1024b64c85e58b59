"""What PennyLane's own functions make of a layer's QNode. Run with Keras 3 too, by test_keras_3."""

import numpy as np
import pennylane as qml
import pytest
import tensorflow as tf
from specification import SHAPES, circuit

from qlayer import KerasLayer


@pytest.fixture
def layer():
    """A layer of five gates that is built."""
    qnode = qml.QNode(circuit, qml.device("default.qubit", wires=2))
    layer = KerasLayer(qnode, SHAPES, output_dim=2)
    layer.build((None, 2))
    return layer


@pytest.fixture
def arguments(layer):
    """What its QNode is looked at with: one sample, and the layer's weights."""
    return ((0.1, 0.2), *(weight.numpy() for weight in layer.qnode_weights.values()))


def test_construct(layer):
    """Constructing gives PennyLane's tape of one sample and the layer's weights, as the QNode interface does."""
    tape = layer.construct((np.array([0.1, 0.2]),), {})
    assert [operation.name for operation in tape.operations] == ["RX", "RX", "Rot", "RY", "CNOT"]
    weights = tf.concat([tf.reshape(weight, [-1]) for weight in layer.qnode_weights.values()], axis=0)
    np.testing.assert_allclose(tape.get_parameters(trainable_only=False), [0.1, 0.2, *weights.numpy()])


def test_draw(layer, arguments):
    """qml.draw shows the gates of layer.qnode."""
    assert qml.draw(layer.qnode)(*arguments).splitlines()[0].startswith("0: ──RX(0.10)──Rot(")


def test_draw_mpl(layer, arguments):
    """qml.draw_mpl plots them, where matplotlib is installed."""
    pytest.importorskip("matplotlib")
    figure, _ = qml.draw_mpl(layer.qnode)(*arguments)
    assert figure.axes


def test_specs(layer, arguments):
    """qml.specs counts them."""
    assert qml.specs(layer.qnode)(*arguments)["resources"].gate_types == {"RX": 2, "Rot": 1, "RY": 1, "CNOT": 1}
