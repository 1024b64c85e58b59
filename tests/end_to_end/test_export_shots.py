"""Export of models with finite shots: the signature `sampled`, where a seed decides."""

import numpy as np
import pennylane as qml
import processes
import pytest
import saved_models
import tensorflow as tf
from exported_models import BLOCKED, INPUTS

import qlayer
from qlayer import ExportError, KerasLayer, UnsupportedError
from qlayer.keras_compat import keras


@qml.set_shots(100)
@qml.qnode(qml.device("default.qubit", wires=2))
def drawn(inputs, weights):
    """Results of finite shots."""
    qml.AngleEmbedding(inputs, wires=range(2))
    qml.StronglyEntanglingLayers(weights, wires=range(2))
    return qml.expval(qml.X(0)), qml.probs(wires=[0, 1])


@pytest.fixture(scope="module")
def sampled(tmp_path_factory):
    """The folder of an exported model with finite shots, and the model."""
    layer = KerasLayer(drawn, {"weights": (1, 2, 3)}, output_dim=None)
    model = keras.Sequential([keras.Input((2,), name="features"), layer, keras.layers.Dense(2, name="result")])
    folder = tmp_path_factory.mktemp("sampled") / "model"
    qlayer.export(model, folder)
    return folder, model


def test_a_seed_decides(sampled):
    """`sampled` takes a seed and a number of shots: the same seed gives the same, in another process too."""

    def serve(folder, inputs):
        import tensorflow as tf

        signatures = tf.saved_model.load(folder).signatures
        draw = signatures["sampled"]
        asked = [(1, 50), (1, 50), (2, 50), (1 << 40, 50), (1, 100_000)]
        seeds = [(tf.constant(seed, tf.int64), tf.constant(shots)) for seed, shots in asked]
        numbers = [draw(features=inputs, seed=seed, shots=shots)["result"].numpy() for seed, shots in seeds]
        return numbers, [signatures["serving_default"](features=inputs)["result"].numpy() for _ in range(2)]

    folder, _ = sampled
    (first, again, other, high, many), (one, two) = processes.run_blocked(serve, str(folder), INPUTS, blocked=BLOCKED)
    elsewhere, _ = processes.run_blocked(serve, str(folder), INPUTS, blocked=BLOCKED)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, elsewhere[0])
    for different in (other, high, many):
        assert np.any(first != different)
    assert np.any(one != two)
    assert saved_models.operations(folder) <= saved_models.HARMLESS


def test_shots_decide_the_spread(sampled):
    """Many shots come close to the exact values."""
    folder, model = sampled
    draw = tf.saved_model.load(str(folder)).signatures["sampled"]
    exact = KerasLayer(qml.set_shots(drawn, None), {"weights": (1, 2, 3)}, output_dim=None)
    exact(INPUTS)
    exact.set_weights(model.layers[0].get_weights())
    expected = np.asarray(model.layers[1](exact(INPUTS)))
    shots = 400_000
    found = draw(features=INPUTS, seed=tf.constant(3, tf.int64), shots=tf.constant(shots))["result"]
    spread = 5 * np.abs(model.layers[1].get_weights()[0]).sum() / np.sqrt(shots)
    np.testing.assert_allclose(found, expected, atol=spread)


def test_no_shots_are_refused(sampled):
    """Fewer than one shot end in an error that says so."""
    folder, _ = sampled
    draw = tf.saved_model.load(str(folder)).signatures["sampled"]
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        draw(features=INPUTS, seed=tf.constant(3, tf.int64), shots=tf.constant(0))
    assert "shots must be at least 1" in str(caught.value)


def test_single_shots_keep_their_number(tmp_path):
    """Where the result has an entry for each shot, `sampled` takes the seed alone."""

    @qml.set_shots(7)
    @qml.qnode(qml.device("default.qubit", wires=2))
    def bits(inputs):
        qml.AngleEmbedding(inputs, wires=range(2))
        return qml.sample(wires=[0, 1])

    model = keras.Sequential([keras.Input((2,), name="features"), KerasLayer(bits, {}, output_dim=None, name="bits")])
    qlayer.export(model, tmp_path / "model")
    draw = tf.saved_model.load(str(tmp_path / "model")).signatures["sampled"]
    assert sorted(draw.structured_input_signature[1]) == ["features", "seed"]
    first, again = (draw(features=INPUTS, seed=tf.constant(5, tf.int64))["bits"].numpy() for _ in range(2))
    assert first.shape == (6, 7, 2)
    np.testing.assert_array_equal(first, again)


def test_shots_and_batch_sizes(tmp_path, sampled):
    """Results of finite shots are not compiled with XLA; an input named like a seed is refused."""
    _, model = sampled
    with pytest.raises(UnsupportedError, match="Leave batch_sizes out"):
        qlayer.export(model, tmp_path / "model", batch_sizes=[1])
    layer = KerasLayer(drawn, {"weights": (1, 2, 3)}, output_dim=None)
    model = keras.Sequential([keras.Input((2,), name="seed"), layer])
    with pytest.raises(ExportError, match="has an input named 'seed'"):
        qlayer.export(model, tmp_path / "model")
    assert not list(tmp_path.iterdir())
