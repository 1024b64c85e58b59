"""The adjoint method gives the gradients of backpropagation, and is chosen where that would keep too many states."""

import numpy as np
import oracle
import pennylane as qml
import pytest
import tensorflow as tf

from qlayer.simulation import simulation

WIRES = 4
DEVICE = qml.device("default.qubit", wires=WIRES)


def layers(inputs, weights):
    """Encoded again and again, with permutations, phases of two wires, and constants."""
    for layer in weights:
        qml.AngleEmbedding(inputs, wires=range(WIRES))
        qml.StronglyEntanglingLayers(layer, wires=range(WIRES))
        qml.IsingZZ(layer[0, 0, 0] * inputs[1], wires=[0, 2])
        qml.Toffoli(wires=[1, 2, 3])
    return qml.expval(qml.Z(0)), qml.expval(qml.X(1) @ qml.Y(3)), qml.probs(wires=[2])


def from_weights(inputs, weights):
    """All samples start in the same state."""
    qml.StronglyEntanglingLayers(weights[0], wires=range(WIRES))
    qml.CRX(inputs[0], wires=[0, 1])
    qml.StronglyEntanglingLayers(weights[1], wires=range(WIRES))
    return qml.expval(qml.Z(1)), qml.expval(qml.Z(0) @ qml.Z(3))


def amplitudes(inputs, weights):
    """The inputs are a state."""
    qml.AmplitudeEmbedding(inputs, wires=[0, 1], normalize=True)
    qml.StronglyEntanglingLayers(weights[0], wires=range(WIRES))
    return qml.expval(qml.Z(3))


def real_amplitudes(inputs, weights):
    """The inputs are a state without imaginary parts until the rotations have passed the first Hadamards."""
    qml.AmplitudeEmbedding(inputs, wires=[0, 1], normalize=True)
    qml.BasicEntanglerLayers(weights[:, 0, :, 0], wires=range(WIRES))
    return qml.expval(qml.Z(3)), qml.probs(wires=[0, 1])


CIRCUITS = {
    "layers": layers,
    "from weights": from_weights,
    "amplitudes": amplitudes,
    "real amplitudes": real_amplitudes,
}


@pytest.fixture(params=["chunked", "at once"])
def _adjoint(request, monkeypatch):
    """No state may be kept, in chunks or without."""
    monkeypatch.setattr(simulation, "GRADIENT_BYTES", 0)
    monkeypatch.setattr(simulation, "CHUNKED_MIN_WIRES", 1 if request.param == "chunked" else 100)
    monkeypatch.setattr(simulation, "CHUNK_STATE_BYTES", 2 * 2 * 8 * 2**WIRES)


@pytest.mark.usefixtures("_adjoint")
@pytest.mark.parametrize("name", CIRCUITS)
def test_gradients(name):
    """Values, and gradients by inputs and weights, are default.qubit's."""
    function = CIRCUITS[name]
    generator = np.random.default_rng(5)
    inputs = generator.uniform(0.1, 2, (5, WIRES))
    weights = {"weights": generator.uniform(-3, 3, (2, 1, WIRES, 3))}
    oracle.assert_same(function, inputs, weights, device=DEVICE)
    circuit = oracle.compiled(function, (WIRES,), weights, device=DEVICE)
    x, w = tf.constant(inputs), tf.constant(weights["weights"])
    with tf.GradientTape() as tape:
        tape.watch([x, w])
        outputs = tf.reshape(circuit(x, w), [5, -1])
        cotangent = generator.normal(size=outputs.shape)
        loss = tf.reduce_sum(outputs * cotangent)
    found = tape.gradient(loss, [x, w])
    expected = oracle.cotangent_gradients(function, inputs, weights, cotangent, device=DEVICE)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-10)


@pytest.mark.usefixtures("_adjoint")
def test_no_second_derivatives():
    """A second derivative is refused with the reason, and not wrong."""
    circuit = oracle.compiled(layers, (WIRES,), {"weights": np.zeros((1, 1, WIRES, 3))}, device=DEVICE)
    x, w = tf.ones([2, WIRES], tf.float64), tf.ones([1, 1, WIRES, 3], tf.float64)

    def second():
        with tf.GradientTape() as outer:
            outer.watch(w)
            with tf.GradientTape() as inner:
                inner.watch(w)
                total = tf.reduce_sum(circuit(x, w))
            first = inner.gradient(total, w)
        return outer.gradient(first, w)

    with pytest.raises(LookupError, match="has no second derivatives"):
        second()


def _simulation(layers_count, wires):
    def function(inputs, weights):
        qml.AngleEmbedding(inputs, wires=range(wires))
        qml.StronglyEntanglingLayers(weights, wires=range(wires))
        return qml.expval(qml.Z(0))

    weights = {"weights": np.zeros((layers_count, wires, 3))}
    return oracle.compiled(function, (wires,), weights, dtype=tf.float32).python_function.simulation


@pytest.mark.parametrize(("wires", "limit"), [(4, 2**24), (10, 2**28)])
def test_chosen_where_it_is_needed(wires, limit, monkeypatch):
    """Shallow circuits are differentiated by backpropagation, deeper ones in smaller chunks, then by the adjoint."""
    monkeypatch.setattr(simulation, "GRADIENT_BYTES", limit)
    shallow, deep, deepest = (_simulation(count, wires) for count in (3, 8, 30))
    assert [found.keeps_last_state for found in (shallow, deep, deepest)] == [False, False, True]
    assert deepest.chunk_rows <= deep.chunk_rows <= shallow.chunk_rows


@pytest.mark.usefixtures("_adjoint")
def test_states_that_cannot_be_undone():
    """A circuit with a projection keeps its states: gradients are right however little may be kept."""

    def function(inputs, weights):
        qml.RX(weights[1], wires=0)
        qml.RY(inputs[0], wires=0)
        qml.CNOT([0, 1])
        qml.CRX(weights[2], wires=[1, 0])
        qml.measure(0, postselect=1)
        qml.RX(weights[0], wires=1)
        return qml.expval(qml.Z(1))

    oracle.assert_same_gradients(
        function, np.array([[0.7], [1.9]]), {"weights": np.array([0.4, 1.3, 0.8])}, diff_method="backprop"
    )
