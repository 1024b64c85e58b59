"""Compiled circuits against default.qubit: values and gradients, on random circuits and on every plan."""

import numpy as np
import oracle
import pennylane as qml
import pytest
import tensorflow as tf

READOUTS = {
    "state": qml.state,
    "probs": lambda: qml.probs(wires=[3, 1]),
    "paulis": lambda: [
        qml.expval(qml.Z(0) @ qml.Y(2)),
        qml.expval(qml.X(1) - 0.5 * qml.Z(3) + 2 * qml.Y(0) @ qml.Y(1)),
    ],
    "signs": lambda: (qml.expval(qml.Z(0) @ qml.Z(3)), qml.expval(qml.Z(1))),
    "mixture": lambda: (qml.probs(wires=2), qml.expval(qml.Z(2)), qml.probs()),
}


@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize(("seed", "length"), [(seed, length) for seed in range(4) for length in (3, 12, 40)])
def test_random_circuit(seed, length, readout):
    """A random circuit gives what default.qubit gives, in float64."""
    device = qml.device("default.qubit", wires=4)
    function = oracle.random_function(seed, length, READOUTS[readout])
    oracle.assert_same(function, *oracle.random_arguments(seed), device=device)


@pytest.mark.parametrize("seed", range(4))
def test_single_precision(seed):
    """In float32 the numbers agree to 1e-5."""
    device = qml.device("default.qubit", wires=4)
    function = oracle.random_function(seed, 20, READOUTS["paulis"])
    oracle.assert_same(function, *oracle.random_arguments(seed), device=device, dtype=tf.float32)


@pytest.mark.parametrize("seed", range(6))
def test_gradients(seed):
    """Gradients by inputs and by weights are those of central differences of default.qubit."""
    device = qml.device("default.qubit", wires=4)
    function = oracle.random_function(seed, 20, READOUTS["paulis"])
    inputs, weights = oracle.random_arguments(seed, batch=2)
    circuit = oracle.compiled(function, (4,), weights, device=device)
    x, w = tf.constant(inputs), tf.constant(weights["weights"])
    direction = np.array([0.3, -0.8])
    with tf.GradientTape() as tape:
        tape.watch([x, w])
        loss = tf.reduce_sum(circuit(x, w) * direction)
    found = tape.gradient(loss, [x, w], unconnected_gradients="zero")

    def scalar(x, w):
        return np.sum(oracle.expected(function, x, {"weights": w}, device=device) * direction)

    np.testing.assert_allclose(
        found[0], differences(lambda value: scalar(value, weights["weights"]), inputs), atol=1e-7
    )
    np.testing.assert_allclose(
        found[1], differences(lambda value: scalar(inputs, value), weights["weights"]), atol=1e-7
    )


def differences(function, point, step=1e-5):
    """The gradient of a function at a point by central differences."""
    gradient = np.zeros_like(point)
    for index in np.ndindex(point.shape):
        shift = np.zeros_like(point)
        shift[index] = step
        gradient[index] = (function(point + shift) - function(point - shift)) / (2 * step)
    return gradient


@pytest.mark.parametrize("wires", [1, 2, 3, 5, 7, 8, 13])
def test_every_number_of_blocks(wires):
    """Layers are right for one, two and three blocks of wires, of equal and of different sizes."""

    def function(inputs, weights):
        qml.AngleEmbedding(inputs, wires=range(wires))
        qml.StronglyEntanglingLayers(weights, wires=range(wires))
        return [qml.expval(qml.Z(wire)) for wire in range(wires)]

    generator = np.random.default_rng(wires)
    inputs = generator.uniform(-3, 3, (2, wires))
    oracle.assert_same(function, inputs, {"weights": generator.uniform(-3, 3, (2, wires, 3))})


def turn(angle):
    """A rotation as a matrix, of a number or of a traced array."""
    is_number = isinstance(angle, float)
    cos, sin = (np.cos(angle), np.sin(angle)) if is_number else (tf.cos(angle), tf.sin(angle))
    return (np if is_number else tf).stack([cos, -sin, sin, cos]).reshape(2, 2)


TEMPLATES = {
    "amplitudes": lambda x, w: qml.AmplitudeEmbedding(x, wires=[2, 0], normalize=True),
    "padding": lambda x, w: qml.AmplitudeEmbedding(x[:3], wires=range(3), pad_with=0.5, normalize=True),
    "angles": lambda x, w: qml.AngleEmbedding(x, wires=range(4), rotation="Y"),
    "iqp": lambda x, w: qml.IQPEmbedding(x, wires=range(4), n_repeats=2),
    "qaoa": lambda x, w: qml.QAOAEmbedding(x[:3], w.reshape(1, 8)[:, :6], wires=range(3)),
    "entangler": lambda x, w: qml.BasicEntanglerLayers(w, wires=range(4), rotation=qml.RY),
    "random": lambda x, w: qml.RandomLayers(w, wires=range(4), seed=3),
    "two-design": lambda x, w: qml.SimplifiedTwoDesign(x, w.reshape(1, 4, 2)[:, :3], wires=range(4)),
    "unitary": lambda x, w: qml.ArbitraryUnitary(w.reshape(8)[:3], wires=[1]),
    "state preparation": lambda x, w: qml.ArbitraryStatePreparation(w.reshape(8)[:6], wires=[0, 2]),
    "basis": lambda x, w: qml.BasisEmbedding([1, 0, 1], wires=range(3)),
    "fourier": lambda x, w: (qml.RX(x[0], 1), qml.QFT(wires=range(3)), qml.adjoint(qml.QFT)(wires=[1, 2, 3])),
    "pauli rotation": lambda x, w: qml.PauliRot(x[0] * w[0, 0], "XYZ", wires=[3, 0, 1]),
    "matrix": lambda x, w: (qml.RX(x[0], 0), qml.QubitUnitary(np.eye(8)[[3, 1, 0, 2, 7, 6, 5, 4]], wires=[2, 0, 3])),
    "evolution": lambda x, w: qml.evolve(qml.X(0) @ qml.Z(1), x[0] * w[0, 1]),
    "norm": lambda x, w: qml.RX(np.linalg.norm(x), wires=2),
    "trotter": lambda x, w: qml.TrotterProduct(qml.X(0) @ qml.Z(1) + 0.3 * qml.Y(2), time=0.7, n=2, order=2),
    "sum in an exponent": lambda x, w: qml.exp(qml.X(0) @ qml.Z(1) + qml.Z(2), 1j * x[0]),
    "evolution of a sum": lambda x, w: qml.evolve(qml.X(0) @ qml.Z(1) + 0.3 * qml.Y(1), x[1] * w[0, 1]),
    "matrix of inputs": lambda x, w: qml.QubitUnitary(turn(x[0]), wires=2),
    "matrix of weights": lambda x, w: qml.adjoint(qml.QubitUnitary(turn(w[0, 0]), wires=1)),
    "controlled matrix of inputs": lambda x, w: (
        qml.Hadamard(0),
        qml.ctrl(qml.QubitUnitary(turn(x[0]), wires=2), control=[0, 3], control_values=[1, 0]),
    ),
    "choice of a value": lambda x, w: qml.RX(qml.math.where(x[0] > w[0, 0], x[0], w[0, 0]), wires=0),
    "control values": lambda x, w: (qml.Hadamard(0), qml.ctrl(qml.Rot, [0, 1], [1, 0])(*x[:3], wires=2)),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_template(name):
    """A template, rewritten by PennyLane's decomposition, gives what default.qubit gives."""

    def function(inputs, weights):
        TEMPLATES[name](inputs, weights)
        for wire in range(4):
            qml.RY(weights[0, wire], wires=wire)
        return qml.state()

    generator = np.random.default_rng(1)
    inputs = generator.uniform(0.1, 1, (3, 4))
    oracle.assert_same(
        function, inputs, {"weights": generator.uniform(-3, 3, (2, 4))}, device=qml.device("default.qubit", wires=4)
    )


def test_nothing_depends_on_the_inputs():
    """A circuit without input-dependent gates still gives one result for each sample, and for none."""

    def function(inputs, weights):
        qml.RX(weights[0], wires=0)
        return qml.expval(qml.Z(0)), qml.probs(wires=0)

    circuit = oracle.compiled(function, (2,), {"weights": np.zeros(1)})
    found = circuit(tf.zeros([3, 2], tf.float64), tf.constant([0.4], tf.float64))
    np.testing.assert_allclose(found[:, 0], [np.cos(0.4)] * 3, atol=1e-12)
    assert circuit(tf.zeros([0, 2], tf.float64), tf.constant([0.4], tf.float64)).shape == (0, 3)


@pytest.mark.parametrize("batch", [0, 1, 3, 64])
def test_batch_is_its_samples(batch):
    """A batch gives what its samples give one by one."""
    function = oracle.random_function(5, 15, READOUTS["paulis"])
    inputs, weights = oracle.random_arguments(5, batch=batch)
    circuit = oracle.compiled(function, (4,), weights)
    w = tf.constant(weights["weights"])
    found = circuit(tf.constant(inputs), w)
    single = [circuit(tf.constant(sample[np.newaxis]), w)[0] for sample in inputs]
    assert found.shape == (batch, 2)
    np.testing.assert_allclose(found, np.reshape(single, (batch, 2)), atol=1e-12)


MID_CIRCUIT = {
    "wires": lambda first, second: (qml.expval(qml.Z(0)), qml.expval(qml.X(2)), qml.probs(wires=[1, 2])),
    "expval": lambda first, second: qml.expval(first),
    "var": lambda first, second: qml.var(second),
    "arithmetic": lambda first, second: qml.expval(2 * first + second),
    "probs": lambda first, second: qml.probs(op=[first, second]),
}


@pytest.mark.parametrize("name", MID_CIRCUIT)
def test_mid_circuit_measurement(name):
    """Mid-circuit measurements with reset and conditions give what default.qubit gives."""

    def function(inputs, weights):
        qml.RY(inputs[0], wires=0)
        first = qml.measure(0)
        qml.cond(first, qml.RY, qml.RX)(inputs[1], wires=1)
        qml.CNOT(wires=[1, 2])
        second = qml.measure(1, reset=True)
        qml.RX(weights[0], wires=1)
        qml.cond(first & second, qml.Hadamard)(wires=2)
        return MID_CIRCUIT[name](first, second)

    oracle.assert_same(function, *oracle.random_arguments(9))


POSTSELECTED = {
    "observables": lambda: (qml.expval(qml.Z(1)), qml.expval(qml.X(2)), qml.var(qml.Z(2))),
    "probs": lambda: (qml.probs(wires=[0, 1]), qml.probs(op=qml.X(2))),
    "reduced": lambda: (qml.purity(wires=[1]), qml.vn_entropy(wires=[0])),
}


@pytest.mark.parametrize("name", POSTSELECTED)
def test_postselection(name):
    """Of the outcomes that are left, the results are default.qubit's; so are their gradients."""

    def function(inputs, weights):
        qml.RX(inputs[0], wires=0)
        first = qml.measure(0, postselect=1)
        qml.CNOT([0, 1])
        qml.cond(first, qml.RY)(weights[1], wires=1)
        qml.RX(inputs[1], wires=2)
        qml.CRX(1.0, wires=[1, 2])
        qml.measure(1, postselect=0, reset=True)
        qml.RY(0.4, wires=1)
        qml.CRY(weights[2], wires=[2, 1])
        return POSTSELECTED[name]()

    inputs, weights = np.random.default_rng(0).uniform(0.3, 1.4, (3, 2)), {"weights": np.array([0.2, 0.3, 0.1])}
    oracle.assert_same(function, inputs, weights)
    oracle.assert_same_gradients(function, inputs, weights, diff_method="backprop")


@pytest.mark.filterwarnings("ignore:invalid value encountered in divide")  # PennyLane's own, when it divides by 0
def test_impossible_postselection():
    """An outcome that cannot be gives NaN, as it does in PennyLane."""

    def function(inputs, weights):
        qml.RX(inputs[0], wires=1)
        qml.measure(0, postselect=1)
        return qml.expval(qml.Z(1)), qml.probs(wires=[0])

    arguments = oracle.random_arguments(1)
    assert np.all(np.isnan(oracle.expected(function, *arguments)))
    oracle.assert_same(function, *arguments)


def test_broadcasting_qnode():
    """A QNode that was written for PennyLane's broadcasting, with `inputs[:, 0]`, is served as well."""

    def function(inputs, weights):
        qml.RX(inputs[:, 0], wires=0)
        qml.Rot(inputs[:, 1], inputs[:, 2] * weights[0], weights[1], wires=1)
        qml.AngleEmbedding(inputs, wires=range(4))
        qml.CNOT(wires=[0, 1])
        return qml.expval(qml.Z(0)), qml.probs(wires=[0, 1])

    inputs, weights = oracle.random_arguments(4)
    circuit = oracle.compiled(function, (4,), weights)
    expval, probs = qml.QNode(function, qml.device("default.qubit"))(inputs, **weights)
    found = circuit(tf.constant(inputs), tf.constant(weights["weights"]))
    np.testing.assert_allclose(found, np.concatenate([expval[:, np.newaxis], probs], axis=1), atol=1e-10)


def coefficients_of_inputs(inputs, weights):
    """Gates of weights alone, and an observable that the inputs weight."""
    qml.RY(weights[0], wires=0)
    observable = qml.Hamiltonian(inputs[:2], [qml.Z(0), qml.X(0)])
    return qml.expval(observable), qml.expval(qml.Z(0)), qml.probs(wires=0)


def nothing_measured(inputs, weights):
    """Observables that cancel, beside another."""
    qml.RY(inputs[0] * weights[0], wires=0)
    return qml.expval(0 * qml.Z(0)), qml.probs(wires=0), qml.var(qml.X(0) - qml.X(0))


def many_wires(inputs, weights):
    """The same on so many wires that a batch runs in chunks."""
    for wire in range(10):
        qml.RY(inputs[wire % 4] * weights[wire % 4], wires=wire)
        qml.CNOT(wires=[wire, (wire + 1) % 10])
    observable = qml.Hamiltonian(inputs[:2], [qml.Z(0), qml.X(9)])
    return qml.expval(0 * qml.Z(0)), qml.probs(wires=[3]), qml.expval(observable)


def of_any_batch(function, weights):
    """A quantum function traced once for batches of any size, as layers do."""
    signature = [tf.TensorSpec([None, 4], tf.float64), tf.TensorSpec([4], tf.float64)]
    return oracle.compiled(function, (4,), weights).get_concrete_function(*signature)


@pytest.mark.parametrize("function", [coefficients_of_inputs, nothing_measured, many_wires])
def test_results_for_all_samples_beside_those_of_each(function):
    """A result that is the same for all samples is returned for each of them where another is not."""
    inputs, weights = oracle.random_arguments(1)
    circuit = of_any_batch(function, weights)
    for rows in (inputs, inputs[:1]):
        found = circuit(tf.constant(rows), tf.constant(weights["weights"]))
        np.testing.assert_allclose(found, oracle.expected(function, rows, weights), atol=1e-10)


def test_usual_results_are_joined_as_they_are():
    """Where all results are of each sample, none is broadcast."""

    def function(inputs, weights):
        qml.RY(inputs[0] * weights[0], wires=0)
        return qml.expval(qml.Z(0)), qml.probs(wires=0)

    graph = of_any_batch(function, {"weights": np.ones(4)}).graph
    assert "BroadcastTo" not in {operation.type for operation in graph.get_operations()}
