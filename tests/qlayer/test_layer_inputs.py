"""What a layer is called with: everything but one dense tensor of numbers is refused."""

import numpy as np
import pennylane as qml
import pytest
import tensorflow as tf

from qlayer import KerasLayer, ShapeError
from qlayer.keras_compat import IS_KERAS_3, keras
from qlayer.layer_inputs import as_rows

REFUSED = {
    "list": ([[1.0, 2.0]], "are list, .* Make one of it with tf.constant"),
    "two tensors": ((tf.zeros([3, 2]), tf.zeros([3, 2])), "are tuple, .* Concatenate"),
    "dictionary": ({"inputs": tf.zeros([3, 2])}, "are dict, "),
    "None": (None, "are NoneType, "),
    "sparse": (tf.sparse.from_dense([[1.0, 2.0]]), "are sparse, .* Give it tf.sparse.to_dense"),
    "ragged": (tf.ragged.constant([[1.0], [1.0, 2.0]]), r"are ragged, .* Give it inputs.to_tensor\(\)"),
    "strings": (tf.constant([["a", "b"]]), "are of strings or objects, .* Turn them into numbers"),
    "objects": (np.array([[None, 1]]), "are of strings or objects, "),
}


@pytest.fixture
def layer():
    """A layer of two features."""

    @qml.qnode(qml.device("default.qubit", wires=2))
    def qnode(inputs, weight):
        qml.AngleEmbedding(inputs, wires=range(2))
        qml.RX(weight, wires=0)
        return qml.expval(qml.Z(0))

    return KerasLayer(qnode, {"weight": 1}, output_dim=1, name="moons")


@pytest.mark.parametrize("name", REFUSED)
def test_no_dense_tensor(layer, name):
    """What is no dense tensor of numbers is refused with what it is and how to make one."""
    inputs, message = REFUSED[name]
    with pytest.raises(ShapeError, match=f"the inputs of the layer 'moons' {message}"):
        layer(inputs)


SYMBOLIC = {"sparse": {"sparse": True}, "ragged": {"ragged": True}, "of strings or objects": {"dtype": "string"}}


@pytest.mark.skipif(IS_KERAS_3, reason="Keras 3 has other symbolic tensors")
@pytest.mark.parametrize("name", SYMBOLIC)
def test_no_dense_symbolic_tensor(layer, name):
    """A model's input that is no dense tensor of numbers is refused where the layer is called on it."""
    inputs = keras.Input((2,), **SYMBOLIC[name])
    with pytest.raises(ShapeError, match=f"the inputs of the layer 'moons' are {name}, "):
        layer(inputs)


@pytest.mark.parametrize("shape", [None, [(None, 2), (None, 2)], "a"])
def test_no_shape_of_one_tensor(layer, shape):
    """A shape of unknown rank, and shapes of several tensors, are refused by build and compute_output_shape."""
    for method in (layer.build, layer.compute_output_shape):
        with pytest.raises(ShapeError, match=r"'moons' is given the shape .* its inputs are one tensor of known rank"):
            method(shape)


def test_before_build(layer):
    """A layer without weights yet says so, where they are needed."""
    for method in (lambda: layer.call(tf.zeros([3, 2])), lambda: layer.construct((np.zeros(2),), {})):
        with pytest.raises(ShapeError, match="'moons' has no weights before it is built: call it on inputs"):
            method()


@pytest.fixture
def layer_of_two(layer):
    """The same layer, which is told how many features there are."""
    return KerasLayer(layer.qnode, {"weight": 1}, output_dim=1, sample_shape=2)


def test_features_of_unknown_number(layer_of_two):
    """With sample_shape, the number of features may be unknown to build and to a graph; it is checked in the run."""
    layer_of_two.build((None, None))
    run = tf.function(layer_of_two, input_signature=[tf.TensorSpec([None, None])])
    inputs = tf.constant([[0.1, 0.2], [0.3, 0.4]])
    np.testing.assert_allclose(run(inputs), layer_of_two(inputs), atol=1e-6)
    with pytest.raises((tf.errors.InvalidArgumentError, ShapeError), match=r"\[1,4\].*\[\?,2\]"):
        run(tf.reshape(inputs, [1, 4]))
    with pytest.raises(ShapeError, match=r"samples of shape \(2,\)"):
        layer_of_two(tf.zeros([2, 4]))


def test_model_of_an_unknown_number_of_features(layer_of_two):
    """A functional model may leave the number of features to the layer."""
    inputs = keras.Input((None,))
    model = keras.Model(inputs, layer_of_two(inputs))
    assert model.output_shape == (None, 1)
    assert model.predict(np.ones((3, 2)), verbose=0).shape == (3, 1)


def test_known_features_are_not_checked_again():
    """A graph that knows the shape of a sample checks nothing."""
    for features, expected in ((2, False), (None, True)):
        run = tf.function(lambda inputs: as_rows(inputs, (2,)), input_signature=[tf.TensorSpec([None, 3, features])])
        types = {operation.type for operation in run.get_concrete_function().graph.get_operations()}
        assert ("EnsureShape" in types) is expected
