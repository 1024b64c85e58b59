"""Angles that are NaN or infinite: the run ends, and says whose they are."""

import numpy as np
import pennylane as qml
import processes
import pytest
import tensorflow as tf

from qlayer import KerasLayer

INPUTS = np.random.default_rng(0).uniform(0.5, 1, (4, 2)).astype(np.float32)
FROM_INPUTS = r"the numbers given to {}, which depend on the inputs, are not finite. Look for NaN .* Found : .*{}"
FROM_WEIGHTS = r"the numbers given to {}, which depend on weights only, are not finite. .* Found : .*{}"


def logarithm(inputs, scale):
    """Angles that are calculated from inputs, and from a weight."""
    qml.AngleEmbedding(np.log(inputs), wires=range(2))
    qml.CRY(1 / scale, wires=[0, 1])
    return qml.expval(qml.Z(1))


def matrix(inputs, scale):
    """A matrix that is calculated from inputs."""
    cosine, sine = np.cos(1 / inputs[0]), np.sin(1 / inputs[0])
    qml.QubitUnitary(np.reshape(np.stack([cosine, -sine, sine, cosine]), (2, 2)), 0)
    qml.RX(scale, 0)
    return qml.expval(qml.Z(0))


def amplitudes(inputs, scale):
    """Amplitudes that the inputs are normalised to."""
    qml.AmplitudeEmbedding(inputs, wires=0, normalize=True)
    qml.RX(scale, 0)
    return qml.expval(qml.Z(0))


def many(inputs, scale):
    """So many angles that their sums are checked."""
    for place in range(64):
        qml.RX(inputs[place], wires=0)
    qml.RX(scale, 0)
    return qml.expval(qml.Z(0))


def many_amplitudes(inputs, scale):
    """So many amplitudes, which are complex, that their sums are checked."""
    qml.StatePrep(inputs * (1 + 1j), wires=range(6), normalize=True, validate_norm=False)
    qml.RX(scale, 0)
    return qml.expval(qml.Z(0))


def coefficients(inputs, scale):
    """An observable whose coefficients are calculated."""
    qml.RX(0.3, wires=0)
    return qml.expval(qml.Hamiltonian([1 / scale, np.log(inputs[0])], [qml.Z(0), qml.X(0)]))


def quantum(function, **options):
    """A layer whose weight is 1."""
    qnode = qml.QNode(function, qml.device("default.qubit"))
    return KerasLayer(qnode, {"scale": 1}, 1, {"scale": {"initializer": "ones"}}, **options)


BAD_INPUTS = {
    "NaN": (logarithm, [0.5, np.nan], ("RX", "NaN")),
    "infinite": (logarithm, [0.0, 0.5], ("RX", "Inf")),
    "matrix": (matrix, [0.0, 0.5], ("QubitUnitary", "NaN")),
    "amplitudes": (amplitudes, [0.0, 0.0], ("StatePrep", "NaN")),
    "coefficients": (coefficients, [-1.0, 0.5], ("expval", "NaN")),
}


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_inputs_are_named(name):
    """One bad sample ends a call, and the message names the operation, the inputs, and what was found."""
    function, sample, found = BAD_INPUTS[name]
    layer, inputs = quantum(function), INPUTS.copy()
    assert np.all(np.isfinite(layer(inputs)))
    inputs[2] = sample
    with pytest.raises(tf.errors.InvalidArgumentError, match=FROM_INPUTS.format(*found)):
        layer(inputs)


@pytest.mark.parametrize(("function", "name"), [(many, "RX"), (many_amplitudes, "StatePrep")])
@pytest.mark.parametrize("bad", [{5: np.nan}, {7: -np.inf}, {5: np.inf, 9: -np.inf}])
def test_one_of_many(function, name, bad):
    """One bad number among many ends a call as well."""
    layer, inputs = quantum(function), np.ones((3, 64), np.float32)
    assert np.all(np.isfinite(layer(inputs)))
    inputs[1, list(bad)] = list(bad.values())
    with pytest.raises(tf.errors.InvalidArgumentError, match=FROM_INPUTS.format(name, "(NaN|Inf)")):
        layer(inputs)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_numbers_are_finite(dtype):
    """However large they are, and however many; no sample is fine as well."""
    layer = quantum(many, dtype=dtype)
    largest = np.full((3, 64), np.finfo(dtype).max / 2)
    assert np.all(np.isfinite(layer(largest)))
    assert np.all(np.isfinite(layer(-largest)))
    assert layer(largest[:0]).shape == (0, 1)


def test_weights_are_named():
    """A bad weight ends a call, and the message says that it comes from weights."""
    layer = quantum(logarithm)
    layer(INPUTS)
    layer.set_weights([np.float32(0)])
    with pytest.raises(tf.errors.InvalidArgumentError, match=FROM_WEIGHTS.format("RY", "Inf")):
        layer(INPUTS)


def test_training_and_prediction_end():
    """Training and prediction end with the same message."""
    model = tf.keras.Sequential([quantum(logarithm)])
    model.compile("sgd", "mse")
    model.fit(INPUTS, INPUTS[:, :1], verbose=0)
    for run in (lambda: model.fit(-INPUTS, INPUTS[:, :1], verbose=0), lambda: model.predict(-INPUTS, verbose=0)):
        with pytest.raises(tf.errors.InvalidArgumentError, match=FROM_INPUTS.format("RX", "NaN")):
            run()


def test_saved_models_check(tmp_path):
    """A SavedModel checks too, where neither qlayer nor PennyLane is installed."""

    def serve(folder, inputs):
        import tensorflow as tf

        signature = tf.saved_model.load(folder).signatures["serving_default"]
        (good,) = signature(tf.constant(inputs)).values()
        try:
            signature(tf.constant(-inputs))
        except tf.errors.InvalidArgumentError as exc:
            return good.numpy(), str(exc)

    model = tf.keras.Sequential([quantum(logarithm)])
    expected = model.predict(INPUTS, verbose=0)
    model.save(tmp_path)
    good, message = processes.run_blocked(serve, str(tmp_path), INPUTS, blocked=("qlayer", "pennylane", "tf_keras"))
    np.testing.assert_allclose(good, expected, atol=1e-6)
    assert "the numbers given to RX, which depend on the inputs, are not finite" in message


@pytest.mark.parametrize("function", [logarithm, amplitudes])
def test_derivatives_pass(function):
    """First and second derivatives, vectorized or not, are those of differences."""
    layer, inputs, step = quantum(function, dtype="float64"), tf.constant(INPUTS[:1], tf.float64), 1e-4
    with tf.GradientTape() as outer:
        outer.watch(inputs)
        with tf.GradientTape() as inner:
            inner.watch(inputs)
            results = layer(inputs)
        slopes = inner.batch_jacobian(results, inputs)[:, 0]
    curvatures = outer.batch_jacobian(slopes, inputs)[0]
    for feature, shift in enumerate(step * np.eye(2)):
        up, down = (layer(inputs + sign * shift)[0, 0] for sign in (1, -1))
        np.testing.assert_allclose(slopes[0, feature], (up - down) / (2 * step), atol=1e-6)
        second = (up - 2 * layer(inputs)[0, 0] + down) / step**2
        np.testing.assert_allclose(curvatures[feature, feature], second, atol=1e-5)


def test_gradients_are_not_checked():
    """A loss of NaN is not the angles' fault: its gradient is NaN, and no error."""
    layer, inputs = quantum(logarithm), tf.constant(INPUTS)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = tf.reduce_sum(layer(inputs)) * np.nan
    assert np.all(np.isnan(tape.gradient(loss, inputs)[:, 0]))
