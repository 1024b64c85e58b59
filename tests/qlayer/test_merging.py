"""Merging: angles that are calculated alike are calculated at once, and stay the angles they were."""

import numpy as np
import oracle
import pennylane as qml
import pytest
import tensorflow as tf

from qlayer.angles.merging import merge
from qlayer.recording.capture import capture

generator = np.random.default_rng(12)
WEIGHTS = {"weights": generator.uniform(0.5, 3, (3, 4))}
INPUTS = generator.uniform(0.2, 0.9, (3, 4))
np_ = qml.math

ANGLES = {  # from the inputs, the weights and two indices to an angle
    "product of inputs": lambda x, w, i, j: x[i] * x[j],
    "product with a weight": lambda x, w, i, j: x[i] * w[1, j],
    "product with a number": lambda x, w, i, j: (0.3 + i) * x[j],
    "number of the right": lambda x, w, i, j: x[j] ** (i + 1),
    "sum": lambda x, w, i, j: x[i] + w[0, j] + 0.5,
    "difference": lambda x, w, i, j: (np.pi - x[i]) * (np.pi - x[j]),
    "quotient": lambda x, w, i, j: x[i] / w[2, j],
    "number over an angle": lambda x, w, i, j: 2 / w[2, j],
    "functions": lambda x, w, i, j: np_.sin(x[i]) * np_.exp(-x[j]) + np_.sqrt(w[0, i]),
    "arcus tangent of two": lambda x, w, i, j: np_.arctan2(x[i], w[0, j]),
    "negative": lambda x, w, i, j: -np_.tanh(x[i]) * np_.arcsin(x[j]),
    "weights alone": lambda x, w, i, j: w[0, i] * w[1, j],
    "all of one": lambda x, w, i, j: np_.cos(x[i] * x[i]) - abs(x[j]),
}
LEFT_ALONE = {  # whose trees have more in them than elements and elementwise operations
    "sum over an axis": lambda x, w, i, j: np_.sum(x[: i + 2]) * w[0, j],
    "scalar product": lambda x, w, i, j: np_.dot(x, w[i % 3]),
    "maximum of all": lambda x, w, i, j: np_.max(x) * x[j],
    "choice": lambda x, w, i, j: np_.where(x[i] > w[0, j], x[i], w[0, j]),
}
EVERYTHING = ANGLES | LEFT_ALONE


@pytest.fixture(autouse=True)
def _unoptimized():
    with oracle.no_graph_optimization():
        yield


def circuit_of(angle, count=4):
    """A quantum function with rotations by some angles of one kind."""

    def function(inputs, weights):
        pairs = [(i, j) for i in range(4) for j in range(4)][:count]
        for i, j in pairs:
            qml.RY(angle(inputs, weights, i, j), wires=i)
            qml.IsingXY(angle(inputs, weights, j, i), wires=[i, (i + 1) % 4])
        return qml.expval(qml.Z(0)), qml.expval(qml.X(1) @ qml.Y(3))

    return function


def output_count(function):
    """How many tensors the angle graph of a quantum function has."""
    qnode = qml.QNode(function, qml.device("default.qubit"))
    shapes = {name: value.shape for name, value in WEIGHTS.items()}
    _, graph = capture(qnode, "inputs", (4,), shapes, tf.float64)
    return len(set(graph.outputs))


@pytest.mark.parametrize("name", EVERYTHING)
def test_numbers_and_gradients(name):
    """Whatever is calculated and however it is merged, numbers and gradients are those of default.qubit."""
    function = circuit_of(EVERYTHING[name], 2)
    oracle.assert_same(function, INPUTS, WEIGHTS)
    oracle.assert_same_gradients(function, INPUTS[:1], WEIGHTS, diff_method="backprop")


@pytest.mark.parametrize("name", ANGLES)
def test_outputs_do_not_grow_with_the_angles(name):
    """Three times as many angles of one kind are as many tensors."""
    assert output_count(circuit_of(ANGLES[name], 12)) == output_count(circuit_of(ANGLES[name], 4)) <= 2


def test_kinds_stay_apart():
    """Angles that are calculated in different ways, or from different arguments, are different tensors."""

    def function(inputs, weights):
        for wire in range(4):
            qml.RX(inputs[wire] * inputs[0], wires=wire)
            qml.RY(inputs[wire] + inputs[0], wires=wire)
            qml.RZ(inputs[wire] * weights[0, wire], wires=wire)
            qml.RX(weights[0, wire] * inputs[wire], wires=wire)
            qml.RY(inputs[wire], wires=wire)
        return qml.expval(qml.Z(2))

    assert output_count(function) == 5
    oracle.assert_same(function, INPUTS, WEIGHTS)


@pytest.mark.parametrize("wires", [2, 3, 4])
@pytest.mark.parametrize("n_repeats", [1, 2])
def test_iqp_embedding(wires, n_repeats):
    """The products of an IQPEmbedding are one tensor for any number of wires, with default.qubit's numbers."""

    def function(inputs, weights):
        qml.IQPEmbedding(inputs[:wires], wires=range(wires), n_repeats=n_repeats)
        qml.RY(weights[0, 0], wires=0)
        return qml.expval(qml.X(0)), qml.probs(wires=range(wires))

    assert output_count(function) == 3  # the inputs, the weights and the products
    oracle.assert_same(function, INPUTS, WEIGHTS)
    plan = oracle.compiled(function, (4,), WEIGHTS).python_function.plan
    assert len(plan.input_angles) == wires * (wires + 1) // 2  # a repetition has the angles of the first time


def test_coefficients_and_matrices_are_moved_too():
    """Calculated coefficients of an observable, a state and a matrix find their numbers after the merge."""

    def function(inputs, weights):
        qml.StatePrep(np_.stack([np_.cos(inputs[0]), np_.sin(inputs[0])]), wires=0)
        for wire in range(3):
            qml.RY(inputs[wire] * weights[0, wire], wires=wire)
        turn = inputs[1] * weights[0, 3]
        rows = [np_.stack([np_.cos(turn), -np_.sin(turn)]), np_.stack([np_.sin(turn), np_.cos(turn)])]
        qml.QubitUnitary(np_.stack(rows), wires=2)
        coefficients = [weights[1, 0] * weights[1, 1], weights[1, 2] * weights[1, 3]]
        return qml.expval(qml.Hamiltonian(coefficients, [qml.Z(0) @ qml.X(1), qml.Z(2)]))

    oracle.assert_same(function, INPUTS, WEIGHTS)


def test_merge():
    """Scalars of one kind become one vector, at the places that are told; vectors and single kinds stay."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        values = tf.constant([1.0, 2.0, 3.0]) + tf.compat.v1.placeholder_with_default([0.0, 0.0, 0.0], [3])
        picked = [tf.gather(values, position) for position in range(3)]
        sources = [picked[2] * 2.0, tf.sin(picked[0]), values, picked[1] * 5.0, picked[0] * picked[1], picked[2] * 2.0]
        merged, places = merge(sources)
        found = session.run(merged)
    assert len(merged) == 4
    assert places[5] == places[0] != places[3]
    expected = [6, np.sin(1), [1, 2, 3], 10, 2, 6]
    for (output, position), value in zip(places, expected, strict=True):
        np.testing.assert_allclose(found[output] if position is None else found[output][position], value, rtol=1e-6)


def constants():
    """TensorFlow's constants of several data types."""
    return [tf.constant(1), tf.constant(0.1), tf.constant(0.1, tf.float64), tf.constant(2), tf.constant(0.7)]


@pytest.mark.parametrize("is_outside", [False, True])
def test_constants_keep_their_data_type(is_outside):
    """Constants of different types are different tensors: none is rounded to the precision of another."""
    outside = constants()

    def function(inputs, weights):
        for wire, angle in enumerate(outside if is_outside else constants()):
            qml.RX(angle, wires=wire)
        return [qml.expval(qml.Z(wire)) for wire in range(5)]

    expected = np.cos([float(constant) for constant in constants()])
    circuit = oracle.compiled(function, (4,), WEIGHTS)
    found = circuit(tf.constant(INPUTS), tf.constant(WEIGHTS["weights"]))
    np.testing.assert_allclose(found, np.tile(expected, (3, 1)), atol=1e-12)
