"""Every row of the measurement table against default.qubit, values and gradients, alone and mixed."""

import numpy as np
import oracle
import pennylane as qml
import pytest
import tensorflow as tf

from qlayer.simulation.measurements import MEASUREMENTS

HERMITIAN = np.array([[1.0, 2 - 1j], [2 + 1j, -0.5]])
SPARSE = qml.SparseHamiltonian((qml.X(0) @ qml.Z(1) + 0.4 * qml.Y(2)).sparse_matrix([0, 1, 2]), wires=[0, 1, 2])
DEVICE = qml.device("default.qubit", wires=4)

MEASURED = {
    "expval": lambda: qml.expval(qml.Z(0) @ qml.X(2)),
    "hamiltonian": lambda: qml.expval(qml.Hamiltonian([0.3, -1.2, 0.7], [qml.X(0), qml.Y(1) @ qml.Z(3), qml.Z(2)])),
    "var of a word": lambda: qml.var(qml.Y(1) @ qml.X(3)),
    "var of a sum": lambda: qml.var(qml.X(0) @ qml.Y(1) + 0.5 * qml.Z(0) - 2 * qml.Z(1) @ qml.Z(2)),
    "var of signs": lambda: qml.var(qml.Z(0) - 2 * qml.Z(1) @ qml.Z(2)),
    "matrix_expval": lambda: qml.expval(qml.Hermitian(HERMITIAN, wires=2)),
    "product with a matrix": lambda: qml.expval(qml.Hermitian(HERMITIAN, wires=2) @ qml.X(0)),
    "matrix_var": lambda: qml.var(qml.Hermitian(np.kron(HERMITIAN, HERMITIAN), wires=[3, 1])),
    "projector": lambda: qml.expval(qml.Projector([1, 0], wires=[2, 0])),
    "projector on a state": lambda: qml.expval(qml.Projector(np.array([0.6, 0.8j]), wires=[1])),
    "sparse": lambda: qml.expval(SPARSE),
    "probs": lambda: qml.probs(wires=[3, 0]),
    "probs of all": qml.probs,
    "basis_probs": lambda: qml.probs(op=qml.Y(1) @ qml.X(2)),
    "state": qml.state,
    "density_matrix": lambda: qml.density_matrix(wires=[2, 0]),
    "purity": lambda: qml.purity(wires=[1, 3]),
    "vn_entropy": lambda: qml.vn_entropy(wires=[0, 2]),
    "entropy in bits": lambda: qml.vn_entropy(wires=[1], log_base=2),
    "mutual_info": lambda: qml.mutual_info(wires0=[0, 3], wires1=[1]),
}


def test_every_row_is_measured():
    """Each row of the measurement table has an entry here."""
    assert set(MEASUREMENTS) - {"var"} <= set(MEASURED)


@pytest.mark.parametrize("name", MEASURED)
@pytest.mark.parametrize("length", [2, 25])
def test_value(name, length):
    """A measurement of a random circuit gives what default.qubit gives."""
    function = oracle.random_function(11, length, MEASURED[name])
    oracle.assert_same(function, *oracle.random_arguments(3), device=DEVICE)


@pytest.mark.parametrize("name", MEASURED)
def test_gradient(name):
    """The gradient of a measurement by the inputs is that of central differences."""
    function = oracle.random_function(7, 10, MEASURED[name])
    inputs, weights = oracle.random_arguments(5, batch=1)
    circuit = oracle.compiled(function, (4,), weights, device=DEVICE)
    x, w = tf.constant(inputs), tf.constant(weights["weights"])

    step = 1e-5
    samples = tf.concat([x, x + step * np.eye(4), x - step * np.eye(4)], axis=0)

    @tf.function(autograph=False)
    def losses(samples):
        with tf.GradientTape() as tape:
            tape.watch(samples)
            flat = tf.reshape(tf.math.real(circuit(samples, w)), [9, -1])
            values = tf.reduce_sum(tf.math.cos(flat + 0.3), axis=1)
        return values, tape.gradient(values, samples)

    with oracle.no_graph_optimization():
        values, gradients = losses(samples)
    np.testing.assert_allclose(gradients[0], (values[1:5] - values[5:]) / (2 * step), atol=1e-6)


def test_mixture():
    """Measurements of every kind are flattened and concatenated in their order; one complex makes all complex."""
    real = ["vn_entropy", "probs", "var of a sum", "expval", "projector", "purity", "probs of all", "hamiltonian"]
    for names in (real, [*real, "density_matrix"]):
        function = oracle.random_function(2, 15, lambda names=names: [MEASURED[name]() for name in names])
        oracle.assert_same(function, *oracle.random_arguments(2), device=DEVICE)


def test_entropy_of_a_pure_state_has_a_gradient():
    """Eigenvalues that are exactly 0 make neither an entropy nor its gradient undefined."""

    def function(inputs):
        qml.RY(inputs[0], wires=0)
        qml.CNOT([0, 1])
        return qml.vn_entropy(wires=0)

    circuit = oracle.compiled(function, (1,), {})
    x = tf.zeros([1, 1], tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(x)
        entropy = circuit(x)
    assert abs(entropy[0]) < 1e-12
    assert np.isfinite(tape.gradient(entropy, x))


@pytest.mark.parametrize("observable", [lambda: qml.Identity(0), lambda: qml.X(0) - qml.X(0)])
def test_identity_alone(observable):
    """An observable that touches no wire is read out too."""

    def function(inputs):
        qml.RX(inputs[0], wires=1)
        return qml.expval(observable())

    oracle.assert_same(function, np.ones((2, 1)), {})
