"""Constants: a graph holds those that are alike once."""

import numpy as np
import tensorflow as tf

from qlayer.simulation.constants import constant, gathered, reshaped, shared_constants
from qlayer.simulation.register import picked

generator = np.random.default_rng(4)
ORDERS = [generator.permutation(8) for _ in range(2)]


def moved(rows):
    """Rows in another order four times, one order three times."""
    for order in (ORDERS[0], ORDERS[1], ORDERS[0], ORDERS[0]):
        rows = picked(reshaped(rows, [8, -1]), order)
    return rows


@tf.function(autograph=False)
def moved_with_shared_constants(rows):
    """The same, and each order and shape once in the graph."""
    with shared_constants():
        return moved(rows)


def constants(function, rows):
    """How many constants a function's graph has."""
    operations = function.get_concrete_function(rows).graph.get_operations()
    return sum(operation.type == "Const" for operation in operations)


def test_shared_constants():
    """Orders and shapes that are alike are one constant of a graph, and give what they give alone."""
    rows = tf.constant(generator.normal(size=(8, 2)))
    assert constants(moved_with_shared_constants, rows) == len(ORDERS) + len(["the shape", "the axis"])
    assert constants(tf.function(moved, autograph=False), rows) > 10
    expected = rows.numpy()[ORDERS[0]][ORDERS[1]][ORDERS[0]][ORDERS[0]]
    np.testing.assert_array_equal(moved_with_shared_constants(rows), expected)
    np.testing.assert_array_equal(moved(rows), expected)


def test_constants_of_other_types_and_shapes_are_others():
    """The same bytes are not the same constant."""
    with shared_constants():
        found = [constant(np.zeros(4, dtype)) for dtype in (np.int32, np.float32)]
        found += [constant(np.zeros((2, 2), np.int32)), constant(np.zeros(4, np.int32))]
    assert [value.dtype for value in found[:3]] == [tf.int32, tf.float32, tf.int32]
    assert found[2].shape == [2, 2]
    assert found[3] is found[0]


def test_gathered():
    """Rows come in the order of their indices."""
    rows = generator.normal(size=(4, 3))
    np.testing.assert_array_equal(gathered(tf.constant(rows), tf.constant([2, 0])), rows[[2, 0]])
