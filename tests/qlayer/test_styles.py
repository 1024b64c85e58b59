"""The ways people write QNodes, each against default.qubit."""

from functools import partial
from itertools import pairwise

import numpy as np
import oracle
import pennylane as qml
import pytest
import tensorflow as tf

from qlayer import KerasLayer, UnsupportedError
from qlayer.compiler import CompiledCircuit
from qlayer.recording.capture import capture

generator = np.random.default_rng(3)
INPUTS = generator.uniform(0.1, 1, (3, 4))
WEIGHTS = generator.uniform(-3, 3, (2, 4))


@pytest.fixture(autouse=True, scope="module")
def _no_graph_optimization():
    with oracle.no_graph_optimization():
        yield


def entangled(wires):
    """A function that QNodes call."""
    for first, second in pairwise(wires):
        qml.CNOT([first, second])


def reuploading(x, w):
    """The inputs once more before each layer."""
    for layer in w:
        qml.AngleEmbedding(x, wires=range(4))
        for wire, angle in enumerate(layer):
            qml.RY(angle, wires=wire)
        entangled(range(4))


@qml.for_loop(0, 3)
def looped(wire, angle):
    """A loop of PennyLane, which runs in Python."""
    qml.RX(angle, wires=wire)
    return 2 * angle


STYLES = {
    "data re-uploading": reuploading,
    "range(len(weights))": lambda x, w: [qml.RX(w[layer][0], layer) for layer in range(len(w))],
    "starred": lambda x, w: qml.Rot(*w[0, :3], wires=0),
    "zip": lambda x, w: [qml.RX(a * b, wire) for wire, (a, b) in enumerate(zip(x, w[1], strict=True))],
    "enumerate": lambda x, w: [qml.RY(angle, wire) for wire, angle in enumerate(x)],
    "arithmetic": lambda x, w: qml.RX((x[0] * w[0, 1] - 2) ** 2 / 3 + np.pi, 0),
    "numpy": lambda x, w: [qml.RX(angle, 0) for angle in np.tanh(np.dot(w, x)) + np.arctan(w[0, 0])],
    "numpy.concatenate": lambda x, w: qml.AngleEmbedding(np.concatenate([x[:2], w[0, :2]]), range(4)),
    "numpy.linalg": lambda x, w: qml.RX(np.linalg.norm(x), 0),
    "qml.math": lambda x, w: qml.RX(qml.math.sum(qml.math.sin(x) * w[0]), 0),
    "qml.math of constants": lambda x, w: qml.RX(qml.math.dot(x[:2], [0.1, 0.7]), 0),
    "qml.math.stack": lambda x, w: qml.RX(qml.math.stack([x[0], 0.1])[1] * w[0, 0], 0),
    "qml.math.where": lambda x, w: qml.RX(qml.math.where(x[0] > 0.5, x[0], w[0, 0]), 0),
    "matrix exponential": lambda x, w: qml.QubitUnitary(
        qml.math.expm(qml.math.cast(x[0] * w[0, 0], complex) * 4j * np.array([[1, 2], [2, -1]])), wires=0
    ),
    "adjoint of a function": qml.adjoint(reuploading),
    "control of a function": lambda x, w: (qml.Hadamard(3), qml.ctrl(entangled, control=3)(range(3))),
    "for_loop": lambda x, w: looped(w[0, 0]),
    "cond on a number": lambda x, w: qml.cond(len(w) > 1, qml.RX, qml.RY)(x[0], wires=0),
    "layer": lambda x, w: qml.layer(lambda angles: qml.AngleEmbedding(angles, range(4)), 2, w),
    "random layers": lambda x, w: qml.RandomLayers(w, wires=range(4), seed=1),
}


@pytest.mark.parametrize("name", STYLES)
def test_style(name):
    """A quantum function of this style gives what default.qubit gives."""

    def function(inputs, weights):
        qml.BasicEntanglerLayers(weights[:1], wires=range(4))
        STYLES[name](inputs, weights)
        return qml.state()

    oracle.assert_same(function, INPUTS, {"weights": WEIGHTS}, device=qml.device("default.qubit", wires=4))


OBSERVED = {
    "sum of projectors": lambda: qml.expval(qml.Projector([1], 0) + qml.Projector([0, 1], [1, 2])),
    "word and Hermitian": lambda: qml.expval(qml.X(0) @ qml.Hermitian(np.array([[1, 2j], [-2j, 0]]), 1)),
    "projector and word": lambda: qml.var(qml.Projector([1], 0) @ qml.Z(1)),
    "Hamiltonian of a Hermitian": lambda: qml.expval(
        qml.Hamiltonian([0.3, 0.4], [qml.X(0) @ qml.Hermitian(np.eye(2), 1), qml.Z(2)])
    ),
    "probabilities of a Hermitian": lambda: qml.probs(op=qml.Hermitian(np.array([[1, 2j], [-2j, 0]]), 1)),
    "word on ten wires": lambda: qml.expval(qml.prod(*[qml.X(wire) for wire in range(10)]) + qml.Y(3) @ qml.Y(5)),
    "word on every second wire": lambda: qml.expval(qml.prod(*[qml.Y(wire) for wire in range(0, 10, 2)])),
}


@pytest.mark.filterwarnings("ignore:Using qp.probs with a Hermitian")  # PennyLane's own, when it computes the oracle
@pytest.mark.parametrize("name", OBSERVED)
def test_observable(name):
    """An observable of this kind, on as many as ten wires, gives what default.qubit gives."""

    def function(inputs, weights):
        for wire in range(10 if "wire" in name else 3):
            qml.RY(inputs[wire % 4], wires=wire)
            qml.RX(weights[0, 0], wires=wire)
        qml.CNOT([0, 1])
        qml.CNOT([1, 2])
        return OBSERVED[name]()

    oracle.assert_same(function, INPUTS, {"weights": WEIGHTS})


def test_recording_gives_no_warning():
    """Probabilities in the basis of a Hermitian are recorded without PennyLane's warning."""
    function = qml.QNode(lambda inputs: qml.probs(op=qml.Hermitian(np.eye(2), 0)), qml.device("default.qubit"))
    circuit, _ = capture(function, "inputs", (1,), {}, tf.float64)
    assert circuit.measurements[0].kind == "basis_probs"


CALCULATED = {
    "Hermitian": lambda w: qml.Hermitian(qml.math.reshape(w[0], (2, 2)), 0),
    "projector": lambda w: qml.Projector(w[0] / qml.math.norm(w[0]), [0, 1]),
}


@pytest.mark.parametrize("name", CALCULATED)
def test_calculated_observable_is_refused(name):
    """An observable with a matrix of weights is refused, and the message says what to do."""
    qnode = qml.QNode(lambda inputs, weights: qml.expval(CALCULATED[name](weights)), qml.device("default.qubit"))
    with pytest.raises(UnsupportedError, match=r"Return the expectation values of constant"):
        capture(qnode, "inputs", (4,), {"weights": (2, 4)}, tf.float64)


def circuit_to_transform(inputs, weights):
    """A circuit that every transform finds something in."""
    for wire in range(4):
        qml.RX(inputs[wire], wires=wire)
    qml.Hadamard(0)
    qml.Hadamard(0)
    qml.RZ(weights[0, 0], 2)
    qml.RZ(weights[0, 1], 2)
    qml.Barrier(wires=[0, 1])
    qml.CNOT([0, 1])
    qml.X(1)
    qml.RX(weights[1, 0], 1)
    qml.QubitUnitary(np.array([[0, 1], [1, 0]]), wires=3)
    qml.CNOT([3, 0])
    qml.SWAP([2, 3])
    return qml.expval(qml.Z(0) @ qml.X(1) + 0.5 * qml.Y(2)), qml.expval(qml.X(0)), qml.probs(wires=[1, 2])


TRANSFORMS = {
    "broadcast_expand": qml.transforms.broadcast_expand,
    "cancel_inverses": qml.transforms.cancel_inverses,
    "combine_global_phases": qml.transforms.combine_global_phases,
    "commute_controlled": qml.transforms.commute_controlled,
    "compile": qml.compile,
    "decompose": partial(qml.decompose, gate_set={qml.CNOT, qml.RX, qml.RY, qml.RZ, qml.GlobalPhase}),
    "defer_measurements": qml.defer_measurements,
    "insert": partial(qml.noise.insert, op=qml.RX, op_args=0.1, position="all"),
    "map_wires": partial(qml.map_wires, wire_map={0: 3, 3: 0}),
    "merge_amplitude_embedding": qml.transforms.merge_amplitude_embedding,
    "merge_rotations": qml.transforms.merge_rotations,
    "remove_barrier": qml.transforms.remove_barrier,
    "simplify": qml.simplify,
    "split_non_commuting": qml.transforms.split_non_commuting,
    "split_to_single_terms": qml.transforms.split_to_single_terms,
    "transpile": partial(qml.transforms.transpile, coupling_map=[(0, 1), (1, 2), (2, 3)]),
    "undo_swaps": qml.transforms.undo_swaps,
    "unitary_to_rot": qml.transforms.unitary_to_rot,
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transform(name):
    """A transformed QNode gives what PennyLane gives for it; so do those that only split by what commutes."""
    qnode = TRANSFORMS[name](qml.QNode(circuit_to_transform, qml.device("default.qubit", wires=4)))
    expected = [oracle.flat(qnode(inputs=sample, weights=WEIGHTS)) for sample in INPUTS]
    circuit = CompiledCircuit(*capture(qnode, "inputs", (4,), {"weights": (2, 4)}, tf.float64), tf.float64)
    found = tf.function(circuit, autograph=False)(tf.constant(INPUTS), tf.constant(WEIGHTS))
    np.testing.assert_allclose(found, expected, atol=1e-10)


def one_sum(inputs, weights):
    """A circuit with a single expectation value, of terms that commute."""
    qml.RX(inputs[0], wires=0)
    qml.RX(inputs[1], wires=1)
    qml.Hadamard(0)
    qml.Hadamard(0)
    qml.CNOT([0, 1])
    qml.RY(weights[0, 0], wires=0)
    return qml.expval(qml.X(0) @ qml.Z(1) + 0.5 * qml.Z(1))


TRANSFORMS_OF_ONE_SUM = {
    "diagonalize_measurements": qml.transforms.diagonalize_measurements,
    "pattern_matching_optimization": partial(
        qml.transforms.pattern_matching_optimization,
        pattern_tapes=[qml.tape.QuantumScript([qml.Hadamard(0), qml.Hadamard(0)])],
    ),
    "sign_expand": qml.transforms.sign_expand,
    "single_qubit_fusion": qml.transforms.single_qubit_fusion,
}


@pytest.mark.parametrize("name", TRANSFORMS_OF_ONE_SUM)
def test_transform_of_one_sum(name):
    """Transforms that take simple circuits only keep the expectation value."""
    qnode = TRANSFORMS_OF_ONE_SUM[name](qml.QNode(one_sum, qml.device("default.qubit", wires=3)))
    circuit = CompiledCircuit(*capture(qnode, "inputs", (2,), {"weights": (2, 4)}, tf.float64), tf.float64)
    found = tf.function(circuit, autograph=False)(tf.constant(INPUTS[:, :2]), tf.constant(WEIGHTS))
    expected = oracle.expected(one_sum, INPUTS[:, :2], {"weights": WEIGHTS})
    np.testing.assert_allclose(found, expected, atol=1e-10)


REFUSED_TRANSFORMS = {
    "mitigate_with_zne": (
        partial(
            qml.noise.mitigate_with_zne,
            scale_factors=[1, 2, 3],
            folding=qml.noise.fold_global,
            extrapolate=qml.noise.richardson_extrapolate,
        ),
        "turn it into 3 circuits",
    ),
    "matrix": (qml.matrix, "matrix.*, which describes the circuit and does not run it. Leave it out"),
    "clifford_t_decomposition": (qml.clifford_t_decomposition, "needs the values of angles"),
}


@pytest.mark.parametrize("name", REFUSED_TRANSFORMS)
def test_refused_transform(name):
    """A transform that makes several circuits or none, or needs the values of angles, is refused."""
    transform, reason = REFUSED_TRANSFORMS[name]
    qnode = transform(qml.QNode(circuit_to_transform, qml.device("default.qubit", wires=4)))
    with pytest.raises(UnsupportedError, match=reason):
        capture(qnode, "inputs", (4,), {"weights": (2, 4)}, tf.float64)


@pytest.mark.parametrize("wires", [["a", "b"], [7, 3], ["ancilla", 0]])
@pytest.mark.parametrize("is_declared", [True, False])
def test_named_wires(wires, is_declared):
    """Wires of any name work, on a device that names them and on one that does not."""

    def function(inputs, weights):
        qml.RX(inputs[0], wires=wires[1])
        qml.CRY(weights[0], wires=wires[::-1])
        return qml.probs(wires=wires), qml.expval(qml.Z(wires[0]))

    device = qml.device("default.qubit", wires=wires if is_declared else None)
    oracle.assert_same(function, INPUTS, {"weights": np.ones(2)}, device=device)


@pytest.mark.parametrize("index", [(slice(None), 0), (..., 0)])
def test_broadcasting(index):
    """QNodes that were written for batches give what PennyLane gives for the batch."""

    def function(inputs, weights):
        qml.RX(inputs[index] * weights[0], wires=0)
        qml.RY(inputs[..., 1], wires=0)
        return qml.expval(qml.Z(0))

    circuit = oracle.compiled(function, (4,), {"weights": np.ones(1)})
    expected = qml.QNode(function, qml.device("default.qubit"))(INPUTS, np.array([0.4]))
    np.testing.assert_allclose(circuit(tf.constant(INPUTS), tf.constant([0.4], tf.float64)), expected, atol=1e-10)


def test_inputs_of_a_layer():
    """Integers, several batch axes, a default value of inputs and features of two axes give the same numbers."""

    def function(weights, inputs=None):
        qml.AngleEmbedding(qml.math.reshape(inputs, (4,)), wires=range(4))
        qml.BasicEntanglerLayers(weights, wires=range(4))
        return qml.expval(qml.Z(0))

    qnode = qml.QNode(function, qml.device("default.qubit"))
    numbers = np.arange(24).reshape(2, 3, 4)
    flat = KerasLayer(qnode, {"weights": (2, 4)}, 1, dtype="float64")
    square = KerasLayer(qnode, {"weights": (2, 4)}, 1, dtype="float64", sample_shape=(2, 2))
    found = flat(numbers)
    assert found.shape == (2, 3, 1)
    square.build((None, 2, 2))
    square.set_weights(flat.get_weights())
    np.testing.assert_allclose(square(numbers.reshape(2, 3, 2, 2)), found, atol=1e-12)
    weights = flat.get_weights()[0]
    expected = [[[qnode(weights, sample)] for sample in row] for row in numbers.astype(float)]
    np.testing.assert_allclose(found, expected, atol=1e-10)
