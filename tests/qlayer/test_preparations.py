"""Preparations: states of calculated numbers that PennyLane would refuse as values end the run."""

import numpy as np
import oracle
import pennylane as qml
import pytest
import tensorflow as tf

from qlayer import KerasLayer, export

VALUES = np.random.default_rng(3).uniform(-1, 1, (4, 4))
UNIT = VALUES / np.linalg.norm(VALUES, axis=1, keepdims=True)
BITS = np.array([[0.0, 1, 1, 0], [1, 1, 0, 1]])
NORM = "the amplitudes given to {} do not have norm 1. With normalize=True .* validate_norm=False"
NUMBERS = "the numbers given to {} are not all 0 or 1. Round them"


def mixed(inputs):
    """Amplitudes in front of a channel."""
    qml.AmplitudeEmbedding(inputs, wires=[0, 1])
    qml.BitFlip(0.1, wires=0)


def later(inputs):
    """Amplitudes that do not come first."""
    qml.X(0)
    qml.AmplitudeEmbedding(inputs, wires=[2, 1])


def many_wires(inputs):
    """Amplitudes in a circuit whose batch runs in chunks."""
    qml.AmplitudeEmbedding(inputs, wires=[0, 1])
    for wire in range(9):
        qml.CNOT(wires=[wire, wire + 1])


CHECKED = {
    "AmplitudeEmbedding": (lambda x: qml.AmplitudeEmbedding(x, wires=[0, 1]), UNIT, NORM.format("AmplitudeEmbedding")),
    "StatePrep": (
        lambda x: qml.StatePrep(x * (0.6 + 0.8j), wires=[0, 1], validate_norm=True),
        UNIT,
        NORM.format("StatePrep"),
    ),
    "mixed": (mixed, UNIT, NORM.format("AmplitudeEmbedding")),
    "later": (later, UNIT, NORM.format("AmplitudeEmbedding")),
    "many wires": (many_wires, UNIT, NORM.format("AmplitudeEmbedding")),
    "BasisEmbedding": (lambda x: qml.BasisEmbedding(x, wires=range(4)), BITS, NUMBERS.format("BasisEmbedding")),
    "BasisState": (lambda x: qml.BasisState(x[:1], wires=[0]), BITS, NUMBERS.format("BasisState")),
}


def layer_of(prepare, **options):
    """A layer that prepares a state of its inputs."""
    device = qml.device("default.mixed", wires=2) if prepare is mixed else qml.device("default.qubit")

    def qnode(inputs, weight):
        prepare(inputs)
        qml.RY(weight, wires=1)
        return qml.expval(qml.Z(0)), qml.expval(qml.X(1))

    return KerasLayer(qml.QNode(qnode, device), {"weight": 1}, 2, dtype="float64", **options)


@pytest.mark.parametrize("name", CHECKED)
def test_what_pennylane_refuses_ends_the_run(name):
    """A good batch has PennyLane's numbers, and one bad sample among them ends the run with what to do."""
    prepare, good, message = CHECKED[name]
    layer = layer_of(prepare)
    found = layer(tf.constant(good))
    weight = layer.get_weights()[0]
    expected = [qml.math.stack(layer.qnode(inputs=sample, weight=weight)) for sample in good]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    bad = np.vstack([good, 0.7 * good[:1] + 0.1])
    with pytest.raises(ValueError, match=r"norm 1.0|only consist of 0s and 1s"):
        layer.qnode(inputs=bad[-1], weight=weight)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        layer(tf.constant(bad))


UNCHECKED = {
    "divided by their norm": {"normalize": True},
    "padded": {"pad_with": 0.0},
    "taken as they are": {"validate_norm": False},
}


@pytest.mark.parametrize("name", UNCHECKED)
def test_options_are_respected(name):
    """Amplitudes that are normalized, or that the user takes as they are, run with no check and no more operations."""
    layer = layer_of(lambda inputs: qml.AmplitudeEmbedding(inputs, wires=[0, 1], **UNCHECKED[name]))
    assert np.all(np.isfinite(layer(tf.constant(VALUES))))
    concrete = layer._compiled.function.get_concrete_function()
    checks = [operation for operation in concrete.graph.get_operations() if operation.type == "CheckNumerics"]
    assert not any(b"norm 1" in check.get_attr("message") for check in checks)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tolerance(dtype):
    """A norm that differs from 1 by less than PennyLane tolerates is 1; zeros, which models are tried with, pass."""
    layer = layer_of(CHECKED["AmplitudeEmbedding"][0])
    inputs = tf.cast(tf.constant(UNIT, dtype), tf.float64)
    layer(inputs * (1 + 8e-6))
    layer(tf.zeros([2, 4]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="norm 1"):
        layer(inputs * (1 - 2e-5))


def test_amplitudes_that_are_no_numbers():
    """NaN is named as what it is, not as a norm."""
    with pytest.raises(tf.errors.InvalidArgumentError, match="given to StatePrep, which depend on the inputs, are not"):
        layer_of(CHECKED["AmplitudeEmbedding"][0])(tf.fill([2, 4], tf.constant(np.nan)))


def test_gradients_pass():
    """Gradients are those without the check."""

    def function(inputs, weights, **options):
        qml.AmplitudeEmbedding(inputs, wires=[0, 1], **options)
        qml.RY(weights[0], wires=1)
        return qml.expval(qml.Z(0)), qml.expval(qml.X(1))

    found = []
    for options in ({}, {"validate_norm": False}):
        circuit = oracle.compiled(
            lambda inputs, weights, o=options: function(inputs, weights, **o), (4,), {"weights": np.ones(1)}
        )
        inputs, weights = tf.constant(UNIT), tf.constant([0.3], tf.float64)
        with tf.GradientTape() as tape:
            tape.watch([inputs, weights])
            results = tf.reduce_sum(circuit(inputs, weights) ** 2)
        found.append(tape.gradient(results, [inputs, weights]))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_xla_leaves_the_check_out():
    """Compiled by XLA the numbers are the same, and nothing is checked."""
    layer, compiled = (layer_of(CHECKED["AmplitudeEmbedding"][0], jit_compile=jit) for jit in (False, True))
    for each in (layer, compiled):
        each.build((None, 4))
    compiled.set_weights(layer.get_weights())
    np.testing.assert_allclose(compiled(UNIT), layer(UNIT), atol=1e-10)
    assert np.all(np.isfinite(compiled(VALUES)))


def test_exported_models_check(tmp_path):
    """An exported model is tried with rows it takes, and checks those it is served with."""
    model = tf.keras.Sequential([tf.keras.Input((4,)), layer_of(CHECKED["AmplitudeEmbedding"][0])])
    export(model, tmp_path / "1")
    serve = tf.saved_model.load(str(tmp_path / "1")).signatures["serving_default"]
    (name, spec), *_ = serve.structured_input_signature[1].items()
    (found,) = serve(**{name: tf.constant(UNIT, spec.dtype)}).values()
    np.testing.assert_allclose(found, model.predict(UNIT, verbose=0), atol=1e-6)
    with pytest.raises(tf.errors.InvalidArgumentError, match="norm 1"):
        serve(**{name: tf.constant(VALUES, spec.dtype)})
