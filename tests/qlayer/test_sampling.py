"""Finite shots: shapes, means and variances against the exact values, and gradients."""

import numpy as np
import oracle
import pennylane as qml
import pytest
import tensorflow as tf

from qlayer import KerasLayer, UnsupportedError
from qlayer.compiler import CompiledCircuit
from qlayer.recording.capture import capture
from qlayer.shots.sampling import SAMPLED

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
    "sampled_eigenvalues": lambda: qml.sample(op=qml.Hermitian(HERMITIAN, wires=1)),
    "classical_shadow": lambda: qml.classical_shadow(wires=[2, 0]),
    "shadow_expval": lambda: qml.shadow_expval(qml.X(0) @ qml.Z(1) + 0.5 * qml.Y(2) - 0.2 * qml.I(0), k=3),
}
EXACT = {**MEASURED, "shadow_expval": MEASURED["sampled_expval"]}


def circuit_of(name, shots):
    """A compiled random circuit with one measurement, and the same with exact results."""
    device = qml.device("default.qubit")
    function = oracle.random_function(3, 20, (MEASURED if shots else EXACT)[name])
    qnode = qml.QNode(function, device, shots=shots)
    return tf.function(CompiledCircuit(*capture(qnode, "inputs", (4,), {"weights": (4,)}, tf.float64), tf.float64))


def test_every_row_is_measured():
    """Each sampled row has an entry here."""
    assert set(SAMPLED) == set(MEASURED)


@pytest.mark.parametrize(
    "name", ["sampled_expval", "sampled_matrix_expval", "sampled_probs", "sampled_basis_probs", "shadow_expval"]
)
def test_mean_and_spread(name):
    """Over 200 draws, the mean is the exact value and the spread shrinks with the square root of the shots."""
    inputs, weights = oracle.random_arguments(1, batch=1)
    w = tf.constant(weights["weights"])
    exact = circuit_of(name, None)(tf.constant(inputs), w).numpy()
    tf.random.set_seed(1)
    drawn = circuit_of(name, SHOTS)(tf.constant(np.repeat(inputs, 200, axis=0)), w).numpy()
    spread = 3 / np.sqrt(SHOTS)  # no observable here has a spectrum wider than 6
    if name == "shadow_expval":  # a shot says 9 or nothing of a word on two wires, and the median is of a third of them
        spread *= 9 * np.sqrt(3)
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


def test_eigenvalues_follow_the_distribution():
    """The outcomes of a matrix observable are its eigenvalues, and their mean is its expectation value."""
    inputs, weights = oracle.random_arguments(1)
    arguments = (tf.constant(inputs), tf.constant(weights["weights"]))
    tf.random.set_seed(4)
    outcomes = circuit_of("sampled_eigenvalues", SHOTS)(*arguments).numpy()
    eigenvalues = np.linalg.eigvalsh(HERMITIAN)
    assert set(np.unique(outcomes.round(9))) == set(eigenvalues.round(9))
    exact = circuit_of("sampled_matrix_expval", None)(*arguments)
    np.testing.assert_allclose(outcomes.mean(axis=1), exact, atol=SIGMAS * np.ptp(eigenvalues) / 2 / np.sqrt(SHOTS))


def test_backpropagation_gives_the_exact_gradient():
    """With diff_method="backprop" the gradient with finite shots is that of the exact expectation value."""
    function = oracle.random_function(3, 20, MEASURED["sampled_expval"])
    inputs, weights = oracle.random_arguments(1)
    x, w = tf.constant(inputs), tf.constant(weights["weights"])
    gradients = []
    for shots in (None, SHOTS):
        circuit = oracle.compiled(function, (4,), weights, diff_method="backprop", shots=shots)
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(circuit(x, w))
        gradients.append(tape.gradient(total, x))
    np.testing.assert_allclose(gradients[1], gradients[0], atol=1e-12)


def test_samples_of_mid_circuit_measurements():
    """A measurement within the circuit is sampled as 0 and 1, a calculation with two as its values."""

    def function(inputs, weights):
        qml.RY(inputs[0], wires=0)
        first = qml.measure(0, reset=True)
        qml.RY(inputs[1], wires=0)
        second = qml.measure(0)
        return qml.sample(first), qml.sample(first + 2 * second), qml.sample([first, second])

    inputs, weights = oracle.random_arguments(2)
    circuit = oracle.compiled(function, (4,), weights, shots=SHOTS)
    drawn = circuit(tf.constant(inputs), tf.constant(weights["weights"])).numpy()
    one, sums, both = np.split(drawn, [SHOTS, 2 * SHOTS], axis=1)
    first, second = np.sin(inputs[:, 0] / 2) ** 2, np.sin(inputs[:, 1] / 2) ** 2
    noise = SIGMAS / np.sqrt(SHOTS)
    np.testing.assert_allclose(one.mean(axis=1), first, atol=noise)
    np.testing.assert_allclose(sums.mean(axis=1), first + 2 * second, atol=3 * noise)
    bits = both.reshape(3, SHOTS, 2).mean(axis=1)
    np.testing.assert_allclose(bits, np.stack([first, second], axis=1), atol=noise)


def seeded(seed, **options):
    """A layer of ten shots."""

    @qml.set_shots(10)
    @qml.qnode(qml.device("default.qubit", wires=2))
    def qnode(inputs):
        qml.Hadamard(0)
        qml.RX(inputs[0], wires=1)
        return qml.sample(wires=[0, 1]), qml.expval(qml.Z(1))

    return KerasLayer(qnode, {}, output_dim=None, seed=seed, **options)


@pytest.mark.parametrize("options", [{}, {"jit_compile": True}], ids=["", "XLA"])
def test_seed(options):
    """Layers of the same seed draw the same sequence, whose members differ; layers of another seed draw another."""
    inputs = tf.ones([3, 1])
    runs = [
        [layer(inputs).numpy() for _ in range(2)] for layer in (seeded(1, **options), seeded(1, **options), seeded(2))
    ]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert np.any(runs[0][0] != runs[0][1])
    assert np.any(runs[0][0] != runs[2][0])


def test_seed_is_saved():
    """A layer's configuration carries its seed."""
    layer = seeded(7)
    first = layer(tf.ones([3, 1]))
    again = KerasLayer.from_config(layer.get_config())
    np.testing.assert_array_equal(again(tf.ones([3, 1])), first)


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


def test_postselected_shots():
    """All shots have the outcome that was selected; dropping them as hardware does is refused."""

    def function(inputs):
        qml.RY(inputs[0], wires=0)
        qml.CNOT([0, 1])
        qml.measure(0, postselect=1)
        return qml.sample(wires=[0, 1])

    samples = oracle.compiled(function, (1,), {}, shots=20)(tf.constant([[0.3], [2.0]], tf.float64))
    np.testing.assert_array_equal(samples, np.ones((2, 20, 2)))
    with pytest.raises(UnsupportedError, match='Use postselect_mode="fill-shots"'):
        oracle.compiled(function, (1,), {}, shots=20, postselect_mode="hw-like")


REFUSED = {
    "counts": (qml.counts, 10, r"a dictionary of counts has no fixed shape. Return qml.probs or qml.sample"),
    "sample": (qml.sample, None, r"samples need finite shots. Use qml.set_shots"),
    "shadow": (lambda: qml.classical_shadow(wires=[0]), None, r"shadows need finite shots. Use qml.set_shots"),
    "shadow_expval": (lambda: qml.shadow_expval(qml.Z(0)), None, r"shadows need finite shots. Use qml.set_shots"),
    "several": (lambda: qml.shadow_expval([qml.Z(0), qml.X(0)]), 10, r"Return a qml.shadow_expval for each"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_measurements(name):
    """What cannot be drawn is refused with what to return instead."""
    measured, shots, message = REFUSED[name]

    def function(inputs):
        qml.RX(inputs[0], wires=0)
        return measured()

    with pytest.raises(UnsupportedError, match=message):
        oracle.compiled(function, (1,), {}, shots=shots)


def test_exact_properties_are_refused():
    """What cannot be sampled is refused by name."""

    @qml.set_shots(50)
    @qml.qnode(qml.device("default.qubit", wires=1))
    def qnode(inputs):
        qml.RX(inputs[0], wires=0)
        return qml.purity(wires=0)

    with pytest.raises(UnsupportedError, match=r"purity.*cannot be had with finite shots"):
        KerasLayer(qnode, {}, output_dim=None)(tf.zeros([2, 1]))


@pytest.mark.parametrize("name", [name for name, rule in SAMPLED.items() if rule.takes_shots])
def test_shots_in_the_key(name):
    """A key with a number of shots draws that many, and gives what a measurement of as many shots gives."""
    inputs, weights = oracle.random_arguments(1)
    arguments = (tf.constant(inputs), tf.constant(weights["weights"]))
    key = tf.constant([4, 9])
    expected = circuit_of(name, 300)(*arguments, key=key)
    found = circuit_of(name, 20)(*arguments, key=tf.concat([key, [300]], axis=0))
    np.testing.assert_allclose(found, expected, atol=1e-12)
    other = circuit_of(name, 20)(*arguments, key=key)
    assert np.any(np.abs(other - expected) > 1e-6)


def test_which_shots_are_fixed():
    """The number of shots is fixed where it is a part of the result's shape, or divided into groups."""
    fixed = {name for name, rule in SAMPLED.items() if not rule.takes_shots}
    assert fixed == {"sampled_states", "sampled_outcomes", "sampled_eigenvalues", "classical_shadow", "shadow_expval"}
