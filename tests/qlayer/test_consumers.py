"""Complex outputs that meet layers of reals, on the active Keras: Keras 2 here, and Keras 3 by test_keras_3."""

import copy

import numpy as np
import pennylane as qml
import pytest
import tensorflow as tf

from qlayer import KerasLayer, ShapeError
from qlayer.consumers import Consumers
from qlayer.keras_compat import IS_KERAS_3, keras

INPUTS = np.random.default_rng(0).uniform(-1, 1, (3, 2)).astype(np.float32)
REFUSED = r"'amplitudes' returns complex numbers, but 'real' \({}\), .*Put a layer between .*Lambda\(tf.abs\)"


def circuit(inputs):
    """Amplitudes with real and imaginary parts."""
    qml.RX(inputs[0], wires=0)
    qml.RY(inputs[1], wires=1)
    return qml.state()


def amplitudes(name="amplitudes"):
    """A layer of complex outputs."""
    qnode = qml.QNode(circuit, qml.device("default.qubit", wires=2))
    return KerasLayer(qnode, {}, output_dim=4, name=name)


def expected():
    """PennyLane's amplitudes."""
    qnode = qml.QNode(circuit, qml.device("default.qubit", wires=2))
    return np.array([qnode(inputs=sample) for sample in INPUTS])


def dense():
    """A layer that computes in reals."""
    return keras.layers.Dense(1, name="real")


def cast(function=tf.abs):
    """A layer that casts to reals."""
    return keras.layers.Lambda(function, output_shape=(4,))


def fitted(layers):
    """A Sequential model that gets its shape from the data it is fitted to."""
    model = keras.Sequential(layers)
    model.compile("sgd", "mse")
    model.fit(INPUTS, INPUTS[:, :1], verbose=0)
    return model


def functional(layers):
    """The layers in a functional model."""
    inputs = outputs = keras.Input((2,))
    for layer in layers:
        outputs = layer(outputs)
    return keras.Model(inputs, outputs)


WAYS = {
    "known shape": lambda layers: keras.Sequential([keras.Input((2,)), *layers]),
    "unknown shape": lambda layers: keras.Sequential(layers)(INPUTS),
    "fit": fitted,
    "functional": functional,
}
REALS = {
    "Dense": dense,
    "BatchNormalization": lambda: keras.layers.BatchNormalization(name="real"),
    "Sequential": lambda: keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)], name="real"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("between", [(), (keras.layers.Flatten,)])
def test_dense_layers_refuse(way, between):
    """A Dense layer behind complex outputs is refused in every kind of model, with both names and what to insert."""
    with pytest.raises(ShapeError, match=REFUSED.format("Dense")):
        WAYS[way]([amplitudes(), *(make() for make in between), dense()])


@pytest.mark.parametrize("name", REALS)
def test_layers_of_reals_refuse(name):
    """Whatever of Keras has real weights or real inputs is refused."""
    with pytest.raises(ShapeError, match=REFUSED.format(name)):
        functional([amplitudes(), REALS[name]()])


@pytest.mark.parametrize("way", WAYS)
def test_layers_work_behind_a_cast(way):
    """The layers that were refused work in a new model, behind a cast."""
    complex_layer, real_layer = amplitudes(), dense()
    with pytest.raises(ShapeError):
        WAYS[way]([complex_layer, real_layer])
    if way == "fit":  # any error in the first fit of a model leaves its layers without weights, in Keras 3
        real_layer = dense()
    WAYS[way]([complex_layer, cast(), real_layer])
    assert complex_layer(INPUTS).dtype == tf.complex64


class Phases(keras.layers.Layer):
    """A user's layer, with a real weight, that takes complex numbers."""

    def build(self, _):
        """One weight."""
        self.scale = self.add_weight(name="scale", shape=(), initializer="ones")

    def call(self, inputs):
        """The phases."""
        return self.scale * tf.math.angle(inputs)

    def compute_output_shape(self, shape):
        """As it was."""
        return shape


CASTS = {
    "abs": (cast, np.abs),
    "real": (lambda: cast(tf.math.real), np.real),
    "user's layer": (Phases, np.angle),
}


@pytest.mark.parametrize("name", CASTS)
def test_casts_work(name):
    """Lambda layers and layers of users take complex numbers, and give what NumPy makes of PennyLane's."""
    make, function = CASTS[name]
    model = functional([amplitudes(), keras.layers.Reshape((4,)), make()])
    np.testing.assert_allclose(model.predict(INPUTS, verbose=0), function(expected()), atol=1e-6)
    keras.Sequential([keras.Input((2,)), amplitudes(), make(), dense()])


def test_layers_without_weights_work():
    """Keras' layers without weights pass complex numbers on."""
    inputs = keras.Input((2,))
    joined = keras.layers.Concatenate()([amplitudes("one")(inputs), amplitudes("other")(inputs)])
    np.testing.assert_allclose(keras.Model(inputs, joined)(INPUTS), np.tile(expected(), 2), atol=1e-6)


@pytest.mark.parametrize("inputs", [INPUTS.astype(complex), keras.Input((2,), dtype="complex64")])
def test_complex_inputs_are_refused(inputs):
    """A KerasLayer takes no complex inputs, of values or symbolic, and names the cast."""
    with pytest.raises(ShapeError, match=r"inputs of the layer 'amplitudes' are complex.*Lambda\(tf.abs\) in front"):
        amplitudes()(inputs)


def test_copies_are_plain():
    """A copied layer is not bound to the checks of the other."""
    layer = amplitudes()
    layer(keras.Input((2,)))
    assert isinstance(layer._outbound_nodes, Consumers)
    assert type(copy.deepcopy(layer._outbound_nodes)) is list


@pytest.mark.skipif(IS_KERAS_3, reason="Keras 3 forgets no nodes")
def test_forgotten_nodes():
    """Keras 2 forgets the nodes of a model that meets another shape; layers are checked afterwards too."""
    layer = amplitudes()
    model = keras.Sequential([layer, cast()])
    model(INPUTS)
    model(np.stack([INPUTS, INPUTS]))
    with pytest.raises(ShapeError, match=REFUSED.format("Dense")):
        dense()(layer(keras.Input((2,))))
