"""Circuits with channels as density matrices, against default.mixed."""

import numpy as np
import oracle
import pennylane as qml
import pytest
import tensorflow as tf

from qlayer import UnsupportedError

DEVICE = qml.device("default.mixed", wires=3)
HERMITIAN = np.array([[1.0, 2 - 1j], [2 + 1j, -0.5]])
DENSITY = np.array([[0.3, 0.1j], [-0.1j, 0.7]])
INPUTS = np.random.default_rng(0).uniform(0.05, 0.4, (3, 2))
WEIGHTS = {"weights": np.array([0.2, 0.3, 0.1])}

CHANNELS = {
    "AmplitudeDamping": lambda x, w: qml.AmplitudeDamping(w[0], wires=0),
    "GeneralizedAmplitudeDamping": lambda x, w: qml.GeneralizedAmplitudeDamping(w[0], x[1], wires=1),
    "PhaseDamping": lambda x, w: qml.PhaseDamping(x[0], wires=2),
    "DepolarizingChannel": lambda x, w: qml.DepolarizingChannel(x[0], wires=0),
    "BitFlip": lambda x, w: qml.BitFlip(0.3, wires=1),
    "PhaseFlip": lambda x, w: qml.PhaseFlip(x[0] * w[1], wires=0),
    "ResetError": lambda x, w: qml.ResetError(w[0], x[1], wires=0),
    "PauliError": lambda x, w: qml.PauliError("XY", w[0], wires=[2, 0]),
    "QubitChannel": lambda x, w: qml.QubitChannel([np.sqrt(0.3) * np.eye(2), np.sqrt(0.7) * np.diag([1, 1j])], wires=0),
    "ThermalRelaxationError": lambda x, w: qml.ThermalRelaxationError(x[0], 1.2, 1.1, 0.3, wires=0),
    "QubitDensityMatrix": lambda x, w: qml.QubitDensityMatrix(DENSITY, wires=1),
}

MEASURED = {
    "observables": lambda: [
        qml.expval(qml.X(0) @ qml.Y(1) + 0.3 * qml.Z(2)),
        qml.var(qml.Z(0) @ qml.X(2)),
        qml.expval(qml.Hermitian(HERMITIAN, wires=1)),
        qml.var(qml.Hermitian(HERMITIAN, wires=2)),
    ],
    "probabilities": lambda: [qml.probs(wires=[2, 0]), qml.probs(op=qml.X(1)), qml.probs(wires=[0, 1, 2])],
    "entropies": lambda: [qml.purity(wires=[0]), qml.vn_entropy(wires=[0, 1]), qml.mutual_info([0], [1])],
    "state": qml.state,
    "density_matrix": lambda: qml.density_matrix(wires=[2, 0]),
}


def noisy(channel, measured):
    """A channel between entangling gates, one of them with a product of wires before it."""

    def function(inputs, weights):
        qml.RX(3 * inputs[0], wires=0)
        qml.RY(4 * weights[1], wires=1)
        qml.CNOT([0, 1])
        qml.CRY(inputs[1], wires=[1, 2])
        CHANNELS[channel](inputs, weights)
        qml.Rot(*weights, wires=0)
        qml.CZ([0, 2])
        qml.IsingXY(inputs[0], wires=[1, 2])
        qml.Toffoli([0, 1, 2])
        qml.adjoint(qml.S)(1)
        qml.AmplitudeDamping(0.1, wires=2)
        return MEASURED[measured]()

    return function


def test_every_channel_is_here():
    """Each channel of PennyLane has a row."""
    channels = {name for name in qml.ops.channel.__all__ if isinstance(getattr(qml, name, None), type)}
    assert channels | {"QubitDensityMatrix"} == set(CHANNELS)


@pytest.mark.parametrize("channel", CHANNELS)
def test_channels(channel):
    """Each channel, with constant or calculated parameters, gives what default.mixed gives."""
    oracle.assert_same(noisy(channel, "observables"), INPUTS, WEIGHTS, device=DEVICE)


@pytest.mark.parametrize("measured", MEASURED)
def test_measurements(measured):
    """Each measurement of a density matrix gives what default.mixed gives."""
    oracle.assert_same(noisy("PauliError", measured), INPUTS, WEIGHTS, device=DEVICE)
    oracle.assert_same(noisy("AmplitudeDamping", measured), INPUTS, WEIGHTS, device=DEVICE, dtype=tf.float32)


@pytest.mark.parametrize("channel", ["AmplitudeDamping", "PauliError", "QubitDensityMatrix"])
def test_gradients(channel):
    """The gradients by the inputs and the weights, also of the channels' parameters, are PennyLane's."""
    oracle.assert_same_gradients(noisy(channel, "observables"), INPUTS, WEIGHTS, device=DEVICE, diff_method="backprop")


def test_random_circuits_without_channels():
    """Without channels default.mixed is compiled as default.qubit is, and its state is a density matrix."""
    function = oracle.random_function(4, 20, qml.state)
    device = qml.device("default.mixed", wires=4)
    oracle.assert_same(function, *oracle.random_arguments(4), device=device)


@pytest.mark.parametrize("seed", range(3))
def test_random_circuits(seed):
    """Random gates, controlled and inverted, around channels give what default.mixed gives."""
    gates = oracle.random_function(seed, 25, lambda: None)

    def function(inputs, weights):
        gates(inputs, weights)
        qml.DepolarizingChannel(0.2, wires=1)
        gates(inputs, weights)
        return qml.expval(qml.X(0) @ qml.Z(3)), qml.probs(wires=[3, 1])

    device = qml.device("default.mixed", wires=4)
    oracle.assert_same(function, *oracle.random_arguments(seed), device=device)


PREPARATIONS = {
    "a pure state": lambda x, w: qml.StatePrep(np.array([1, 2j, 3, 0.5]) / np.sqrt(14.25), wires=[2, 0]),
    "amplitudes of the inputs": lambda x, w: qml.AmplitudeEmbedding(x, wires=[1], normalize=True),
    "a density matrix": lambda x, w: qml.QubitDensityMatrix(DENSITY, wires=[1]),
}


@pytest.mark.parametrize("preparation", PREPARATIONS)
def test_preparations(preparation):
    """A density matrix starts with a pure or a mixed state."""

    def function(inputs, weights):
        PREPARATIONS[preparation](inputs, weights)
        qml.AmplitudeDamping(weights[0], wires=2)
        qml.CRY(inputs[1], wires=[0, 1])
        qml.RX(inputs[0], wires=1)
        return qml.state()

    oracle.assert_same(function, INPUTS, WEIGHTS, device=DEVICE)


def test_noise_by_a_transform():
    """Channels that a transform of the QNode inserts are compiled too."""
    device = qml.device("default.mixed", wires=2)

    def function(inputs, weights):
        qml.RX(inputs[0], wires=0)
        qml.CRY(weights[0], wires=[0, 1])
        return qml.expval(qml.Z(1))

    qnode = qml.noise.insert(qml.QNode(function, device), qml.AmplitudeDamping, 0.2, position="all")
    found = oracle.compiled_qnode(qnode, (2,), WEIGHTS)(tf.constant(INPUTS), tf.constant(WEIGHTS["weights"]))
    np.testing.assert_allclose(found, [qnode(x, WEIGHTS["weights"]) for x in INPUTS], atol=1e-10)


def test_postselection():
    """The outcomes that are left of a mixed state are the normalized projection of PennyLane's density matrix."""

    def mixed(inputs, weights):
        qml.RX(inputs[0], wires=0)
        qml.AmplitudeDamping(weights[0], wires=0)
        qml.CRY(4 * inputs[1], wires=[0, 1])
        qml.DepolarizingChannel(0.2, wires=1)

    def everything(inputs, weights):
        mixed(inputs, weights)
        return qml.density_matrix(wires=[0, 1])

    def selected(inputs, weights):
        mixed(inputs, weights)
        qml.measure(0, postselect=1)
        return qml.density_matrix(wires=[0, 1])

    found = oracle.compiled(selected, (2,), WEIGHTS, device=DEVICE)(
        tf.constant(INPUTS), tf.constant(WEIGHTS["weights"])
    )
    projector = np.diag([0, 0, 1, 1])
    left = projector @ oracle.expected(everything, INPUTS, WEIGHTS, device=DEVICE) @ projector
    np.testing.assert_allclose(found, left / np.trace(left, axis1=1, axis2=2)[:, np.newaxis, np.newaxis], atol=1e-10)


def test_channels_need_a_device_that_keeps_them():
    """A channel on a device of pure states is refused, naming default.mixed."""
    with pytest.raises(
        UnsupportedError, match=r"operation 4.*AmplitudeDamping.*pure one. Use the device default.mixed"
    ):
        oracle.compiled(noisy("AmplitudeDamping", "state"), (2,), WEIGHTS)


def test_shadows_of_mixed_states_are_refused():
    """A classical shadow of a circuit with channels is refused, with what to use."""

    def function(inputs, weights):
        qml.AmplitudeDamping(0.3, wires=0)
        return qml.classical_shadow(wires=[0])

    with pytest.raises(UnsupportedError, match=r"shadows are taken of pure states. Return qml.expval or qml.sample"):
        oracle.compiled(function, (2,), WEIGHTS, device=DEVICE, shots=10)
