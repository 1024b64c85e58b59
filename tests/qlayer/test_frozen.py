"""Frozen circuits: on every plan, the numbers of the trainable circuit; weights that are not finite are refused."""

import numpy as np
import oracle
import pennylane as qml
import plans
import pytest
import tensorflow as tf

from qlayer import ExportError


@pytest.mark.parametrize("plan", plans.PLANS)
@pytest.mark.parametrize("name", ["RX embedding", "re-uploading", "matrix of weights", "weighted sum", "weights only"])
def test_frozen_equals_trainable(monkeypatch, name, plan):
    """With its weights as constants, a circuit gives on each plan what it gives with them as arguments."""
    plans.force(monkeypatch, plan)
    circuit = plans.frozen(plans.CIRCUITS[name], (4,), plans.WEIGHTS)
    device = qml.device("default.qubit", wires=plans.WIRES)
    trainable = oracle.compiled(plans.CIRCUITS[name], (4,), plans.WEIGHTS, device=device)
    expected = trainable(tf.constant(plans.INPUTS), tf.constant(plans.WEIGHTS["weights"]))
    np.testing.assert_allclose(plans.run(circuit, plans.INPUTS), expected, atol=1e-12)


@pytest.mark.parametrize("name", plans.CIRCUITS)
def test_what_weights_determine_is_constant(name):
    """No angle and no matrix of a frozen circuit is left to the weights, and it has no gradient."""
    circuit = plans.frozen(plans.CIRCUITS[name], (4,), plans.WEIGHTS)
    assert not circuit.plan.weight_angles
    is_input_dependent = circuit.angle_graph.is_input_dependent
    assert all(is_input_dependent[output] for output in circuit.plan.outputs)
    x = tf.constant(plans.INPUTS)
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs = tf.function(circuit, autograph=False)(x)
    assert tape.gradient(outputs, x) is None


@pytest.mark.parametrize("plan", plans.PLANS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite(monkeypatch, value, plan):
    """They are refused, with what to do about it."""
    plans.force(monkeypatch, plan)
    weights = plans.WEIGHTS["weights"].copy()
    weights[1, 2, 0] = value
    with pytest.raises(ExportError) as error:
        plans.frozen(plans.CIRCUITS["RX embedding"], (4,), {"weights": weights})
    assert str(error.value) == (
        "the weights, or what the QNode calculates from them, are not finite, so that the model has no results to "
        "serve. Train it again from finite weights, with a lower learning rate or clipped gradients."
    )


def test_calculated_numbers_that_are_not_finite():
    """What the quantum function calculates from finite weights has to be finite, too."""

    def function(inputs, weights):
        qml.RX(inputs[0], wires=0)
        qml.RY(qml.math.sqrt(weights[0]), wires=0)
        return qml.expval(qml.Z(0))

    with pytest.raises(ExportError, match="what the QNode calculates from them, are not finite"):
        plans.frozen(function, (1,), {"weights": np.array([-1.0])})


@pytest.mark.parametrize("plan", plans.PLANS)
def test_finite_shots(monkeypatch, plan):
    """Drawn results are no polynomial: whatever is cheaper, they are drawn, around the exact means."""
    plans.force(monkeypatch, plan)
    exact, shots = plans.expected("RX embedding"), 2000
    circuit = plans.frozen(plans.CIRCUITS["RX embedding"], (4,), plans.WEIGHTS, shots=shots)
    found = tf.function(circuit, autograph=False)(tf.constant(plans.INPUTS), key=tf.constant([3, 4]))
    ones = (found + 1) * shots / 2
    np.testing.assert_allclose(ones, np.rint(ones), atol=1e-6)
    np.testing.assert_allclose(found, exact, atol=5 / np.sqrt(shots))
    assert np.abs(found - exact).max() > 1e-6


def test_mixed_states_are_folded():
    """The constant steps of a density matrix fold as those of a statevector do, and give what default.mixed gives."""

    def noisy(inputs, weights):
        qml.AngleEmbedding(inputs[:2], wires=range(2))
        qml.StronglyEntanglingLayers(weights[:, :2], wires=range(2))
        qml.AmplitudeDamping(0.2, wires=0)
        return qml.expval(qml.Z(0)), qml.probs(wires=[1])

    device = qml.device("default.mixed", wires=2)
    with pytest.MonkeyPatch.context() as patch:
        plans.force(patch, "folded")
        circuit = plans.frozen(noisy, (4,), plans.WEIGHTS, device=device)
    assert len(circuit.simulation.plan.steps) < len(circuit.plan.steps)
    expected = oracle.expected(noisy, plans.INPUTS, plans.WEIGHTS, device=device)
    np.testing.assert_allclose(plans.run(circuit, plans.INPUTS), expected, atol=1e-10)


def test_bound():
    """Constants take the places of what they are given for, and nothing else changes."""
    circuit = plans.frozen(plans.CIRCUITS["RX embedding"], (4,), plans.WEIGHTS)
    for operation in circuit.circuit.operations:
        for parameter in operation.parameters:
            assert parameter.is_constant != (operation.name == "RX")
    assert circuit.circuit.gradient == "none"
