"""Trigonometric polynomials: circuits with constant weights as one product give the numbers of default.qubit."""

import numpy as np
import oracle
import pennylane as qml
import plans
import pytest
import tensorflow as tf

from qlayer.frozen import trigonometric


@pytest.fixture(autouse=True)
def _forced(monkeypatch):
    """Everything that is a polynomial becomes one."""
    plans.force(monkeypatch, "polynomial")


@pytest.mark.parametrize("name", plans.POLYNOMIALS)
def test_polynomial(name):
    """A circuit as a polynomial gives what default.qubit gives, in both precisions."""
    expected = plans.expected(name)
    for dtype, tolerance in ((tf.float64, 1e-10), (tf.float32, 1e-5)):
        circuit = plans.frozen(plans.POLYNOMIALS[name], (4,), plans.WEIGHTS, dtype)
        assert circuit.polynomial is not None
        found = plans.run(circuit, plans.INPUTS)
        assert found.dtype == dtype.as_numpy_dtype
        np.testing.assert_allclose(found, expected, atol=tolerance)


@pytest.mark.parametrize("name", plans.OTHERS)
def test_what_is_no_polynomial(name):
    """Results that are not linear in sines and cosines are simulated, and are those of default.qubit."""
    circuit = plans.frozen(plans.OTHERS[name], (4,), plans.WEIGHTS)
    assert circuit.polynomial is None
    np.testing.assert_allclose(plans.run(circuit, plans.INPUTS), plans.expected(name), atol=1e-10)


def test_density_matrices_are_simulated():
    """A noisy circuit is no polynomial of a statevector: it is simulated, and gives what default.mixed gives."""

    def noisy(inputs, weights):
        qml.AngleEmbedding(inputs[:2], wires=range(2))
        qml.CNOT([0, 1])
        qml.DepolarizingChannel(0.1, wires=0)
        qml.RY(weights[0, 0, 0], wires=1)
        qml.RY(inputs[1], wires=1)
        return qml.expval(qml.Z(0)), qml.expval(qml.X(1))

    device = qml.device("default.mixed", wires=2)
    circuit = plans.frozen(noisy, (4,), plans.WEIGHTS, device=device)
    assert circuit.polynomial is None
    expected = oracle.expected(noisy, plans.INPUTS, plans.WEIGHTS, device=device)
    np.testing.assert_allclose(plans.run(circuit, plans.INPUTS), expected, atol=1e-10)


@pytest.mark.parametrize("batch", [0, 1, 7])
def test_batch(batch):
    """A polynomial takes batches of any size, and gives what it gives for each sample."""
    circuit = plans.frozen(plans.POLYNOMIALS["re-uploading"], (4,), plans.WEIGHTS)
    inputs = np.random.default_rng(1).uniform(-3, 3, (batch, 4))
    found = plans.run(circuit, inputs)
    single = [plans.run(circuit, sample[np.newaxis])[0] for sample in inputs]
    assert found.shape == (batch, *circuit.output_shape)
    np.testing.assert_allclose(found, np.reshape(single, found.shape), atol=1e-13)


@pytest.mark.parametrize("wires", [1, 2, 3])
def test_frequencies_of_an_embedding(wires):
    """An angle that one rotation takes has the frequencies 0 and 1: three features for each."""

    def function(inputs, weights):
        qml.AngleEmbedding(inputs, wires=range(wires))
        return [qml.expval(qml.Z(wire)) for wire in range(wires)]

    polynomial = plans.frozen(function, (wires,), plans.WEIGHTS).polynomial
    np.testing.assert_array_equal(polynomial.frequencies, np.eye(wires))
    assert polynomial.coefficients.size == wires * 3**wires


def test_frequencies_of_quarters():
    """A controlled rotation has the frequencies 0, 1/2 and 1, and a rotation beside it adds its own."""

    def function(inputs, weights):
        qml.RX(inputs[0], wires=0)
        qml.CRY(inputs[0], wires=[0, 1])
        return qml.expval(qml.Z(1))

    polynomial = plans.frozen(function, (1,), plans.WEIGHTS).polynomial
    np.testing.assert_allclose(polynomial.frequencies[:, 0], [0.5, 1, 1.5, 2])


@pytest.mark.parametrize("limit", ["_TABLE_MAX_ELEMENTS", "_GRID_MAX_AMPLITUDES"])
def test_limits(monkeypatch, limit):
    """Where the table or the grid is too large, the circuit is simulated."""
    monkeypatch.setattr(trigonometric, limit, 80)
    circuit = plans.frozen(plans.POLYNOMIALS["RX embedding"], (4,), plans.WEIGHTS)
    assert circuit.polynomial is None
    np.testing.assert_allclose(plans.run(circuit, plans.INPUTS), plans.expected("RX embedding"), atol=1e-10)


def test_a_grid_in_several_runs(monkeypatch):
    """A grid that is larger than one run's batch gives the same coefficients."""
    whole = plans.frozen(plans.POLYNOMIALS["RX embedding"], (4,), plans.WEIGHTS).polynomial
    monkeypatch.setattr(trigonometric, "_GRID_BATCH", 10)
    parts = plans.frozen(plans.POLYNOMIALS["RX embedding"], (4,), plans.WEIGHTS).polynomial
    np.testing.assert_allclose(parts.coefficients, whole.coefficients, atol=1e-14)
