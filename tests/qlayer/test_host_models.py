"""Layers on the host in models: training, jobs, saving, errors. Run with Keras 3 too, by test_keras_3."""

import numpy as np
import pennylane as qml
import pytest
import tensorflow as tf
from devices import INPUTS, TARGETS, Derived, Offline, Plugin, circuit, classifier, made, several, state

from qlayer import ExecutionError, KerasLayer, ShapeError, UnsupportedError
from qlayer.keras_compat import IS_KERAS_3, keras


def test_clifford_circuits_branch_on_values():
    """default.clifford runs; a function that runs on the host may ask for the values of its inputs."""

    def function(inputs, weights):
        if inputs[0] > 0:
            qml.X(0)
        qml.CNOT([0, 1])
        return [qml.expval(qml.Z(0)), qml.expval(qml.Z(1))]

    layer = made(function, qml.device("default.clifford", wires=2))
    np.testing.assert_array_equal(layer(tf.constant([[0.4, 0.0], [-0.4, 0.0]])), [[-1, -1], [1, 1]])
    model = keras.Sequential([keras.Input((2,)), layer, keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.1), "mse")
    losses = model.fit(INPUTS, np.sign(INPUTS[:, :1]), epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 2


def test_operations_that_the_device_cannot_run():
    """What a device cannot run, such as a rotation, it refuses in PennyLane's words, with the layer's name."""

    def function(inputs, weights):
        qml.RX(np.pi * inputs[0], wires=0)
        return qml.expval(qml.Z(0))

    layer = made(function, qml.device("default.clifford", wires=2), name="stabilizers")
    inputs = tf.constant([[1.0, 0.0]])
    with pytest.raises(
        ExecutionError, match=r"'stabilizers' runs the QNode .* 'default.clifford', which raised Device"
    ):
        layer(inputs)


def test_a_gradient_that_pennylane_cannot_give():
    """Results without derivatives are predicted; asked for a gradient, the layer says what PennyLane says."""
    layer = made(state, Plugin(), name="shifted")
    with tf.GradientTape() as tape:
        outputs = layer(tf.constant(INPUTS))
    assert outputs.shape == (12, 4)
    message = r"'shifted' runs the gradient of the QNode .* 'test.plugin', which raised ValueError: .* return the state"
    with pytest.raises(ExecutionError, match=message):
        tape.gradient(outputs, layer.trainable_weights)


class Subclassed(keras.Model):
    """A model that is built when it is first called."""

    def __init__(self):
        super().__init__()
        self.quantum, self.dense = made(several), keras.layers.Dense(1)

    def call(self, inputs):
        """Both in a row."""
        return self.dense(self.quantum(inputs))


@pytest.mark.parametrize("make", [Subclassed, lambda: keras.Sequential([made(several), keras.layers.Dense(1)])])
def test_models_that_are_built_by_their_data(make):
    """A layer that is built while Keras traces a model runs its circuit for the shape of the results there."""
    model = make()
    model.compile("sgd", "mse")
    before = model.evaluate(INPUTS, TARGETS, verbose=0)
    model.fit(INPUTS, TARGETS, verbose=0)
    assert model.evaluate(INPUTS, TARGETS, verbose=0) < before


def test_no_diff_method():
    """With diff_method=None the layer predicts; a gradient is refused, where one is asked for."""
    qnode = qml.QNode(circuit, Plugin(), diff_method=None)
    layer = KerasLayer(qnode, {"weights": 3}, 1, name="fixed")
    inputs = tf.constant(INPUTS)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(inputs))
    with pytest.raises(UnsupportedError, match="layer 'fixed' has diff_method=None, and a gradient"):
        tape.gradient(loss, layer.trainable_weights)
    model = keras.Sequential([keras.Input((2,)), layer, keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(tf.errors.OpError, match="layer 'fixed' has diff_method=None, and a gradient"):
        model.fit(INPUTS, TARGETS, verbose=0)
    layer.trainable = False
    model.compile("sgd", "mse")
    model.fit(INPUTS, TARGETS, verbose=0)


def test_a_batch_is_one_job():
    """The circuits of a batch reach the device together, and so do those of its gradient; nothing else is run."""
    device = Plugin()
    layer = made(circuit, device, output_dim=1)
    layer.build((None, 2))
    assert device.jobs == []
    inputs = tf.constant(INPUTS[:4])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(inputs))
    assert device.jobs == [4]
    tape.gradient(loss, layer.trainable_weights)
    assert device.jobs == [4, 4, 4 * 2 * 3]


@pytest.mark.parametrize(("first", "shifts"), [([], 2 * 3), ([keras.layers.Dense(2)], 2 * (3 + 2))])
def test_training_runs_what_is_needed(first, shifts):
    """A step of training is a job of the circuits and one gradient: not by the inputs, where no weights are before."""
    device = Plugin()
    model = keras.Sequential([keras.Input((2,)), *first, made(circuit, device, output_dim=1), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(INPUTS[:4], TARGETS[:4], verbose=0)
    assert device.jobs == [4, 4, 4 * shifts]


def test_training_and_predicting():
    """A model with the layer between two of Dense learns; predict gives the values of a call."""
    keras.utils.set_random_seed(1)
    model = classifier(Derived(wires=2))
    model.compile(keras.optimizers.Adam(0.05), "mse")
    losses = model.fit(INPUTS, TARGETS, epochs=8, batch_size=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 2
    np.testing.assert_allclose(model.predict(INPUTS, batch_size=7, verbose=0), model(INPUTS), atol=1e-6)
    np.testing.assert_allclose(
        model.evaluate(INPUTS, TARGETS, verbose=0), np.mean((model(INPUTS) - TARGETS) ** 2), rtol=1e-5
    )


SAVING = {
    ".keras": lambda model, path: model.save(f"{path}.keras"),
    ".h5": lambda model, path: model.save(f"{path}.h5"),
    "tf.saved_model": lambda model, path: tf.saved_model.save(model, str(path)),
    "SavedModel or export": lambda model, path: (
        model.export(str(path), verbose=False) if IS_KERAS_3 else model.save(str(path))
    ),
    "clone": lambda model, path: keras.models.clone_model(model),
    "circuit": lambda model, path: model.layers[1].circuit,
}


@pytest.mark.parametrize("name", SAVING)
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file:UserWarning")
def test_what_needs_a_circuit_is_refused(name, tmp_path):
    """Whatever saves or shows the circuit is refused when it is asked for, with what to do."""
    model = classifier(name="remote")
    model(INPUTS)
    with pytest.raises(
        UnsupportedError, match=r"'remote' runs its QNode through PennyLane, on device 'test.plugin'.*Sa"
    ):
        SAVING[name](model, tmp_path / "model")


def test_weights_are_saved(tmp_path):
    """Weights travel in files, also of a callback: to a compiled layer, which can be saved."""
    model, other = classifier(), classifier(qml.device("default.qubit", wires=2))
    model.compile("sgd", "mse")
    checkpoint = keras.callbacks.ModelCheckpoint(str(tmp_path / "best.weights.h5"), save_weights_only=True)
    model.fit(INPUTS, TARGETS, verbose=0, callbacks=[checkpoint])
    other.load_weights(str(tmp_path / "best.weights.h5"))
    np.testing.assert_allclose(other(INPUTS), model(INPUTS), atol=1e-6)
    other.save(str(tmp_path / "model.keras"))


@pytest.mark.parametrize("name", ["default.qubit", "default.qutrit.mixed"])
def test_checkpoints_of_tensorflow(name, tmp_path):
    """A checkpoint of TensorFlow holds the layer's weights, compiled or on the host."""

    def angle(inputs, weights):
        gate = qml.RX if name == "default.qubit" else qml.TRX
        gate(inputs[0] * weights[0], wires=0)
        return qml.probs(wires=0)

    model, again = (keras.Sequential([keras.Input((2,)), made(angle, qml.device(name, wires=1))]) for _ in range(2))
    path = tf.train.Checkpoint(model).save(str(tmp_path / "checkpoint"))
    tf.train.Checkpoint(again).restore(path).assert_existing_objects_matched()
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])


def test_drawing():
    """draw() is PennyLane's drawing, without values, of what the user wrote."""
    layer = made(circuit, sample_shape=2)
    assert layer.draw() == "0: ──RX──Rot─╭●─┤     \n1: ──RY──────╰X─┤  <Z>"


def test_errors_of_the_device():
    """What a device raises is told in its words, with the layer's name: in a call, in fit, and where it is built."""
    layer = made(circuit, Offline(), output_dim=1, name="remote")
    expected = (
        "'remote' runs the QNode through PennyLane, on device 'test.offline', which raised RuntimeError: the fridge"
    )
    with pytest.raises(ExecutionError, match=expected):
        layer(tf.constant(INPUTS))
    model = keras.Sequential([keras.Input((2,)), layer, keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(tf.errors.UnknownError, match=expected):
        model.fit(INPUTS, TARGETS, verbose=0)
    with pytest.raises(ExecutionError, match=expected):
        made(circuit, Offline(), name="remote").build((None, 2))


def test_numpy_in_a_gradient():
    """A function of NumPy cannot be differentiated on the host: the error says which modules can."""

    def function(inputs, weights):
        qml.RX(np.tanh(inputs[0]), wires=0)
        return qml.expval(qml.Z(0))

    layer = made(function)
    inputs = tf.constant(INPUTS)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs)
    with pytest.raises(ExecutionError, match=r"runs the gradient of the QNode .* calculate with qml.math or"):
        tape.gradient(outputs, inputs)


def test_misuse_is_explained():
    """XLA, a seed, shot vectors, counts, transforms that differentiate, a wrong output_dim: refused with what to do."""
    with pytest.raises(UnsupportedError, match=r"jit_compile=True .* on device 'test.plugin'. Leave it out"):
        made(jit_compile=True)
    with pytest.raises(UnsupportedError, match=r"seed=3 .* on device 'test.plugin'. Give the seed to the device"):
        made(seed=3)
    with pytest.raises(UnsupportedError, match="several numbers of shots"):
        KerasLayer(qml.set_shots(qml.QNode(circuit, Plugin()), (10, 20)), {"weights": 3}, 1).build((None, 2))
    with pytest.raises(UnsupportedError, match=r"counts has no fixed shape. Return qml.probs or qml.sample"):
        made(lambda inputs, weights: qml.counts(wires=0)).build((None, 2))
    with pytest.raises(UnsupportedError, match=r"last transform of the QNode .* differentiates it by its arguments"):
        KerasLayer(qml.gradients.param_shift(qml.QNode(circuit, Plugin())), {"weights": 3}, None).build((None, 2))
    with pytest.raises(ShapeError, match=r"returned 1 numbers for one sample, and its output has shape \(3,\)"):
        made(output_dim=3)(tf.constant(INPUTS))
