"""Refusals: operations and measurements that are none of ours are named as the user wrote them, with what to do."""

import pennylane as qml
import pytest
import tensorflow as tf

from qlayer import UnsupportedError
from qlayer.errors import QLayerError
from qlayer.recording.capture import capture


class Broken(qml.operation.Operation):
    """A user's gate whose decomposition fails."""

    num_wires = 1

    @staticmethod
    def compute_decomposition(wires):
        """Fail."""
        raise ValueError("the table of angles is empty")


class Circular(qml.operation.Operation):
    """A user's gate that is made of itself."""

    num_wires = 1

    @staticmethod
    def compute_decomposition(wires):
        """The same gate."""
        return [Circular(wires)]


STANDARD_SET = "Write it with the gates of PennyLane's standard set."
REFUSED = {
    "a decomposition that fails": (
        lambda x: Broken(1),
        (
            "operation 1 of the circuit, Broken on wires [1] cannot be compiled: PennyLane cannot take it apart "
            f"(ValueError: the table of angles is empty). {STANDARD_SET}"
        ),
    ),
    "a decomposition of values": (
        lambda x: qml.pow(qml.Rot(*x, 0.2, wires=0), 0.5),
        (
            "operation 1 of the circuit, Rot**0.5 on wires [0] cannot be compiled: PennyLane needs the values of its "
            "parameters to take it apart, and they are calculated from inputs or weights. Give it constants, or write "
            "it with the gates of PennyLane's standard set."
        ),
    ),
    "nothing to compile": (
        lambda x: qml.operation.Operation(0, wires=[1]),
        (
            "operation 1 of the circuit, Operation on wires [1] cannot be compiled: PennyLane knows neither a "
            f"decomposition nor a matrix for Operation. {STANDARD_SET}"
        ),
    ),
    "qumodes": (
        lambda x: qml.Displacement(0.1, 0.2, wires=0),
        (
            "operation 1 of the circuit, Displacement on wires [0] cannot be compiled: Displacement acts on qumodes, "
            "and the circuit has qubits. Only gates of qubits can be compiled."
        ),
    ),
    "a gate of qutrits": (
        lambda x: qml.TShift(0),
        (
            "operation 1 of the circuit, TShift on wires [0] has a matrix of shape (3, 3), but on 1 qubits it must be "
            "(2, 2). Qutrits, and a matrix for each sample of a batch, cannot be compiled."
        ),
    ),
    "a channel of qutrits": (
        lambda x: qml.QutritDepolarizingChannel(0.1, wires=0),
        (
            "operation 1 of the circuit, QutritDepolarizingChannel on wires [0] maps density matrices by a matrix of "
            "shape (9, 9), but on 1 qubits it must be (4, 4). Qutrits cannot be compiled."
        ),
    ),
    "an observable of qutrits": (
        lambda x: qml.expval(qml.GellMann(0, 1)),
        (
            "the measurement expval(GellMann1(wires=[0])) has a matrix of shape (3, 3), but on 1 qubits it must be "
            "(2, 2). Qutrits cannot be compiled."
        ),
    ),
}


def refusal(body, **options):
    """The error that recording a circuit ends with."""

    def function(inputs):
        qml.RX(inputs[0], wires=0)
        last = body(inputs)
        return last if isinstance(last, qml.measurements.MeasurementProcess) else qml.probs()

    qnode = qml.QNode(function, qml.device("default.mixed", wires=2), **options)
    with pytest.raises(QLayerError) as error:
        capture(qnode, "inputs", (2,), {}, tf.float64)
    return error.value


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    """The message names the operation and its position, or the measurement, the reason, and what to do."""
    body, message = REFUSED[name]
    found = refusal(body)
    assert isinstance(found, UnsupportedError)
    assert str(found) == message


def test_a_decomposition_without_end():
    """A gate that is made of itself is refused with its position; Python words the reason, each version its own way."""
    found = refusal(lambda x: Circular(1))
    assert str(found).startswith("operation 1 of the circuit, Circular on wires [1] cannot be compiled: PennyLane")
    assert "RecursionError" in str(found)
    assert str(found).endswith(STANDARD_SET)


def test_the_cause_is_kept():
    """What PennyLane raised is the cause of the refusal."""
    assert isinstance(refusal(lambda x: Broken(1)).__cause__, ValueError)


def test_several_numbers_of_shots():
    """A vector of shots is refused with its numbers."""
    found = refusal(lambda x: qml.expval(qml.Z(0)), shots=(10, 20))
    assert str(found).startswith("the QNode asks for several numbers of shots, Shots(")
    assert str(found).endswith("; give it one.")
