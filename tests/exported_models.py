"""Models of every kind to export, with rows for them and the names of their outputs."""

import numpy as np
import pennylane as qml
import tensorflow as tf

from qlayer import KerasLayer
from qlayer.keras_compat import keras

BLOCKED = ("qlayer", "pennylane", "tf_keras", "keras")
INPUTS = np.random.default_rng(0).uniform(-1, 1, (6, 2)).astype(np.float32)
SERIES = np.random.default_rng(1).uniform(-1, 1, (6, 4, 2)).astype(np.float32)


@qml.qnode(qml.device("default.qubit", wires=2))
def circuit(inputs, weights):
    """Angles that are calculated and angles that are not."""
    qml.AngleEmbedding(np.pi * np.tanh(inputs), wires=range(2))
    qml.RX(inputs[0], wires=1)
    qml.StronglyEntanglingLayers(weights, wires=range(2))
    return qml.expval(qml.Z(0)), qml.expval(qml.Z(1))


def quantum(**options):
    """The circuit as a layer."""
    return KerasLayer(circuit, {"weights": (2, 2, 3)}, output_dim=2, **options)


class Subclassed(keras.Model):
    """A model whose call is a function of TensorFlow that was traced before the export."""

    def __init__(self):
        super().__init__()
        self.first = keras.layers.Dense(2)
        self.quantum = quantum(name="middle")

    @tf.function
    def call(self, inputs, training=False):
        """Two layers, and a dict of outputs."""
        hidden = self.first(inputs)
        return {"hidden": hidden, "result": self.quantum(hidden)}


def subclassed():
    """A model with a class of its own, called once."""
    model = Subclassed()
    model(INPUTS)
    tf.function(model).get_concrete_function(tf.TensorSpec([None, 2], tf.float32))  # as fit and predict do
    return model


def sequential():
    """A plain hybrid model with names."""
    inputs = keras.Input((2,), name="features")
    return keras.Sequential([inputs, keras.layers.Dense(2), quantum(), keras.layers.Dense(1, name="result")])


def recurrent():
    """A quantum layer in a wrapper, recurrent layers, statistics of batches, dropout."""
    inputs = keras.Input((4, 2), name="series")
    hidden = keras.layers.TimeDistributed(quantum())(inputs)
    hidden = keras.layers.Bidirectional(keras.layers.LSTM(3))(hidden)
    hidden = keras.layers.Dropout(0.5)(keras.layers.BatchNormalization()(hidden))
    return keras.Model(inputs, keras.layers.Dense(1, name="result")(hidden))


def convolutional():
    """Convolutions in front of a quantum layer in a nested model."""
    nested = keras.Sequential([keras.Input((2,)), quantum()])
    inputs = keras.Input((4, 2), name="series")
    hidden = keras.layers.Conv1D(2, 2, activation="relu")(inputs)
    hidden = keras.layers.GlobalAveragePooling1D()(keras.layers.MaxPooling1D(2)(hidden))
    return keras.Model(inputs, keras.layers.Dense(1, name="result")(nested(hidden)))


def several():
    """Two inputs in a dict and two outputs."""
    series, features = keras.Input((4, 2), name="series"), keras.Input((2,), name="features")
    hidden = keras.layers.Concatenate()([keras.layers.Flatten()(series), features])
    first = quantum()(keras.layers.Dense(2)(hidden))
    outputs = [keras.layers.Dense(1, name="one")(first), keras.layers.Dense(3, name="other")(hidden)]
    return keras.Model({"series": series, "features": features}, outputs)


def doubled():
    """Double precision."""
    inputs = keras.Input((2,), name="features", dtype="float64")
    return keras.Sequential([inputs, quantum(dtype="float64"), keras.layers.Dense(1, name="result", dtype="float64")])


def classical():
    """No quantum layer."""
    return keras.Sequential([keras.Input((2,), name="features"), keras.layers.Dense(2, name="result")])


def alone():
    """A layer without a model."""
    layer = quantum(name="result")
    layer(INPUTS)
    return layer


MODELS = {
    "sequential": (sequential, {"features": INPUTS}, ["result"]),
    "subclassed": (subclassed, {"input_1": INPUTS}, ["hidden", "result"]),
    "recurrent": (recurrent, {"series": SERIES}, ["result"]),
    "convolutional": (convolutional, {"series": SERIES}, ["result"]),
    "several": (several, {"features": INPUTS, "series": SERIES}, ["one", "other"]),
    "float64": (doubled, {"features": INPUTS.astype(np.float64)}, ["result"]),
    "classical": (classical, {"features": INPUTS}, ["result"]),
    "alone": (alone, {"inputs": INPUTS}, ["result"]),
}
