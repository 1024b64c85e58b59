"""Simulation: in chunks or at once, random circuits give the numbers of default.qubit."""

import numpy as np
import oracle
import pennylane as qml
import pytest
import tensorflow as tf

from qlayer import KerasLayer
from qlayer.simulation import simulation
from qlayer.simulation.chunks import PARALLEL_PARTS

WIRES, CHUNK_ROWS = 4, 4
MEASURED = {
    "observables": lambda: (qml.expval(qml.X(0) @ qml.Z(3)), qml.var(qml.Y(1) + qml.Z(2))),
    "probs": lambda: qml.probs(wires=[2, 0]),
    "state": qml.state,
    "entropy": lambda: qml.vn_entropy(wires=[0, 1]),
}


@pytest.fixture(params=["chunked", "at once"])
def _mode(request, monkeypatch):
    """Small circuits run in chunks of a few samples, or not at all."""
    monkeypatch.setattr(simulation, "CHUNKED_MIN_WIRES", 1 if request.param == "chunked" else 100)
    monkeypatch.setattr(simulation, "CHUNK_STATE_BYTES", CHUNK_ROWS * 2 * 8 * 2**WIRES)


@pytest.fixture
def _chunked(monkeypatch):
    monkeypatch.setattr(simulation, "CHUNKED_MIN_WIRES", 1)
    monkeypatch.setattr(simulation, "CHUNK_STATE_BYTES", CHUNK_ROWS * 2 * 8 * 2**WIRES)


@pytest.fixture
def _unoptimized():
    with oracle.no_graph_optimization():
        yield


def second_derivatives(circuit, x, w):
    """The gradients by inputs and weights of what the gradients by both sum up to, squared."""
    with tf.GradientTape() as outer:
        outer.watch([x, w])
        with tf.GradientTape() as inner:
            inner.watch([x, w])
            total = tf.reduce_sum(circuit(x, w) ** 2)
        first = inner.gradient(total, [x, w])
        squares = tf.add_n([tf.reduce_sum(gradient**2) for gradient in first])
    return outer.gradient(squares, [x, w])


@pytest.mark.usefixtures("_mode", "_unoptimized")
@pytest.mark.parametrize("name", MEASURED)
def test_random_circuit(name):
    """Values of a batch that is no multiple of a chunk are those of default.qubit."""
    function = oracle.random_function(3, 25, MEASURED[name])
    device = qml.device("default.qubit", wires=WIRES)
    oracle.assert_same(function, *oracle.random_arguments(3, batch=11), device=device)


@pytest.mark.usefixtures("_mode", "_unoptimized")
@pytest.mark.parametrize("name", ["observables", "probs"])
def test_gradients(name):
    """Gradients by inputs and weights are PennyLane's."""
    function = oracle.random_function(7, 15, MEASURED[name])
    oracle.assert_same_gradients(function, *oracle.random_arguments(7, batch=5), diff_method="backprop")


@pytest.mark.usefixtures("_unoptimized")
def test_second_order(monkeypatch):
    """Second derivatives in chunks are those of one run, by inputs and by weights."""
    function = oracle.random_function(7, 8, MEASURED["observables"])
    inputs, weights = oracle.random_arguments(7, batch=5)
    arguments = tf.constant(inputs), tf.constant(weights["weights"])
    expected = second_derivatives(oracle.compiled(function, (4,), weights), *arguments)
    monkeypatch.setattr(simulation, "CHUNKED_MIN_WIRES", 1)
    monkeypatch.setattr(simulation, "CHUNK_STATE_BYTES", 2 * 2 * 8 * 2**WIRES)
    found = second_derivatives(oracle.compiled(function, (4,), weights), *arguments)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-9)


@pytest.mark.usefixtures("_mode")
def test_batch_is_its_samples():
    """A batch of any size gives what its samples give one by one: none, one, and more than a chunk has."""
    function = oracle.random_function(5, 20, MEASURED["observables"])
    inputs, weights = oracle.random_arguments(5, batch=4 * PARALLEL_PARTS * CHUNK_ROWS + 1)
    circuit = oracle.compiled(function, (4,), weights)
    w = tf.constant(weights["weights"])
    single = np.concatenate([circuit(tf.constant(sample[np.newaxis]), w) for sample in inputs])
    for batch in (0, 1, CHUNK_ROWS, CHUNK_ROWS + 1, len(inputs)):
        found = circuit(tf.constant(inputs[:batch]), w)
        assert found.shape == (batch, 2)
        np.testing.assert_allclose(found, single[:batch], atol=1e-12)


BATCHED = {
    "amplitudes": lambda x, w: qml.AmplitudeEmbedding(x, wires=[1, 0], normalize=True),
    "matrix": lambda x, w: qml.QubitUnitary(turn(x[0]), wires=1),
    "matrix of weights": lambda x, w: (qml.QubitUnitary(turn(w[0]), wires=1), qml.RX(x[0], wires=2)),
    "nothing of the inputs": lambda x, w: qml.RX(w[1], wires=2),
    "everything": lambda x, w: (
        qml.AmplitudeEmbedding(x, wires=[1, 0], normalize=True),
        qml.QubitUnitary(turn(x[1]), wires=1),
        qml.QubitUnitary(turn(w[0]), wires=0),
        qml.CRX(x[2], wires=[1, 2]),
    ),
}


def turn(angle):
    """A calculated rotation."""
    cos, sin = qml.math.cos(angle), qml.math.sin(angle)
    return qml.math.stack([qml.math.stack([cos, -sin]), qml.math.stack([sin, cos])])


@pytest.mark.usefixtures("_chunked", "_unoptimized")
@pytest.mark.parametrize("name", BATCHED)
def test_whatever_has_a_batch(name):
    """Angles, amplitudes and matrices that have a batch are divided, the others are shared; gradients reach all."""

    def function(inputs, weights):
        BATCHED[name](inputs, weights)
        for wire in range(3):
            qml.RY(weights[wire], wires=wire)
            qml.CNOT([wire, (wire + 1) % 3])
        return qml.expval(qml.Z(0)), qml.expval(qml.X(1))

    inputs, weights = oracle.random_arguments(2, batch=6)
    oracle.assert_same(function, inputs, weights)
    oracle.assert_same_gradients(function, inputs, weights, diff_method="backprop")


@pytest.mark.parametrize("batch", [0, 1, 5])
def test_ten_wires(batch):
    """A register of ten wires, which runs in chunks as it is, gives the numbers of default.qubit."""

    def function(inputs, weights):
        qml.AngleEmbedding(inputs, wires=range(10))
        qml.StronglyEntanglingLayers(weights, wires=range(10))
        return qml.expval(qml.Z(0) @ qml.X(9)), qml.expval(qml.Y(4))

    generator = np.random.default_rng(1)
    inputs, weights = generator.uniform(-3, 3, (batch, 10)), {"weights": generator.uniform(-3, 3, (2, 10, 3))}
    circuit = oracle.compiled(function, (10,), weights)
    found = circuit(tf.constant(inputs), tf.constant(weights["weights"]))
    np.testing.assert_allclose(found, np.reshape(oracle.expected(function, inputs, weights), (batch, 2)), atol=1e-10)


@pytest.mark.usefixtures("_chunked")
def test_chunks_under_xla():
    """XLA compiles the loop over the chunks, with its gradients, for batches of any size."""
    function = oracle.random_function(7, 8, MEASURED["observables"])
    inputs, weights = oracle.random_arguments(7, batch=9)
    plain = oracle.compiled(function, (4,), weights)
    compiled = tf.function(plain.python_function, autograph=False, jit_compile=True)
    x, w = tf.constant(inputs), tf.constant(weights["weights"])
    np.testing.assert_allclose(compiled(x, w), plain(x, w), atol=1e-10)
    gradients = []
    for circuit in (compiled, plain):
        with tf.GradientTape() as tape:
            tape.watch([x, w])
            total = tf.reduce_sum(circuit(x, w) * [1.0, 2.0])
        gradients.append(tape.gradient(total, [x, w]))
    for ours, theirs in zip(*gradients, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-10)


@pytest.mark.parametrize("wires", [3, 10])
def test_no_retracing(wires):
    """A layer that is called a hundred times with ten sizes of batches, alone and in a model, is traced once."""

    @qml.qnode(qml.device("default.qubit", wires=wires))
    def circuit(inputs, weights):
        qml.AngleEmbedding(inputs, wires=range(wires))
        qml.BasicEntanglerLayers(weights, wires=range(wires))
        return qml.expval(qml.Z(0)), qml.expval(qml.Z(1))

    layer = KerasLayer(circuit, {"weights": (1, wires)}, None)
    model = tf.keras.Sequential([tf.keras.layers.Dense(wires), layer])
    around = tf.function(layer, input_signature=[tf.TensorSpec([None, wires])], autograph=False)
    traced = tf.function(model, input_signature=[tf.TensorSpec([None, wires])], autograph=False)
    for call in range(100):
        x = tf.ones([1 + call % 10, wires])
        for function in (layer, model, around, traced):
            assert function(x).shape == (1 + call % 10, 2)
    compiled = layer._compiled.function
    assert compiled.experimental_get_tracing_count() == 1
    assert around.experimental_get_tracing_count() == traced.experimental_get_tracing_count() == 1
