"""The parameter-shift rule: exact where nothing is drawn, right on average where something is."""

from dataclasses import replace

import numpy as np
import oracle
import pennylane as qml
import pytest
import tensorflow as tf

from qlayer.compiler import CompiledCircuit
from qlayer.recording.capture import capture
from qlayer.shots.randomness import Randomness
from qlayer.simulation.kernels import Angles
from qlayer.simulation.measurements import MEASUREMENTS

SHOTS = 20_000
SIGMAS = 5
DEVICES = {
    "pure": lambda: qml.device("default.qubit"),
    "mixed": lambda: qml.device("default.mixed", wires=4),
}


def shot_circuit(function, device, shots=SHOTS, **options):
    """A compiled circuit with finite shots, of inputs and weights of four angles."""
    qnode = qml.QNode(function, device, shots=shots, **options)
    return CompiledCircuit(*capture(qnode, "inputs", (4,), {"weights": (4,)}, tf.float64), tf.float64)


def exact_rule(circuit):
    """The circuit's rule for means that are not drawn."""

    def means(angles, _randomness, context):
        batch, *outputs = context
        state = circuit.simulation.state(circuit._numbers(angles, outputs)).for_batch(batch)
        return MEASUREMENTS["expval"].results(state, circuit.plan.readouts)

    return replace(circuit.shift_rule, draws=means), means


def noisy(function):
    """The same function with channels on both sides."""

    def wrapped(inputs, weights):
        qml.AmplitudeDamping(0.2, wires=0)
        return function(inputs, weights)

    return wrapped


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("seed", range(3))
def test_rule_is_exact(device, seed):
    """Applied to exact means, the rule gives the gradient of backpropagation, for every gate of the pool."""
    function = oracle.random_function(seed, 20, lambda: (qml.expval(qml.X(0) @ qml.Y(1)), qml.expval(qml.Z(2))))
    circuit = shot_circuit(noisy(function) if device == "mixed" else function, DEVICES[device]())
    rule, means = exact_rule(circuit)
    assert rule.coefficients

    @tf.function(autograph=False)
    def gradients(x, w):
        outputs = circuit.angle_graph(x, [w])
        angles, context = circuit._angle_values(outputs), [tf.shape(x)[0], *outputs]
        shared, varying = angles.shared, angles.varying
        by_rule = rule(angles, Randomness(tf.zeros([2], tf.int32)), context)
        by_tape = means(Angles(shared, varying), None, context)
        zero = tf.UnconnectedGradients.ZERO
        losses = [[tf.sin(value) for value in values] for values in (by_rule, by_tape)]
        return [tf.gradients(loss, [shared, varying], unconnected_gradients=zero) for loss in losses]

    inputs, weights = oracle.random_arguments(seed)
    found, expected = gradients(tf.constant(inputs), tf.constant(weights["weights"]))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-10)


def rotations(inputs, weights):
    """Gates of one, two and three frequencies, an angle in two places, and angles that are calculated."""
    qml.RX(inputs[0], wires=0)
    qml.CRY(inputs[1], wires=[0, 1])
    qml.Rot(*inputs[:3], wires=1)
    qml.PhaseShift(2 * inputs[1], wires=0)
    qml.RX(weights[1], wires=0)
    qml.SingleExcitation(inputs[3], wires=[0, 1])
    qml.CNOT([0, 2])


MEASURED = {
    "expval": lambda: qml.expval(qml.X(0) @ qml.Y(1) + 0.3 * qml.Z(2)),
    "var": lambda: qml.var(qml.Z(0) @ qml.X(2) + qml.X(1)),
    "probs": lambda: qml.probs(wires=[2, 0]),
    "variance of a matrix": lambda: qml.var(qml.Hermitian(np.array([[1, 2j], [-2j, 0.3]]), wires=1)),
    "probs in a basis": lambda: qml.probs(op=qml.X(1)),
    "shadow": lambda: qml.shadow_expval(qml.X(0) @ qml.Z(1)),
    "with samples": lambda: [qml.expval(qml.Y(1)), qml.sample(wires=[0])],
}
EXACT = {
    **MEASURED,
    "shadow": lambda: qml.expval(qml.X(0) @ qml.Z(1)),
    "with samples": lambda: [qml.expval(qml.Y(1)), qml.probs(wires=[0])],
}


def gradient(circuit, x, w, outputs):
    """The gradient of some outputs by the inputs, with fixed cotangents."""
    cotangent = np.random.default_rng(0).normal(size=outputs)
    with tf.GradientTape() as tape:
        tape.watch(x)
        values = tf.reshape(circuit(x, w), [x.shape[0], -1])[:, :outputs]
        total = tf.reduce_sum(cotangent * values)
    return tape.gradient(total, x).numpy()


@pytest.mark.parametrize("name", MEASURED)
def test_mean_of_the_gradients(name):
    """Over a batch of equal samples, the mean of the drawn gradients is the exact one within five standard errors."""
    repetitions, shots = 100, 300

    def measured(table):
        def function(inputs, weights):
            rotations(inputs, weights)
            return table[name]()

        return function

    inputs, weights = oracle.random_arguments(3, batch=1)
    w, outputs = tf.constant(weights["weights"]), {"probs": 4, "probs in a basis": 2}.get(name, 1)
    exact = gradient(oracle.compiled(measured(EXACT), (4,), weights), tf.constant(inputs), w, outputs)
    circuit = tf.function(shot_circuit(measured(MEASURED), DEVICES["pure"](), shots=shots), autograph=False)
    tf.random.set_seed(4)
    drawn = gradient(circuit, tf.constant(np.repeat(inputs, repetitions, axis=0)), w, outputs)
    errors = drawn.std(axis=0) / np.sqrt(repetitions)
    assert np.all(errors[:2] > 0)
    bias = 30 / shots if "var" in name else 0  # the square of a mean is biased by the variance over the shots
    np.testing.assert_array_less(np.abs(drawn.mean(axis=0) - exact[0]), SIGMAS * errors + bias + 1e-12)


def test_weights_and_second_order():
    """Gradients and Hessian products by the weights, from draws, agree with the exact ones within the noise."""

    def function(inputs, weights):
        qml.RY(weights[0], wires=0)
        qml.CRX(weights[1] * inputs[0], wires=[0, 1])
        return qml.expval(qml.Z(0)), qml.expval(qml.Y(1))

    found = []
    x, w = tf.ones([1, 4], tf.float64), tf.constant([0.4, 1.1, 0.0, 0.0], tf.float64)
    for circuit in (
        shot_circuit(function, DEVICES["pure"](), 100 * SHOTS),
        oracle.compiled(function, (4,), {"weights": w}),
    ):
        run = tf.function(circuit, autograph=False)
        tf.random.set_seed(1)
        with tf.GradientTape() as outer:
            outer.watch(w)
            with tf.GradientTape() as inner:
                inner.watch(w)
                total = tf.reduce_sum(run(x, w) * [1.0, 0.5])
            first = inner.gradient(total, w)
            product = tf.reduce_sum(first * [0.7, 1.0, 0, 0])
        found.append((first, outer.gradient(product, w)))
    for ours, theirs in zip(*found, strict=True):
        assert np.any(np.abs(theirs) > 0.1)
        np.testing.assert_allclose(ours, theirs, atol=SIGMAS * 16 / np.sqrt(100 * SHOTS))


def test_calculated_elements():
    """What no rule shifts, the amplitudes of a state and the elements of a matrix, gets the gradient of exact means."""

    def function(inputs, weights):
        qml.AmplitudeEmbedding(inputs, wires=[0, 1], normalize=True)
        qml.RY(weights[0], wires=0)
        return qml.expval(qml.Z(0) @ qml.X(1))

    inputs, weights = oracle.random_arguments(3, batch=2)
    x, w = tf.constant(inputs), tf.constant(weights["weights"])
    exact = gradient(oracle.compiled(function, (4,), weights), x, w, 1)
    drawn = gradient(tf.function(shot_circuit(function, DEVICES["pure"](), 10), autograph=False), x, w, 1)
    np.testing.assert_allclose(drawn, exact, atol=1e-12)


METHODS = {
    "best": "parameter-shift",
    "parameter-shift": "parameter-shift",
    "finite-diff": "parameter-shift",
    "hadamard": "parameter-shift",
    "spsa": "parameter-shift",
    "backprop": "exact",
    "adjoint": "exact",
    None: "none",
}


@pytest.mark.parametrize("method", METHODS)
def test_choice_with_shots(method):
    """With finite shots, every method but the two of exact states is carried out by parameter-shift."""

    def function(inputs, weights):
        qml.RX(inputs[0], wires=0)
        return qml.expval(qml.Z(0))

    circuit = shot_circuit(function, DEVICES["pure"](), 10, diff_method=method)
    assert circuit.circuit.gradient == METHODS[method]


def test_postselected_circuits_are_not_shifted():
    """The norm of a postselected state changes with its angles: such a circuit keeps the exact gradient."""

    def function(inputs, weights):
        qml.RX(inputs[0], wires=0)
        qml.measure(0, postselect=1)
        return qml.expval(qml.Z(0))

    assert shot_circuit(function, DEVICES["pure"]()).circuit.gradient == "exact"
