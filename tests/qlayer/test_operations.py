"""Every operation of PennyLane against default.qubit, or its refusal; docs/operations.md against both."""

import warnings

import numpy as np
import operations_page
import oracle
import pennylane as qml
import pytest
import tensorflow as tf
from operations_table import TABLE
from pennylane import numpy as pnp

from qlayer import UnsupportedError
from qlayer.compiler import CompiledCircuit
from qlayer.recording.capture import capture

COMPILED = [name for name, row in TABLE.items() if not row.refused]
WRAPPED = [name for name in COMPILED if TABLE[name].forms != ("plain",)]
REFUSED = [name for name, row in TABLE.items() if row.refused]
CONTROL = "control"
SIGNATURE = (tf.TensorSpec([None, 4], tf.float64), tf.TensorSpec([24], tf.float64))

generator = np.random.default_rng(0)
INPUTS = generator.uniform(0.1, 1, (3, 4))
WEIGHTS = generator.uniform(0.1, 1, 24)


@pytest.fixture(autouse=True, scope="module")
def _no_graph_optimization():
    with oracle.no_graph_optimization():
        yield


def prepared(row, inputs):
    """Every wire that may be in a state of its own, one of them in a state of the sample's own."""
    wires = sorted(set(range(row.wires)) - set(row.clean))
    for wire in wires:
        qml.RY(0.4 + 0.3 * wire, wires=wire)
        qml.RX(0.9 - 0.2 * wire, wires=wire)
    if wires:
        qml.RY(inputs[0], wires=wires[0])


def plain(row):
    """A quantum function of an operation as it is."""

    def function(inputs, weights):
        prepared(row, inputs)
        return operations_page.finished(row.body(inputs, weights))

    return function


def wrapped(row):
    """A quantum function of an operation's adjoint, and of the controlled operation."""

    def function(inputs, weights):
        prepared(row, inputs)
        qml.RY(0.7, wires=CONTROL)
        if "adjoint" in row.forms:
            qml.adjoint(row.body)(inputs, weights)
        if "controlled" in row.forms:
            qml.RX(inputs[3], wires=0)
            qml.ctrl(row.body, control=CONTROL)(inputs, weights)
        return qml.state()

    return function


def device(row):
    """The wires of an operation, and one to control it; any wires where measurements are deferred to new ones."""
    if row.device != "default.qubit":
        return qml.device(row.device, wires=row.wires)
    return qml.device("default.qubit", wires=None if row.forms == ("plain",) else [*range(row.wires), CONTROL])


def test_every_operation_has_a_row():
    """Each class of operators that PennyLane has is in the table, or is no operation for a reason."""
    names = {name.split(":")[0] for name in TABLE} | set(operations_page.NO_OPERATIONS)
    assert names == set(operations_page.discovered())


@pytest.mark.parametrize("name", COMPILED)
def test_values_and_gradients(name):
    """An operation gives default.qubit's results for one sample and for three, and PennyLane's gradients."""
    row = TABLE[name]
    function = plain(row)
    expected = oracle.expected(function, INPUTS, {"weights": WEIGHTS}, device=device(row))
    qnode = qml.QNode(function, device(row), diff_method="backprop" if row.gradient else None)
    ours = qml.QNode(function, device(row))
    circuit = CompiledCircuit(*capture(ours, "inputs", (4,), {"weights": (24,)}, tf.float64), tf.float64)
    cotangent = generator.normal(size=expected.shape[1:]) + 1j * generator.normal(size=expected.shape[1:])
    has_angles = bool(operations_page.recorded(row).angle_outputs)

    @tf.function(autograph=False, input_signature=SIGNATURE)
    def results(x, w):
        found = circuit(x, w)
        loss = tf.reduce_sum(tf.math.real(found) * cotangent.real - tf.math.imag(found) * cotangent.imag)
        # what has no angles has no gradient of its own either
        return found, tf.gradients(loss, [x, w], unconnected_gradients="zero") if has_angles else []

    found, _ = results(INPUTS, WEIGHTS)
    single, gradients = results(INPUTS[:1], WEIGHTS)
    np.testing.assert_allclose(found, expected, atol=1e-10)
    np.testing.assert_allclose(single, expected[:1], atol=1e-10)
    if has_angles:
        assert_same_gradients(row, qnode, cotangent, gradients)


def assert_same_gradients(row, qnode, cotangent, found):
    """Gradients are PennyLane's, or where it has none, its differences along one direction."""

    def loss(x, w):
        return pnp.real(pnp.sum(qnode(inputs=x, weights=w) * cotangent))

    if row.gradient:
        with warnings.catch_warnings():
            # within PennyLane's own gradients
            warnings.filterwarnings("ignore", "Casting complex values to real")
            warnings.filterwarnings("ignore", "Calling norm with arguments of dtype=object", DeprecationWarning)
            by_inputs, by_weights = qml.grad(loss, argnums=[0, 1])(pnp.array(INPUTS[0]), pnp.array(WEIGHTS))
        np.testing.assert_allclose(found[0][0], by_inputs, atol=1e-8)
        np.testing.assert_allclose(found[1], by_weights, atol=1e-8)
    else:
        along = generator.normal(size=28)
        slope = difference(lambda step: loss(INPUTS[0] + step * along[:4], WEIGHTS + step * along[4:]))
        np.testing.assert_allclose(np.dot([*found[0][0], *found[1]], along), slope, atol=1e-7)


def difference(function, step=1e-3):
    """The derivative of a function at 0, by central differences of fourth order."""
    near, far = (function(at) - function(-at) for at in (step, 2 * step))
    return (8 * near - far) / (12 * step)


@pytest.mark.parametrize("name", WRAPPED)
def test_adjoint_and_controlled(name):
    """The adjoint of an operation and the controlled operation give default.qubit's results, in float32."""
    row = TABLE[name]
    oracle.assert_same(wrapped(row), INPUTS, {"weights": WEIGHTS}, device=device(row), dtype=tf.float32)


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    """What default.qubit cannot run, or the layer cannot, is refused when the circuit is recorded, with a reason."""
    with pytest.raises(UnsupportedError, match=TABLE[name].refused):
        operations_page.recorded(TABLE[name])


def test_page():
    """docs/operations.md says what becomes of each operation. Write it anew with `make docs-operations`."""
    assert operations_page.PAGE.read_text() == operations_page.page()
