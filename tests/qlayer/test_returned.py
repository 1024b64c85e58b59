"""What a quantum function returns: every measurement, once, in the order they are made; also those of nothing."""

import numpy as np
import oracle
import pennylane as qml
import pytest
import tensorflow as tf

from qlayer import CaptureError, UnsupportedError
from qlayer.recording.capture import capture


def recorded(qnode):
    """The circuit of a QNode of three inputs and four weights."""
    circuit, _ = capture(qnode, "inputs", (3,), {"weights": (4,)}, tf.float64)
    return circuit


def test_measurements_are_returned_in_the_order_they_are_made():
    """Measurements in another order, and one in the place of another, are refused as PennyLane refuses them."""

    def swapped(inputs, weights):
        first, second = qml.expval(qml.Z(0)), qml.expval(qml.X(0))
        return second, first

    def repeated(inputs, weights):
        first, _ = qml.expval(qml.Z(0)), qml.expval(qml.X(0))
        return [first, first]

    for function, found in ((swapped, r"\[expval\(X\(0\)\), expval\(Z"), (repeated, r"\[expval\(Z\(0\)\), expval\(Z")):
        qnode = qml.QNode(function, qml.device("default.qubit"))
        with pytest.raises(qml.exceptions.QuantumFunctionError, match="in the order they are measured"):
            qnode(inputs=np.ones(3), weights=np.ones(4))
        message = r"makes the measurements \[expval\(Z\(0\)\), expval\(X\(0\)\)\] and returns " + found
        with pytest.raises(CaptureError, match=message + ".* in the order they are made"):
            recorded(qnode)


def test_measurements_that_are_made_early_stay_the_same():
    """Measurements that are made before the `return`, of outcomes in mid-circuit too, are those that are returned."""

    @qml.transforms.cancel_inverses
    @qml.qnode(qml.device("default.qubit"))
    def qnode(inputs, weights):
        outcome = qml.measure(0)
        qml.RX(inputs[0], wires=1)
        made = qml.expval(outcome), qml.probs(op=[outcome])
        return [*made, qml.expval(qml.Z(1))]

    assert len(recorded(qnode).measurements) == 3


def test_transforms_that_change_the_number_of_measurements_are_refused():
    """What a transform measures beside the circuit's own has no place in the output."""

    @qml.transform
    def measuring(tape):
        return (tape.copy(measurements=[*tape.measurements, qml.expval(qml.X(0))]),), lambda results: results[0]

    @measuring
    @qml.qnode(qml.device("default.qubit"))
    def qnode(inputs, weights):
        return qml.expval(qml.Z(0))

    with pytest.raises(UnsupportedError, match=r"turn its 1 measurements into 2, .*Leave out the transforms"):
        recorded(qnode)


def test_observables_that_cancel():
    """The mean and the variance of an observable that is 0 are 0 in every run, beside what is drawn."""

    def function(inputs, weights):
        qml.RY(inputs[0], wires=0)
        return qml.expval(0 * qml.Z(0)), qml.probs(wires=0), qml.var(qml.X(0) - qml.X(0))

    inputs, weights = oracle.random_arguments(1)
    found = oracle.compiled(function, (4,), weights, shots=100)(tf.constant(inputs), tf.constant(weights["weights"]))
    np.testing.assert_array_equal(found.numpy()[:, [0, 3]], 0)
    np.testing.assert_allclose(found.numpy()[:, 1:3].sum(axis=1), 1)
