"""The layer in every kind of model, on the active Keras: run with Keras 2 here, and with Keras 3 by test_keras_3."""

import contextlib
import importlib
import json

import numpy as np
import pennylane as qml
import pytest
import tensorflow as tf

from qlayer import FormatError, KerasLayer, ShapeError, SignatureError, UnsupportedError
from qlayer.keras_compat import IS_KERAS_3, keras

WIRES = 2
WEIGHTS = {"weights": (1, WIRES, 3)}
INPUTS = np.random.default_rng(0).uniform(-1, 1, (12, WIRES)).astype(np.float32)
TARGETS = INPUTS[:, :1] * INPUTS[:, 1:]


@qml.qnode(qml.device("default.qubit", wires=WIRES))
def circuit(inputs, weights):
    """Calculated angles and a template."""
    qml.AngleEmbedding(np.pi * np.tanh(inputs), wires=range(WIRES))
    qml.StronglyEntanglingLayers(weights, wires=range(WIRES))
    return qml.expval(qml.Z(0)), qml.expval(qml.Z(1))


def quantum(**options):
    """A layer of two numbers in, two numbers out."""
    return KerasLayer(circuit, WEIGHTS, output_dim=WIRES, **options)


def sequential():
    """Classical layers on both sides."""
    return keras.Sequential([keras.Input((WIRES,)), keras.layers.Dense(WIRES), quantum(), keras.layers.Dense(1)])


def unbuilt():
    """A Sequential model that gets its shape from the data."""
    return keras.Sequential([quantum(), keras.layers.Dense(1)])


def functional():
    """The layer beside a classical path."""
    inputs = keras.Input((WIRES,))
    joined = keras.layers.Concatenate()([quantum()(inputs), inputs])
    return keras.Model(inputs, keras.layers.Dense(1)(joined))


def shared():
    """One layer called twice."""
    inputs, layer = keras.Input((WIRES,)), quantum()
    return keras.Model(inputs, keras.layers.Dense(1)(layer(layer(inputs))))


def several():
    """Two quantum layers of their own weights."""
    return keras.Sequential([keras.Input((WIRES,)), quantum(), quantum(), keras.layers.Dense(1)])


def time_distributed():
    """The layer at each of three steps."""
    steps = keras.layers.TimeDistributed(quantum())
    layers = [keras.layers.RepeatVector(3), steps, keras.layers.Flatten(), keras.layers.Dense(1)]
    return keras.Sequential([keras.Input((WIRES,)), *layers])


class Subclassed(keras.Model):
    """Layers as attributes."""

    def __init__(self):
        super().__init__()
        self.quantum, self.dense = quantum(), keras.layers.Dense(1)

    def call(self, inputs):
        """Both in a row."""
        return self.dense(self.quantum(inputs))


MODELS = [sequential, unbuilt, functional, shared, several, time_distributed, Subclassed]


@pytest.mark.parametrize("make", MODELS)
def test_models_train(make):
    """Every kind of model fits, moves all its weights, evaluates, and predicts what it calls."""
    model = make()
    model(INPUTS)
    before = model.get_weights()
    model.compile("adam", "mse")
    losses = model.fit(INPUTS, TARGETS, epochs=2, batch_size=5, verbose=0).history["loss"]
    assert np.all(np.isfinite(losses))
    assert all(np.any(found != old) for found, old in zip(model.get_weights(), before, strict=True))
    assert np.isfinite(model.evaluate(INPUTS, TARGETS, verbose=0))
    np.testing.assert_allclose(model.predict(INPUTS, verbose=0), model(INPUTS), atol=1e-5)


def test_models_train_under_xla():
    """A model compiled with jit_compile=True reaches the numbers it reaches without."""
    results = []
    for jit_compile in (True, False):
        keras.utils.set_random_seed(1)
        model = sequential()
        model.compile("sgd", "mse", jit_compile=jit_compile)
        model.fit(INPUTS, TARGETS, batch_size=len(INPUTS), verbose=0)
        results.append(model(INPUTS))
    np.testing.assert_allclose(*results, atol=1e-5)


def test_symbolic_calls_know_shape_and_dtype():
    """A symbolic call gives the shape compute_output_shape tells, and complex numbers for a circuit's state."""

    @qml.qnode(qml.device("default.qubit", wires=WIRES))
    def state(inputs):
        qml.AngleEmbedding(inputs, wires=range(WIRES))
        return qml.state()

    layer = quantum()
    assert tuple(layer.compute_output_shape((None, 3, WIRES))) == (None, 3, WIRES)
    assert tuple(layer(keras.Input((3, WIRES))).shape) == (None, 3, WIRES)
    inputs = keras.Input((WIRES,))
    amplitudes = KerasLayer(state, {}, None)(inputs)
    assert tf.as_dtype(amplitudes.dtype) == tf.complex64
    model = keras.Model(inputs, keras.layers.Lambda(tf.abs, output_shape=(4,))(amplitudes))
    np.testing.assert_allclose(model.predict(np.zeros((3, WIRES)), verbose=0), [[1, 0, 0, 0]] * 3, atol=1e-6)


def test_frozen_layers_stay():
    """trainable=False keeps the circuit's weights in training, and shows in the configuration."""
    model = sequential()
    layer = model.layers[1]
    layer.trainable = False
    before = layer.get_weights()[0]
    model.compile("adam", "mse")
    model.fit(INPUTS, TARGETS, verbose=0)
    np.testing.assert_array_equal(layer.get_weights()[0], before)
    assert layer.get_config()["trainable"] is False
    assert not KerasLayer.from_config(layer.get_config()).trainable


@pytest.mark.parametrize("make", [sequential, functional, shared, several, time_distributed])
def test_clones_have_weights_of_their_own(make):
    """clone_model makes layers of the same circuit that train on their own."""
    model = make()
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    np.testing.assert_allclose(clone(INPUTS), model(INPUTS), atol=1e-6)
    clone.compile("adam", "mse")
    clone.fit(INPUTS, TARGETS, verbose=0)
    assert np.any(clone(INPUTS) != model(INPUTS))


def test_summary_and_plot(tmp_path):
    """The layer shows in a summary, and is no obstacle to a plot (which needs pydot)."""
    lines = []
    model = keras.Sequential([keras.Input((WIRES,)), quantum(name="quantum"), keras.layers.Dense(1)])
    model.summary(print_fn=lambda line, **_: lines.append(line))
    assert "KerasLayer" in "\n".join(lines)
    with contextlib.suppress(ImportError):
        keras.utils.plot_model(model, tmp_path / "model.png", show_shapes=True, show_dtype=True)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16"])
def test_mixed_precision_is_refused(policy):
    """A layer of half precision is refused when it is made, with what to do."""
    with pytest.raises(UnsupportedError, match=r"float32 or float64, not in b?float16. Give the layer dtype='float32'"):
        quantum(dtype=policy)


def test_callbacks_and_datasets(tmp_path):
    """tf.data input, EarlyStopping that restores the best weights, and checkpoints of whole models and of weights."""
    model = sequential()
    model.compile("adam", "mse")
    data = tf.data.Dataset.from_tensor_slices((INPUTS, TARGETS)).batch(5).prefetch(1)
    callbacks = [
        keras.callbacks.ModelCheckpoint(str(tmp_path / "model.keras")),
        keras.callbacks.ModelCheckpoint(str(tmp_path / "model.weights.h5"), save_weights_only=True),
        keras.callbacks.EarlyStopping("val_loss", patience=0, min_delta=10.0, restore_best_weights=True),
    ]
    history = model.fit(data, validation_data=data, epochs=4, shuffle=False, callbacks=callbacks, verbose=0)
    assert len(history.history["loss"]) == 2
    fresh = sequential()
    fresh.load_weights(tmp_path / "model.weights.h5")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(fresh.predict(data, verbose=0), loaded.predict(data, verbose=0), atol=1e-6)


def test_distribution_strategy():
    """Under a MirroredStrategy a model trains to the numbers it has without one."""
    results = []
    for strategy in (tf.distribute.MirroredStrategy(["CPU:0"]), tf.distribute.get_strategy()):
        keras.utils.set_random_seed(1)
        with strategy.scope():
            model = sequential()
            model.compile("sgd", "mse")
        model.fit(INPUTS, TARGETS, epochs=2, batch_size=4, shuffle=False, verbose=0)
        results.append(model.predict(INPUTS, verbose=0))
    np.testing.assert_allclose(*results, atol=1e-5)


class _ThroughOther:
    """A model of the other Keras that calls a layer it does not know."""

    def __new__(cls, other, layer):
        """A subclass of the other Keras' Model, with the layer hidden in it."""

        class Model(other.Model):
            def call(self, inputs):
                return layer(inputs)

        return Model()


@pytest.mark.parametrize("way", ["Sequential", "functional", "subclassed"])
def test_other_keras_is_refused(way):
    """A layer in a model of the other Keras is refused with the variable that chooses one."""
    other, layer = importlib.import_module("tf_keras" if IS_KERAS_3 else "keras"), quantum()
    ways = {
        "Sequential": lambda: other.Sequential([layer]),
        "functional": lambda: layer(other.Input((WIRES,))),
        "subclassed": lambda: _ThroughOther(other, layer)(tf.constant(INPUTS)),
    }
    with pytest.raises((UnsupportedError, TypeError, ValueError), match="TF_USE_LEGACY_KERAS=1 for Keras 2"):
        ways[way]()


def test_configuration_is_data():
    """A layer's configuration survives JSON, and makes a layer without a QNode: same circuit, drawing, and numbers."""
    layer = quantum(name="moons", dtype="float64", jit_compile=True, activity_regularizer="l2")
    found = layer(INPUTS)
    config = json.loads(json.dumps(layer.get_config()))
    rebuilt = KerasLayer.from_config(config)
    assert rebuilt.qnode is None
    assert rebuilt.circuit == layer.circuit
    assert rebuilt.draw() == layer.draw()
    assert json.loads(json.dumps(rebuilt.get_config())) == config
    rebuilt.build(INPUTS.shape)
    rebuilt.set_weights(layer.get_weights())
    np.testing.assert_array_equal(rebuilt(INPUTS), found)
    np.testing.assert_allclose(rebuilt.losses, layer.losses)
    with pytest.raises(UnsupportedError, match="'moons' was loaded and has no QNode"):
        rebuilt.construct((INPUTS[0],), {})


def test_configuration_needs_the_number_of_features():
    """A layer that was never built says how to build it; with sample_shape it need not be built."""
    with pytest.raises(ShapeError, match=r"recorded when the layer is built, and not before: .* layer.build\(input_sh"):
        quantum().get_config()
    config = quantum(sample_shape=WIRES).get_config()
    assert KerasLayer.from_config(config)(INPUTS).shape == (12, WIRES)


def test_weight_specs_survive():
    """Initializers, regularizers, constraints, by name or as objects, and a dtype of its own come back."""
    specs = {
        "initializer": keras.initializers.Constant(0.5),
        "regularizer": keras.regularizers.L1(0.5),
        "constraint": "non_neg",
        "trainable": False,
        "dtype": tf.float64,
    }
    layer = quantum(weight_specs={"weights": specs}, sample_shape=WIRES)
    rebuilt = KerasLayer.from_config(json.loads(json.dumps(layer.get_config())))
    rebuilt.build(INPUTS.shape)
    (weight,) = rebuilt.weights
    np.testing.assert_array_equal(weight, np.full((1, WIRES, 3), 0.5))
    assert (tf.as_dtype(weight.dtype), weight.trainable) == (tf.float64, False)
    assert isinstance(weight.constraint, keras.constraints.NonNeg)
    rebuilt.trainable_weights, rebuilt(INPUTS)
    if not IS_KERAS_3:  # which adds no penalty for a weight that is not trained
        np.testing.assert_allclose(rebuilt.losses, [1.5])


def test_code_in_weight_specs_is_not_saved():
    """A lambda is refused in a configuration, with what to use instead."""
    layer = quantum(weight_specs={"weights": {"initializer": lambda shape, dtype: tf.ones(shape, dtype) / 2}})
    layer(INPUTS)
    with pytest.raises(SignatureError, match="a lambda as the initializer of 'weights', and code is not saved"):
        layer.get_config()


def test_precision_belongs_to_the_recording():
    """A configuration whose dtype was changed is refused, because its circuit was recorded in another precision."""
    layer = quantum(sample_shape=WIRES, dtype="float64")
    rebuilt = KerasLayer.from_config(layer.get_config() | {"dtype": "float32"})
    with pytest.raises(UnsupportedError, match="recorded in float64, and the layer computes in float32"):
        rebuilt(INPUTS)


def test_newer_files_are_refused():
    """A configuration of a later format says to upgrade."""
    config = quantum(sample_shape=WIRES).get_config()
    config["program"]["format"] = 99
    with pytest.raises(FormatError, match=r"saved in format 99, .* up to 1. Load it with a newer qlayer"):
        KerasLayer.from_config(config)
