"""Saving: weights, and whole models that load and train on where neither qlayer nor PennyLane can be imported."""

import numpy as np
import pennylane as qml
import processes
import pytest
import tensorflow as tf

from qlayer import KerasLayer

BLOCKED = ("qlayer", "pennylane")
INPUTS = np.random.default_rng(0).uniform(-1, 1, (12, 2)).astype(np.float32)
TARGETS = INPUTS[:, :1] * INPUTS[:, 1:]


@qml.qnode(qml.device("default.qubit", wires=2))
def circuit(inputs, weights):
    """Angles that are calculated, so that the saved model holds a graph for them too."""
    qml.AngleEmbedding(np.pi * np.tanh(inputs), wires=range(2))
    qml.StronglyEntanglingLayers(weights, wires=range(2))
    return qml.expval(qml.Z(0)), qml.expval(qml.Z(1))


def new_model():
    """A hybrid model with fixed random numbers, compiled with Adam."""
    tf.keras.utils.set_random_seed(3)
    model = tf.keras.Sequential(
        [
            tf.keras.layers.Dense(2, input_shape=(2,)),
            KerasLayer(circuit, {"weights": (3, 2, 3)}, output_dim=2),
            tf.keras.layers.Dense(1),
        ]
    )
    model.compile(tf.keras.optimizers.Adam(0.1), "mse")
    return model


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A trained model in memory, and the folder it was saved to."""
    model = new_model()
    model.fit(INPUTS, TARGETS, epochs=3, shuffle=False, verbose=0)
    folder = str(tmp_path_factory.mktemp("saved") / "model")
    model.save(folder)
    return model, folder


@pytest.mark.parametrize("name", ["weights", "weights.h5"])
def test_weights_round_trip(saved, tmp_path, name):
    """save_weights and load_weights carry the weights to a model made like the first one."""
    model, _ = saved
    model.save_weights(tmp_path / name)
    fresh = new_model()
    fresh.load_weights(tmp_path / name)
    np.testing.assert_array_equal(fresh.predict(INPUTS, verbose=0), model.predict(INPUTS, verbose=0))


def test_loads_without_qlayer(saved):
    """Where qlayer and PennyLane cannot be imported, the loaded model has the same numbers and weights."""

    def load(folder, inputs):
        import tensorflow as tf

        model = tf.keras.models.load_model(folder)
        return model.predict(inputs, verbose=0), model(inputs).numpy(), model.get_weights()

    model, folder = saved
    predicted, called, weights = processes.run_blocked(load, folder, INPUTS, blocked=BLOCKED)
    np.testing.assert_allclose(predicted, model.predict(INPUTS, verbose=0), atol=1e-6)
    np.testing.assert_allclose(called, predicted, atol=1e-6)
    for found, expected in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_training_goes_on_without_qlayer(saved):
    """3 epochs, save, load without qlayer, restore the optimizer, 3 more epochs: the numbers of 6 epochs in one go."""

    def resume(folder, inputs, targets):
        import tensorflow as tf

        model = tf.keras.models.load_model(folder)
        model.optimizer.build(model.trainable_variables)
        model.load_weights(f"{folder}/variables/variables").expect_partial()
        model.fit(inputs, targets, epochs=3, shuffle=False, verbose=0)
        return model.get_weights()

    _, folder = saved
    resumed = processes.run_blocked(resume, folder, INPUTS, TARGETS, blocked=BLOCKED)
    whole = new_model()
    whole.fit(INPUTS, TARGETS, epochs=6, shuffle=False, verbose=0)
    for found, expected in zip(resumed, whole.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_plain_tensorflow_runs_the_signature(saved):
    """tf.saved_model.load runs serving_default for any batch, and its graph holds no Python callback."""

    def serve(folder, inputs):
        import tensorflow as tf

        signature = tf.saved_model.load(folder).signatures["serving_default"]
        graph = signature.graph.as_graph_def()
        operations = {node.op for node in graph.node}
        operations |= {node.op for function in graph.library.function for node in function.node_def}
        results = [next(iter(signature(tf.constant(rows)).values())).numpy() for rows in (inputs, inputs[:1])]
        return operations, results

    model, folder = saved
    operations, (many, one) = processes.run_blocked(serve, folder, INPUTS, blocked=(*BLOCKED, "tf_keras"))
    assert not {operation for operation in operations if "Py" in operation}
    np.testing.assert_allclose(many, model.predict(INPUTS, verbose=0), atol=1e-6)
    np.testing.assert_allclose(one, many[:1], atol=1e-6)


def test_loads_with_qlayer_too(saved):
    """Where qlayer is imported, the same file gives layers of qlayer, with the same numbers."""
    model, folder = saved
    loaded = tf.keras.models.load_model(folder)
    assert isinstance(loaded.layers[1], KerasLayer)
    assert loaded.layers[1].circuit == model.layers[1].circuit
    np.testing.assert_allclose(loaded.predict(INPUTS, verbose=0), model.predict(INPUTS, verbose=0), atol=1e-6)


def test_training_goes_on_with_qlayer(saved):
    """The layers of qlayer train on as those of Keras do: the numbers of 6 epochs in one go."""
    _, folder = saved
    resumed = tf.keras.models.load_model(folder)
    resumed.optimizer.build(resumed.trainable_variables)
    resumed.load_weights(f"{folder}/variables/variables").expect_partial()
    resumed.fit(INPUTS, TARGETS, epochs=3, shuffle=False, verbose=0)
    whole = new_model()
    whole.fit(INPUTS, TARGETS, epochs=6, shuffle=False, verbose=0)
    for found, expected in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_inputs_keep_their_gradient_after_loading(saved):
    """A loaded model passes gradients on to its inputs."""

    def gradient(folder, inputs):
        import tensorflow as tf

        model = tf.keras.models.load_model(folder)
        inputs = tf.constant(inputs)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(model(inputs))
        return tape.gradient(loss, inputs).numpy()

    model, folder = saved
    inputs = tf.constant(INPUTS)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = tf.reduce_sum(model(inputs))
    expected = tape.gradient(loss, inputs)
    np.testing.assert_allclose(processes.run_blocked(gradient, folder, INPUTS, blocked=BLOCKED), expected, atol=1e-5)


@qml.set_shots(50)
@qml.qnode(qml.device("default.qubit", wires=2))
def sampled(inputs, weights):
    """Features of 0 and 1 make basis states, so that every shot gives the same."""
    qml.AngleEmbedding(np.pi * inputs, wires=range(2))
    qml.MultiRZ(weights, wires=range(2))
    return qml.expval(qml.Z(0)), qml.expval(qml.Z(1))


@qml.qnode(qml.device("default.qubit", wires=2))
def grid(inputs, weights):
    """Samples of two axes."""
    for row in inputs:
        qml.AngleEmbedding(row, wires=range(2))
        qml.StronglyEntanglingLayers(weights, wires=range(2))
    return qml.probs(wires=[0, 1])


VARIANTS = {
    "shots": ((sampled, {"weights": 1}, 2), {}, INPUTS > 0),
    "float64": ((circuit, {"weights": (1, 2, 3)}, 2), {"dtype": "float64"}, INPUTS),
    "axes of features": (
        (grid, {"weights": (1, 2, 3)}, 4),
        {"sample_shape": (3, 2)},
        INPUTS.reshape(4, 3, 2),
    ),
    "axes of batch": ((circuit, {"weights": (1, 2, 3)}, 2), {}, INPUTS.reshape(2, 6, 2)),
}


@pytest.fixture(scope="module")
def variants(tmp_path_factory):
    """For each variant of the layer in a model, the folder it was saved to, its inputs and its numbers."""
    found = {}
    for name, (arguments, options, inputs) in VARIANTS.items():
        dtype = options.get("dtype", "float32")
        layers = [tf.keras.Input(inputs.shape[1:], dtype=dtype), KerasLayer(*arguments, **options)]
        model = tf.keras.Sequential(layers)
        folder = str(tmp_path_factory.mktemp("variants") / "model")
        model.save(folder)
        found[name] = (folder, inputs.astype(dtype), model.predict(inputs.astype(dtype), verbose=0))
    return found


def test_tensorflow_1_sessions_run_every_variant(saved, variants):
    """A Session of TensorFlow 1, what TensorFlow Serving runs, gives the numbers of every kind of layer."""

    def serve(folders):
        import tensorflow as tf

        results = {}
        for name, (folder, inputs) in folders.items():
            with tf.Graph().as_default(), tf.compat.v1.Session() as session:
                signature = tf.compat.v1.saved_model.load(session, ["serve"], folder).signature_def["serving_default"]
                (source,), (result,) = signature.inputs.values(), signature.outputs.values()
                results[name] = session.run(result.name, {source.name: inputs})
        return results

    model, folder = saved
    expected = {name: predicted for name, (_, _, predicted) in variants.items()}
    expected["Sequential"] = model.predict(INPUTS, verbose=0)
    folders = {name: (path, inputs) for name, (path, inputs, _) in variants.items()}
    found = processes.run_blocked(serve, {**folders, "Sequential": (folder, INPUTS)}, blocked=(*BLOCKED, "tf_keras"))
    for name, numbers in expected.items():
        np.testing.assert_allclose(found[name], numbers, atol=1e-6, err_msg=name)


def test_variants_load_in_keras(variants):
    """Keras 2 loads every variant without qlayer, with its numbers and its precision."""

    def load(folders):
        import tensorflow as tf

        return {
            name: tf.keras.models.load_model(folder).predict(inputs, verbose=0)
            for name, (folder, inputs) in folders.items()
        }

    folders = {name: (path, inputs) for name, (path, inputs, _) in variants.items()}
    found = processes.run_blocked(load, folders, blocked=BLOCKED)
    for name, (_, _, numbers) in variants.items():
        np.testing.assert_allclose(found[name], numbers, atol=1e-6, err_msg=name)
        assert found[name].dtype == numbers.dtype


def test_keras_3_reads_it(saved):
    """The TFSMLayer of Keras 3 runs what Keras 2 saved, in a model of Keras 3."""

    def serve(folder, inputs):
        import keras

        features = keras.Input((2,))
        outputs = keras.layers.TFSMLayer(folder, call_endpoint="serving_default")(features)
        return next(iter(keras.Model(features, outputs).predict(inputs, verbose=0).values()))

    model, folder = saved
    found = processes.run_blocked(serve, folder, INPUTS, blocked=(*BLOCKED, "tf_keras"))
    np.testing.assert_allclose(found, model.predict(INPUTS, verbose=0), atol=1e-6)


def test_saved_model_cli(saved, tmp_path):
    """TensorFlow's own command line runs it."""
    model, folder = saved
    found = processes.saved_model_cli(folder, model.input_names[0], INPUTS, tmp_path)
    np.testing.assert_allclose(found, model.predict(INPUTS, verbose=0), atol=1e-6)
