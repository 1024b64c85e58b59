"""Serving: which signatures a model gets; their numbers are tested end to end."""

import numpy as np
import pennylane as qml
import pytest
import tensorflow as tf

from qlayer import ExportError, KerasLayer
from qlayer.exporting.serving import serving
from qlayer.keras_compat import IS_KERAS_3, keras

DEVICE = qml.device("default.qubit", wires=2)
MEASURED = {
    "expval": (lambda: qml.expval(qml.Z(0)), ["seed", "shots"]),
    "probs": (lambda: qml.probs(wires=[0, 1]), ["seed", "shots"]),
    "sample": (lambda: qml.sample(wires=[0]), ["seed"]),
    "shadow": (lambda: qml.shadow_expval(qml.Z(0)), ["seed"]),
}


def layer_of(measure, shots):
    """A layer with a measurement."""

    def circuit(inputs):
        qml.AngleEmbedding(inputs, wires=range(2))
        return measure()

    return KerasLayer(qml.QNode(circuit, DEVICE, shots=shots), {}, None)


def model_of(*measures, shots):
    """A model with a layer for each measurement."""
    inputs = keras.Input((2,), name="features")
    return keras.Model(inputs, [keras.layers.Flatten()(layer_of(measure, shots)(inputs)) for measure in measures])


@pytest.mark.parametrize("name", MEASURED)
def test_inputs_for_shots(name):
    """`sampled` takes a seed, and shots where their number is in no shape."""
    measure, extra = MEASURED[name]
    found = serving(model_of(measure, shots=10), [])
    assert list(found.signatures) == ["serving_default", "sampled"]
    signature = found.signatures["sampled"]
    assert [spec.name for spec in tf.nest.flatten(signature.structured_input_signature)] == ["features", *extra]


def test_all_layers_must_take_shots():
    """One layer with an entry for each shot is enough to fix the number."""
    found = serving(model_of(MEASURED["expval"][0], MEASURED["sample"][0], shots=10), [])
    specs = tf.nest.flatten(found.signatures["sampled"].structured_input_signature)
    assert [spec.name for spec in specs] == ["features", "seed"]
    assert len(found.layers) == 2


def test_exact_results():
    """Without shots there is nothing to draw; batch sizes are sorted and told apart."""
    found = serving(model_of(MEASURED["expval"][0], shots=None), [8, 2, np.int64(8)])
    assert list(found.signatures) == ["serving_default", "batch_2", "batch_8"]
    assert found.batch_sizes == (2, 8)
    assert [spec.name for spec in found.inputs] == ["features"]


def test_fixed_batches():
    """A model of Keras 2 with a batch of its own has no other batch sizes; Keras 3 exports it for any."""
    inputs = keras.Input(batch_shape=(4, 2), name="features")
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    if IS_KERAS_3:
        assert list(serving(model, [2]).signatures) == ["serving_default", "batch_2"]
        return
    with pytest.raises(ExportError, match="a batch of 4 rows"):
        serving(model, [2])
