"""Quadratic forms: circuits behind given amplitudes, as default.qubit computes them."""

import numpy as np
import oracle
import pennylane as qml
import plans
import pytest
import tensorflow as tf

WIRES = plans.WIRES
DEVICE = qml.device("default.qubit", wires=WIRES)

STARTS = {
    "all wires": lambda x: qml.AmplitudeEmbedding(x, wires=range(WIRES), normalize=True),
    "some wires": lambda x: qml.AmplitudeEmbedding(x[:4], wires=[2, 0], normalize=True),
    "complex": lambda x: qml.StatePrep(x[:8] + 1j * x[8:], wires=[0, 1, 3], normalize=True),
}
ENDS = {
    "probabilities": lambda: qml.probs(wires=range(WIRES)),
    "some probabilities": lambda: qml.probs(wires=[3, 1]),
    "signs": lambda: [qml.expval(qml.Z(0)), qml.expval(qml.Z(1) @ qml.Z(3)), qml.expval(qml.Identity(2))],
    "a sum of signs": lambda: qml.expval(qml.Hamiltonian([0.3, -1.2], [qml.Z(2), qml.Z(0) @ qml.Z(1)])),
    "both": lambda: (qml.probs(wires=[2]), qml.expval(qml.Z(3))),
}
NO_FORMS = {
    "another observable": lambda: qml.expval(qml.X(0)),
    "variance": lambda: qml.var(qml.Z(0)),
    "state": qml.state,
}
generator = np.random.default_rng(6)
INPUTS = generator.uniform(0.1, 1, (3, 2**WIRES))
WEIGHTS = {"weights": generator.uniform(-3, 3, (2, WIRES, 3))}


def circuit(start, end):
    """Amplitudes, constant gates, and results."""

    def function(inputs, weights):
        start(inputs)
        qml.StronglyEntanglingLayers(weights, wires=range(WIRES))
        qml.Toffoli(wires=[0, 1, 2])
        return end()

    return function


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("dtype", [tf.float64, tf.float32])
def test_results(start, end, dtype, monkeypatch):
    """A circuit of constant gates behind amplitudes gives the results of default.qubit."""
    plans.force(monkeypatch, "quadratic form")
    function = circuit(STARTS[start], ENDS[end])
    frozen = plans.frozen(function, (2**WIRES,), WEIGHTS, dtype)
    assert frozen.quadratic is not None
    expected = oracle.expected(function, INPUTS, WEIGHTS, device=DEVICE)
    np.testing.assert_allclose(plans.run(frozen, INPUTS), expected, atol=oracle.TOLERANCE[dtype])


@pytest.mark.parametrize("end", NO_FORMS)
def test_what_is_none(end, monkeypatch):
    """Results that do not look at probabilities alone are computed from the state."""
    plans.force(monkeypatch, "quadratic form")
    function = circuit(STARTS["all wires"], NO_FORMS[end])
    frozen = plans.frozen(function, (2**WIRES,), WEIGHTS)
    assert frozen.quadratic is None
    expected = oracle.expected(function, INPUTS, WEIGHTS, device=DEVICE)
    np.testing.assert_allclose(plans.run(frozen, INPUTS), expected, atol=1e-10)


def test_input_dependent_gates(monkeypatch):
    """Gates of inputs behind the amplitudes are no constant unitary."""
    plans.force(monkeypatch, "quadratic form")

    def function(inputs, weights):
        STARTS["some wires"](inputs)
        qml.RX(inputs[0], wires=1)
        qml.StronglyEntanglingLayers(weights, wires=range(WIRES))
        return qml.expval(qml.Z(0))

    frozen = plans.frozen(function, (2**WIRES,), WEIGHTS)
    assert frozen.quadratic is None
    expected = oracle.expected(function, INPUTS, WEIGHTS, device=DEVICE)
    np.testing.assert_allclose(plans.run(frozen, INPUTS), expected, atol=1e-10)


def test_chosen_by_cost():
    """The amplitude embedding of eight wires is a quadratic form, that of twelve is simulated."""

    def chosen(wires):
        def function(inputs, weights):
            qml.AmplitudeEmbedding(inputs, wires=range(wires), normalize=True)
            qml.BasicEntanglerLayers(weights, wires=range(wires))
            return qml.probs(wires=range(wires))

        weights = {"weights": generator.uniform(-3, 3, (5, wires))}
        device = qml.device("default.qubit", wires=wires)
        return plans.frozen(function, (2**wires,), weights, tf.float32, device).quadratic is not None

    assert chosen(8)
    assert not chosen(12)
