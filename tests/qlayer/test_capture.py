"""From QNodes to circuits: what is recorded, and what is refused."""

import re

import numpy as np
import oracle
import pennylane as qml
import pytest
import tensorflow as tf

from qlayer import CaptureError, UnsupportedError
from qlayer.recording.capture import capture, is_compiled

WEIGHTS = {"weights": (4,)}


def captured(function, device=None):
    """Record a quantum function of three inputs and four weights."""
    qnode = qml.QNode(function, device or qml.device("default.qubit", wires=3))
    return capture(qnode, "inputs", (3,), WEIGHTS, tf.float64)


def test_operations_wires_and_angles():
    """Operations keep their order; named wires become numbers; angles know where they come from."""

    def function(inputs, weights):
        qml.RX(inputs[1], wires="b")
        qml.CRY(2 * weights[3], wires=["a", "b"])
        qml.RZ(0.5, wires="a")
        return qml.expval(qml.Z("b"))

    circuit, _ = captured(function, qml.device("default.qubit", wires=["a", "b"]))
    assert circuit.wire_labels == ("a", "b")
    rx, cry, rz = circuit.operations
    assert (rx.name, rx.wires, rx.parameters[0].positions) == ("RX", (1,), (1,))
    assert (cry.name, cry.wires, cry.controls) == ("RY", (0, 1), 1)
    assert rz.parameters[0].values == (0.5,)
    assert [circuit.is_input_dependent(op.parameters[0]) for op in circuit.operations] == [True, False, False]
    assert circuit.is_bare


def test_the_function_is_called_once():
    """Recording calls the quantum function a single time."""
    calls = []

    def function(inputs, weights):
        calls.append(1)
        return qml.expval(qml.Z(0))

    captured(function)
    assert calls == [1]


def test_arguments_used_as_they_are_need_no_graph():
    """Angles that are elements of the arguments are read from the arguments."""

    def function(inputs, weights):
        qml.AngleEmbedding(inputs, wires=range(3))
        qml.RX(weights[2], wires=0)
        return qml.probs()

    _, angle_graph = captured(function)
    assert set(angle_graph.outputs) <= set(angle_graph.arguments)


def test_user_transforms_apply():
    """Transforms on the QNode shape the circuit."""

    @qml.transforms.cancel_inverses
    @qml.qnode(qml.device("default.qubit", wires=3))
    def qnode(inputs, weights):
        qml.Hadamard(0)
        qml.Hadamard(0)
        qml.RX(inputs[0], wires=0)
        return qml.expval(qml.Z(0))

    circuit, _ = capture(qnode, "inputs", (3,), WEIGHTS, tf.float64)
    assert [operation.name for operation in circuit.operations] == ["RX"]


def test_devices_without_wires():
    """Without declared wires, the order of the state is default.qubit's."""

    def function(inputs, weights):
        qml.RX(inputs[0], wires="x")
        qml.CNOT(["x", "a"])
        qml.RY(weights[0], wires="a")
        return qml.state()

    oracle.assert_same(function, np.full((2, 3), 0.4), {"weights": np.ones(4)})


REFUSED = {
    "value": (
        lambda inputs, weights: qml.RX(0.1, 0) if inputs[0] > 0 else qml.RY(0.1, 0),
        CaptureError,
        "recorded once for all values",
    ),
    "value in a loop": (
        lambda inputs, weights: [qml.RX(0.1, 0) for _ in range(int(weights[0]))],
        CaptureError,
        r"asks for the value of an input or a weight .*range\(\).* a loop bound as a Python number",
    ),
    "value in an array": (
        lambda inputs, weights: qml.AngleEmbedding(np.array([inputs[0], 1.0]), wires=range(2)),
        CaptureError,
        r"numpy.array\(\)\), .*\(numpy.stack instead of numpy.array\)",
    ),
    "weights of a shape that a template refuses": (
        lambda inputs, weights: qml.BasicEntanglerLayers(weights, wires=range(3)),
        CaptureError,
        r"'function' .* 'inputs' of shape \(3,\), 'weights' of shape \(4,\), and raised .*: Weights tensor must be 2",
    ),
    "too many features": (
        lambda inputs, weights: qml.AngleEmbedding(inputs, wires=range(2)),
        CaptureError,
        r"'inputs' of shape \(3,\), .*Features must be of length 2 or less; got length 3. Correct .*number of features",
    ),
    "too few features": (
        lambda inputs, weights: qml.RX(inputs[3], 0),
        CaptureError,
        r"'inputs' of shape \(3,\), .* raised IndexError .*index 3 is out of bounds",
    ),
    "too many angles": (
        lambda inputs, weights: qml.Rot(*weights, wires=0),
        CaptureError,
        r"'weights' of shape \(4,\), and raised TypeError",
    ),
    "broadcast angle": (
        lambda inputs, weights: qml.RX(inputs, 0),
        UnsupportedError,
        r"operation 0 .* RX on wires \[0\]",
    ),
    "state behind a mid-circuit measurement": (
        lambda inputs, weights: (qml.measure(0), qml.state())[1],
        UnsupportedError,
        "mid-circuit measurements cannot be moved to its end",
    ),
    "unknown wire": (lambda inputs, weights: qml.RX(0.1, 7), UnsupportedError, r"uses wires \[7\]"),
    "unreturned measurement": (
        lambda inputs, weights: (qml.expval(qml.X(1)), qml.probs())[1],
        CaptureError,
        "makes 2 measurements and returns 1",
    ),
    "counts": (lambda inputs, weights: qml.counts(wires=0), UnsupportedError, "no fixed shape. Return qml.probs"),
    "samples": (lambda inputs, weights: qml.sample(wires=0), UnsupportedError, "need finite shots"),
    "branch in an angle": (
        lambda inputs, weights: qml.RX(tf.cond(inputs[0].tensor > 0, lambda: 1.0, lambda: 2.0), 0),
        CaptureError,
        "branch or a loop of TensorFlow.*Write tf.where for tf.cond",
    ),
    "exponential that is not unitary": (
        lambda inputs, weights: (qml.exp(qml.X(0) @ qml.Z(1) + qml.Z(2), inputs[0]), qml.probs())[1],
        UnsupportedError,
        "is not unitary: the exponent must be an imaginary multiple of a Hermitian operator",
    ),
    "angle that is no number": (
        lambda inputs, weights: (qml.RY(0.1, 0), qml.RX(np.nan, 1))[1],
        CaptureError,
        r"operation 1 of the circuit, RX on wires \[1\] is given nan, where finite numbers are expected",
    ),
    "amplitude that is no number": (
        lambda inputs, weights: qml.StatePrep(np.array([np.nan, 0]), 0),
        CaptureError,
        r"operation 0 of the circuit, StatePrep on wires \[0\] is given nan",
    ),
    "infinite angle in a template": (
        lambda inputs, weights: qml.AngleEmbedding([0.1, -np.inf], wires=range(2)),
        CaptureError,
        r"operation 0 of the circuit, AngleEmbedding on wires \[0, 1\] is given -inf",
    ),
    "complex observable": (
        lambda inputs, weights: qml.expval(1j * qml.Z(0)),
        UnsupportedError,
        "is not real, so this is no observable",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_a_reason(name):
    """What cannot be recorded is refused when it is recorded, naming the culprit."""
    body, error, message = REFUSED[name]

    def function(inputs, weights):
        last = body(inputs, weights)
        return last if isinstance(last, qml.measurements.MeasurementProcess) else qml.expval(qml.Z(0))

    with pytest.raises(error, match=message):
        captured(function)


RETURNED = {
    "nothing": (lambda inputs: None, "returns None"),
    "a number": (lambda inputs: 5, "returns 5"),
    "an observable": (lambda inputs: qml.Z(0), r"returns Z\(0\)"),
    "an input": (lambda inputs: [qml.probs(), inputs[0]], r"returns Traced\(shape=\(\), dtype=float64\)"),
    "a dictionary": (lambda inputs: {"z": qml.expval(qml.Z(0))}, r"returns {'z': expval\(Z\(0\)\)}"),
}


@pytest.mark.parametrize("name", RETURNED)
def test_only_measurements_are_returned(name):
    """What a quantum function returns beside measurements is named, with what it should return."""
    returned, found = RETURNED[name]
    with pytest.raises(CaptureError, match=f"{found}, which is no measurement. Return a measurement, such as qml.expv"):
        captured(lambda inputs, weights: returned(inputs))


def test_an_empty_list_is_refused():
    """A quantum function that returns no measurement at all is refused with what to return."""
    with pytest.raises(CaptureError, match=r"returns an empty list, .* Return a measurement"):
        captured(lambda inputs, weights: [])


def test_what_arrays_without_values_lack_is_named():
    """A method of other frameworks' arrays is refused with the line that calls it."""
    with pytest.raises(CaptureError, match=r"raised AttributeError in line \d+ of .*no attribute 'detach'"):
        captured(lambda inputs, weights: qml.RX(inputs.detach()[0], wires=0))


def test_the_reason_is_kept():
    """A translated error has PennyLane's as its cause; a mistake of any Python stays as it is."""
    with pytest.raises(CaptureError) as error:
        captured(lambda inputs, weights: qml.BasicEntanglerLayers(weights, wires=range(3)))
    assert isinstance(error.value.__cause__, ValueError)
    assert re.search(
        r"raised ValueError in line \d+ of .*test_capture.py: Weights .* Correct weight_s", str(error.value)
    )
    with pytest.raises(ZeroDivisionError):
        captured(lambda inputs, weights: qml.RX(1 / 0, wires=0))


def test_outer_variables_are_refused():
    """A tf.Variable that is not an argument would be frozen silently: it is refused."""
    outer = tf.Variable(tf.ones(200, tf.float64))

    def function(inputs, weights):
        qml.RX(outer[0], wires=0)
        return qml.expval(qml.Z(0))

    with pytest.raises(CaptureError, match="Make it a weight of the layer"):
        captured(function)


def test_devices_and_shots():
    """PennyLane's own exact simulators are compiled, and nothing else; shot vectors are refused."""
    names = (
        "default.qubit",
        "lightning.qubit",
        "reference.qubit",
        "default.mixed",
        "default.qutrit",
        "default.gaussian",
    )
    assert [is_compiled(qml.device(name, wires=3)) for name in names] == [True] * 4 + [False] * 2
    assert not is_compiled(qml.device("default.mixed", wires=1, readout_prob=0.1))

    @qml.set_shots((100, 200))
    @qml.qnode(qml.device("default.qubit", wires=3))
    def sampled(inputs, weights):
        return qml.expval(qml.Z(0))

    with pytest.raises(UnsupportedError, match="several numbers of shots"):
        capture(sampled, "inputs", (3,), WEIGHTS, tf.float64)
