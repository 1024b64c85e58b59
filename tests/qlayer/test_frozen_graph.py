"""FrozenGraph: any function of TensorFlow as operations and constants."""

import numpy as np
import pytest
import tensorflow as tf

from qlayer import ExportError
from qlayer.exporting.frozen_graph import frozen_graph

SPEC = tf.TensorSpec([None, 2], tf.float32, "x")
ROWS = np.arange(6, dtype=np.float32).reshape(3, 2)


def operations(graph):
    """How often each operation is in a graph."""
    names = [node.op for node in graph.graph_def.node]
    return {name: names.count(name) for name in names}


def test_variables_become_constants():
    """The numbers stay those of the variable when it was frozen; what depends on it alone is calculated once."""
    variable = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    graph = frozen_graph(lambda x: {"y": tf.matmul(x, tf.sin(variable) @ variable)}, (SPEC,))
    expected = ROWS @ (np.sin(variable.numpy()) @ variable.numpy())
    variable.assign(tf.zeros([2, 2]))
    np.testing.assert_allclose(tf.function(graph)(tf.constant(ROWS))["y"], expected, rtol=1e-5)
    assert operations(graph)["MatMul"] == 1
    assert not {"Sin", "ReadVariableOp"} & set(operations(graph))
    assert not graph.graph_def.library.function


def test_outputs_keep_their_names():
    """Several outputs, one of them an input as it is, one constant, in any order of names."""
    graph = frozen_graph(lambda x: {"b": x, "a": x + 1, "c": tf.ones([2])}, (SPEC,))
    found = tf.function(graph)(tf.constant(ROWS))
    np.testing.assert_array_equal(found["a"], ROWS + 1)
    np.testing.assert_array_equal(found["b"], ROWS)
    np.testing.assert_array_equal(found["c"], [1, 1])


def test_an_input_that_is_not_used():
    """It is taken all the same."""
    graph = frozen_graph(lambda x, y: {"z": 2 * y}, (SPEC, tf.TensorSpec([None], tf.float32, "y")))
    np.testing.assert_array_equal(tf.function(graph)(tf.constant(ROWS), tf.constant([1.0]))["z"], [2])


def test_loops_stay_functional():
    """A loop is a While, not the older operations that servers refuse."""

    def predict(x):
        return {"y": tf.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, y * 2), (0, x))[1]}

    graph = frozen_graph(predict, (SPEC,))
    assert {"While", "StatelessWhile"} & set(operations(graph))
    assert not {"Enter", "Merge", "Switch"} & set(operations(graph))
    np.testing.assert_array_equal(tf.function(graph)(tf.constant(ROWS))["y"], 8 * ROWS)


def test_functions_are_traced_anew():
    """A function that was traced before is traced again, so that it sees what holds now."""
    seen = []

    @tf.function
    def inner(x):
        seen.append(x)
        return x + 1

    inner(tf.constant(ROWS))
    tf.function(inner).get_concrete_function(SPEC)
    before = len(seen)
    for _ in range(2):
        frozen_graph(lambda x: {"y": inner(x)}, (SPEC,))
    assert len(seen) == before + 2


def test_notes_are_removed():
    """No attribute that only its maker understood is left: gradients of its own, say."""

    @tf.custom_gradient
    def doubled(x):
        return 2 * x, lambda upstream: upstream

    graph = frozen_graph(lambda x: {"y": doubled(x) + 1}, (SPEC,))
    assert not {name for node in graph.graph_def.node for name in node.attr if name == "_gradient_op_type"}


def test_what_cannot_be_constant():
    """Changes of variables and lookup tables are refused, with what to do."""
    variable = tf.Variable(0.0)
    with pytest.raises(ExportError, match=r"changes its variables when it predicts \(AssignAddVariableOp\)"):
        frozen_graph(lambda x: {"y": x + variable.assign_add(1)}, (SPEC,))
    keys = tf.lookup.KeyValueTensorInitializer(tf.constant([1]), tf.constant([2.0]))
    table = tf.lookup.StaticHashTable(keys, 0.0)
    with pytest.raises(ExportError, match="a lookup table, say"):
        frozen_graph(lambda x: {"y": table.lookup(tf.cast(x, tf.int32))}, (SPEC,))
