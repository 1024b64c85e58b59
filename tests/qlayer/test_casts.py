"""Casts to complex numbers: right, and without TensorFlow's warning in their gradients."""

import logging

import numpy as np
import pytest
import tensorflow as tf

from qlayer.angles.casts import to_complex, with_silent_casts

WARNING = "discard the imaginary part"
REALS = tf.constant([0.3, -2.0], tf.float64)


def cast(values):
    """TensorFlow's own cast."""
    return tf.cast(values, tf.complex128)


def rewritten(values):
    """The same cast in a graph after `with_silent_casts`."""
    graph = tf.Graph()
    with graph.as_default():
        given = tf.compat.v1.placeholder(values.dtype, [2], "given")
        tf.identity(cast(given), "found")
    return tf.graph_util.import_graph_def(
        with_silent_casts(graph.as_graph_def()), {"given": values}, return_elements=["found:0"]
    )[0]


def differentiated(function, values):
    """The value and the gradient of the real part of 1 - 2j times a cast."""

    @tf.function(autograph=False)
    def run(values):
        found = function(values)
        return found, tf.gradients(tf.reduce_sum(tf.math.real(found * (1 - 2j))), values)[0]

    return run(values)


CASTS = {"to_complex": lambda values: to_complex(values, tf.complex128), "with_silent_casts": rewritten}


@pytest.mark.parametrize("name", CASTS)
def test_gradients_are_silent(name, caplog):
    """The value and the gradient are those of tf.cast, and TensorFlow logs nothing, as it does for tf.cast."""
    found = []
    for function, is_warned in ((cast, True), (CASTS[name], False)):
        caplog.clear()
        with caplog.at_level(logging.WARNING, "tensorflow"):
            found.append(differentiated(function, REALS))
        assert (WARNING in caplog.text) == is_warned
    for ours, theirs in zip(*found, strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-15)


@pytest.mark.parametrize("dtype", [tf.complex64, tf.complex128])
@pytest.mark.parametrize("given", [tf.int32, tf.float32, tf.float64, tf.complex64, tf.complex128])
def test_to_complex(given, dtype):
    """Numbers of any data type become complex ones of the wanted precision."""
    found = to_complex(tf.constant([1, -2], given), dtype)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, [1, -2])


@pytest.mark.parametrize("given", [tf.int32, tf.float32, tf.float64])
def test_graphs_cast_every_real_type(given):
    """A cast of a graph keeps its numbers, whatever it casts from."""
    found = tf.function(rewritten, autograph=False)(tf.constant([1, -2], given))
    assert found.dtype == tf.complex128
    np.testing.assert_array_equal(found, [1, -2])


def test_other_casts_stay():
    """What is no cast from real to complex numbers is left as it is."""
    graph = tf.Graph()
    with graph.as_default():
        reals = tf.compat.v1.placeholder(tf.float32, [2])
        tf.cast(tf.complex(reals, reals), tf.complex128)
        tf.cast(reals, tf.float64)
    before = graph.as_graph_def()
    assert list(with_silent_casts(before).node) == list(before.node)
