"""Finite shots: shapes, means and variances against the exact values, and gradients."""

import numpy as np
import oracle
import pennylane as qml
import pytest
import tensorflow as tf

from qlayer import KerasLayer, UnsupportedError
from qlayer.capture import capture
from qlayer.compiler import CompiledCircuit
from qlayer.sampling import SAMPLED

SHOTS = 2000
SIGMAS = 5  # a right result fails one time in two million for each number
DEVICE = qml.device("default.qubit")
HERMITIAN = np.array([[1.0, 2 - 1j], [2 + 1j, -0.5]])

MEASURED = {
    "sampled_expval": lambda: qml.expval(qml.X(0) @ qml.Z(1) + 0.5 * qml.Y(2) - 0.2 * qml.I(0)),
    "sampled_var": lambda: qml.var(qml.Y(1)),
    "sampled_matrix_expval": lambda: qml.expval(qml.Hermitian(HERMITIAN, wires=1)),
    "sampled_matrix_var": lambda: qml.var(qml.Hermitian(HERMITIAN, wires=2)),
    "sampled_probs": lambda: qml.probs(wires=[2, 0]),
    "sampled_basis_probs": lambda: qml.probs(op=qml.X(1)),
    "sampled_states": lambda: qml.sample(wires=[2, 0]),
    "sampled_outcomes": lambda: qml.sample(op=qml.X(0) @ qml.Z(2)),
}


def circuit_of(name, shots):
    """A compiled random circuit with one measurement, and the same with exact results."""
    device = qml.device("default.qubit")
    function = oracle.random_function(3, 20, MEASURED[name])
    qnode = qml.QNode(function, device, shots=shots)
    return tf.function(CompiledCircuit(*capture(qnode, "inputs", (4,), {"weights": (4,)}, tf.float64), tf.float64))


def test_every_row_is_measured():
    """Each sampled row has an entry here."""
    assert set(SAMPLED) == set(MEASURED)


@pytest.mark.parametrize("name", ["sampled_expval", "sampled_matrix_expval", "sampled_probs", "sampled_basis_probs"])
def test_mean_and_spread(name):
    """Over 200 draws, the mean is the exact value and the spread shrinks with the square root of the shots."""
    inputs, weights = oracle.random_arguments(1, batch=1)
    w = tf.constant(weights["weights"])
    exact = circuit_of(name, None)(tf.constant(inputs), w).numpy()
    tf.random.set_seed(1)
    drawn = circuit_of(name, SHOTS)(tf.constant(np.repeat(inputs, 200, axis=0)), w).numpy()
    spread = 3 / np.sqrt(SHOTS)  # no observable here has a spectrum wider than 6
    np.testing.assert_allclose(drawn.mean(axis=0), exact[0], atol=SIGMAS * spread / np.sqrt(200))
    assert np.all(drawn.std(axis=0) < SIGMAS * spread)
    assert np.all(drawn.std(axis=0) > 0)


@pytest.mark.parametrize("name", ["sampled_var", "sampled_matrix_var"])
def test_variance(name):
    """The variance of the draws is the exact one within the noise of the shots."""
    inputs, weights = oracle.random_arguments(1)
    arguments = (tf.constant(inputs), tf.constant(weights["weights"]))
    tf.random.set_seed(2)
    found = circuit_of(name, 100 * SHOTS)(*arguments)
    np.testing.assert_allclose(found, circuit_of(name, None)(*arguments), atol=SIGMAS * 9 / np.sqrt(100 * SHOTS))


def test_variance_of_a_sum():
    """The products of words in a squared sum are drawn as words, whatever their coefficients."""
    inputs, weights = oracle.random_arguments(1, batch=1)
    arguments = (tf.constant(inputs), tf.constant(weights["weights"]))
    found = []
    for shots in (None, 100 * SHOTS):
        function = oracle.random_function(3, 20, lambda: qml.var(3 * qml.Z(0) + 2 * qml.Z(1) @ qml.X(2)))
        qnode = qml.QNode(function, qml.device("default.qubit", wires=4), shots=shots)
        circuit = CompiledCircuit(*capture(qnode, "inputs", (4,), {"weights": (4,)}, tf.float64), tf.float64)
        tf.random.set_seed(5)
        found.append(tf.function(circuit, autograph=False)(*arguments))
    np.testing.assert_allclose(found[1], found[0], atol=SIGMAS * 50 / np.sqrt(100 * SHOTS))


def test_samples_follow_the_probabilities():
    """Bits are 0 or 1, in the order of the wires, as often as their probabilities say."""
    inputs, weights = oracle.random_arguments(1)
    arguments = (tf.constant(inputs), tf.constant(weights["weights"]))
    tf.random.set_seed(3)
    samples = circuit_of("sampled_states", SHOTS)(*arguments).numpy()
    assert samples.shape == (3, SHOTS, 2)
    states = (2 * samples[..., 0] + samples[..., 1]).astype(int)
    frequencies = np.stack([np.bincount(row, minlength=4) / SHOTS for row in states])
    exact = circuit_of("sampled_probs", None)(*arguments)
    np.testing.assert_allclose(frequencies, exact, atol=SIGMAS * 0.5 / np.sqrt(SHOTS))


def test_outcomes_follow_the_expectation_value():
    """The outcomes of a Pauli word are +1 and -1, and their mean is its expectation value."""
    function = oracle.random_function(3, 20, lambda: qml.expval(qml.X(0) @ qml.Z(2)))
    inputs, weights = oracle.random_arguments(1)
    arguments = (tf.constant(inputs), tf.constant(weights["weights"]))
    tf.random.set_seed(4)
    outcomes = circuit_of("sampled_outcomes", SHOTS)(*arguments).numpy()
    assert set(np.unique(outcomes)) <= {-1.0, 1.0}
    exact = oracle.expected(function, inputs, weights, device=DEVICE)
    np.testing.assert_allclose(outcomes.mean(axis=1), exact, atol=SIGMAS / np.sqrt(SHOTS))


def test_gradient_is_the_exact_one():
    """The gradient with finite shots is that of the exact expectation value."""
    inputs, weights = oracle.random_arguments(1)
    x, w = tf.constant(inputs), tf.constant(weights["weights"])
    gradients = []
    for shots in (None, SHOTS):
        circuit = circuit_of("sampled_expval", shots)
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(circuit(x, w))
        gradients.append(tape.gradient(total, x))
    np.testing.assert_allclose(gradients[1], gradients[0], atol=1e-12)


OUTPUT_SHAPES = {
    "expval": (lambda: [qml.expval(qml.Z(0))], (5,)),
    "probs": (lambda: [qml.probs(wires=[0, 1])], (5, 4)),
    "sample": (lambda: [qml.sample(wires=[0, 1])], (5, 100, 2)),
    "expval and probs": (lambda: [qml.expval(qml.Z(0)), qml.probs(wires=[0, 1])], (5, 5)),
    "probs and sample": (lambda: [qml.probs([0, 1]), qml.sample(wires=[0, 1])], (5, 204)),
}


@pytest.mark.parametrize("name", OUTPUT_SHAPES)
def test_output_shapes_of_the_specification(name):
    """With 100 shots, the shapes are those of the specification."""
    make, shape = OUTPUT_SHAPES[name]
    measurements = make()

    @qml.set_shots(100)
    @qml.qnode(qml.device("default.qubit", wires=2))
    def qnode(inputs, weights):
        qml.templates.AngleEmbedding(inputs, wires=range(2))
        qml.templates.StronglyEntanglingLayers(weights, wires=range(2))
        if len(measurements) == 1:
            return qml.apply(measurements[0])
        return [qml.apply(measurement) for measurement in measurements]

    layer = KerasLayer(qnode, {"weights": (3, 2, 3)}, output_dim=None)
    assert tuple(layer.compute_output_shape((5, 2))) == shape
    assert tuple(layer(tf.zeros((5, 2))).shape) == shape


def test_every_sample_draws_its_own_shots():
    """Equal samples of a batch get different draws, also where nothing depends on the inputs."""

    @qml.set_shots(50)
    @qml.qnode(qml.device("default.qubit", wires=1))
    def qnode(inputs):
        qml.Hadamard(0)
        return qml.sample(wires=0)

    first, second = KerasLayer(qnode, {}, output_dim=None)(tf.zeros([2, 1])).numpy()
    assert np.any(first != second)


def test_exact_properties_are_refused():
    """What cannot be sampled is refused by name."""

    @qml.set_shots(50)
    @qml.qnode(qml.device("default.qubit", wires=1))
    def qnode(inputs):
        qml.RX(inputs[0], wires=0)
        return qml.purity(wires=0)

    with pytest.raises(UnsupportedError, match=r"purity.*cannot be had with finite shots"):
        KerasLayer(qnode, {}, output_dim=None)(tf.zeros([2, 1]))
