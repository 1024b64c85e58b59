"""Squeezes without axes, in the angles of a batch of one."""

import numpy as np
import oracle
import pennylane as qml
import pytest
import tensorflow as tf

SQUEEZED = {
    "all axes": lambda x: tf.squeeze(tf.reshape(x[0], [1, 1])),
    "one axis": lambda x: tf.squeeze(tf.reshape(x, [1, 4, 1]))[2],
    "no axis": lambda x: tf.squeeze(2 * x)[1],
    "a norm": lambda x: tf.norm(tf.reshape(x, [2, 2]), ord=1, axis=[0, 1]),
}


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("name", SQUEEZED)
def test_batches_keep_their_axis(name, batch):
    """A squeeze takes axes of the sample and never that of the batch, be it of one sample."""

    def function(inputs, weights):
        qml.RX(SQUEEZED[name](inputs), wires=0)
        qml.RY(weights[0], wires=0)
        return qml.expval(qml.Z(0))

    inputs, weights = oracle.random_arguments(1, batch)
    found = oracle.compiled(function, (4,), weights)(tf.constant(inputs), tf.constant(weights["weights"]))
    angles = [SQUEEZED[name](tf.constant(sample)).numpy() for sample in inputs]
    np.testing.assert_allclose(found, np.cos(angles) * np.cos(weights["weights"][0]), atol=1e-12)
