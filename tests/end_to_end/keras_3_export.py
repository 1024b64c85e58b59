"""What Keras 3 exports: a SavedModel for everything that runs TensorFlow. Run by test_keras_3."""

import numpy as np
import pennylane as qml
import processes
import pytest

from qlayer import KerasLayer
from qlayer.keras_compat import keras

BLOCKED = ("qlayer", "pennylane")
INPUTS = np.random.default_rng(0).uniform(-1, 1, (4, 2)).astype(np.float32)


@qml.qnode(qml.device("default.qubit", wires=2))
def circuit(inputs, weights):
    """Calculated angles and a template."""
    qml.AngleEmbedding(np.pi * np.tanh(inputs), wires=range(2))
    qml.StronglyEntanglingLayers(weights, wires=range(2))
    return qml.expval(qml.Z(0)), qml.expval(qml.Z(1))


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The folder of an exported model, and its numbers."""
    layer = KerasLayer(circuit, {"weights": (1, 2, 3)}, output_dim=2)
    model = keras.Sequential([keras.Input((2,), name="features"), keras.layers.Dense(2), layer, keras.layers.Dense(1)])
    folder = str(tmp_path_factory.mktemp("exported") / "model")
    model.export(folder, verbose=False)
    return folder, model.predict(INPUTS, verbose=0)


def test_plain_tensorflow(exported):
    """tf.saved_model.load serves any batch, without qlayer, PennyLane or Keras, and without a Python callback."""

    def serve(folder, inputs):
        import tensorflow as tf

        signature = tf.saved_model.load(folder).signatures["serving_default"]
        library = signature.graph.as_graph_def().library
        operations = {node.op for function in library.function for node in function.node_def}
        results = [next(iter(signature(tf.constant(rows)).values())).numpy() for rows in (inputs, inputs[:1])]
        return operations, results

    folder, expected = exported
    operations, (many, one) = processes.run_blocked(serve, folder, INPUTS, blocked=(*BLOCKED, "keras", "tf_keras"))
    assert not {operation for operation in operations if "Py" in operation}
    np.testing.assert_allclose(many, expected, atol=1e-6)
    np.testing.assert_allclose(one, expected[:1], atol=1e-6)


def test_tensorflow_1_session(exported):
    """A Session of TensorFlow 1, what TensorFlow Serving runs, gives the numbers."""

    def serve(folder, inputs):
        import tensorflow as tf

        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            signature = tf.compat.v1.saved_model.load(session, ["serve"], folder).signature_def["serving_default"]
            (source,), (result,) = signature.inputs.values(), signature.outputs.values()
            return session.run(result.name, {source.name: inputs})

    folder, expected = exported
    np.testing.assert_allclose(processes.run_blocked(serve, folder, INPUTS, blocked=BLOCKED), expected, atol=1e-6)


def test_tfsm_layer(exported):
    """keras.layers.TFSMLayer brings it back into a model of Keras 3, without qlayer."""

    def serve(folder, inputs):
        import keras

        model = keras.Sequential([keras.Input((2,)), keras.layers.TFSMLayer(folder, call_endpoint="serve")])
        return model.predict(inputs, verbose=0)

    folder, expected = exported
    np.testing.assert_allclose(processes.run_blocked(serve, folder, INPUTS, blocked=BLOCKED), expected, atol=1e-6)


def test_saved_model_cli(exported, tmp_path):
    """TensorFlow's own command line runs it."""
    folder, expected = exported
    found = processes.saved_model_cli(folder, "features", INPUTS, tmp_path)
    np.testing.assert_allclose(found, expected, atol=1e-6)
