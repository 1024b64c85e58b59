"""Classical shadows: bits and recipes that reconstruct the state."""

import numpy as np
import oracle
import pennylane as qml
import pytest
import tensorflow as tf

from qlayer.compiler import CompiledCircuit
from qlayer.recording.capture import capture
from qlayer.shots.shadows import estimates, median_of_groups

SHOTS = 20_000
SIGMAS = 5


@pytest.fixture(scope="module")
def drawn():
    """The shadow for a batch of two, and the exact density matrices."""

    def state(inputs):
        qml.RY(inputs[0], wires=0)
        qml.CNOT([0, 1])
        qml.RX(inputs[1], wires=1)
        qml.CRZ(1.3, wires=[1, 2])
        qml.RY(0.9, wires=2)

    def function(inputs):
        state(inputs)
        return qml.classical_shadow(wires=[2, 0])

    def density(inputs):
        state(inputs)
        return qml.density_matrix(wires=[2, 0])

    inputs = np.array([[0.4, 1.2], [2.0, -0.7]])
    tf.random.set_seed(3)
    shadows = oracle.compiled(function, (2,), {}, shots=SHOTS)(tf.constant(inputs)).numpy()
    return shadows, oracle.expected(density, inputs, {})


def test_shape_and_values(drawn):
    """A shadow holds bits, then recipes, of every wire in every shot; each recipe comes as often as the others."""
    shadows, _ = drawn
    assert shadows.shape == (2, 2, SHOTS, 2)
    assert set(np.unique(shadows[:, 0])) == {0, 1}
    shares = [(shadows[:, 1] == recipe).mean(axis=(1, 2)) for recipe in range(3)]
    np.testing.assert_allclose(shares, 1 / 3, atol=SIGMAS / np.sqrt(SHOTS))


def test_reconstruction(drawn):
    """PennyLane's own reconstruction from the bits and recipes is the density matrix, within the noise."""
    shadows, densities = drawn
    for (bits, recipes), density in zip(shadows.astype(int), densities, strict=True):
        found = qml.ClassicalShadow(bits, recipes).global_snapshots().mean(axis=0)
        np.testing.assert_allclose(found, density, atol=SIGMAS * 4 / np.sqrt(SHOTS))


@pytest.mark.parametrize("groups", [1, 2, 7])
def test_median_of_means(drawn, groups):
    """From the same bits and recipes, our median of means is PennyLane's."""
    observable = 0.7 * qml.X("a") @ qml.Y("b") - 1.1 * qml.Z("b") + 0.3 * qml.I("a")

    def function(inputs):
        qml.RY(inputs[0], wires="a")
        return qml.shadow_expval(observable, k=groups)

    qnode = qml.QNode(function, qml.device("default.qubit", wires=["a", "b"]), shots=501)
    circuit = CompiledCircuit(*capture(qnode, "inputs", (1,), {}, tf.float64), tf.float64)
    (readout,) = circuit.plan.readouts
    shadows = drawn[0][:, :, :501]
    found = median_of_groups(estimates(tf.constant(shadows), readout, 2), readout)
    expected = [
        qml.ClassicalShadow(bits, recipes, wire_map=["a", "b"]).expval(observable, k=groups)
        for bits, recipes in shadows.astype(int)
    ]
    np.testing.assert_allclose(found, expected, atol=1e-12)
