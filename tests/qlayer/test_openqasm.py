"""OpenQASM 3: the reference parser reads every program, and what it says gives PennyLane's state."""

import re
from dataclasses import replace

import numpy as np
import operations_page
import oracle
import pennylane as qml
import pytest
import tensorflow as tf
from openqasm_machine import Machine
from operations_table import TABLE
from pennylane.measurements import StateMP

from qlayer.circuits.angle_sources import AngleSources
from qlayer.circuits.circuit import Circuit, Operation, Parameter
from qlayer.circuits.factors import Permutation, Phase
from qlayer.circuits.gates import GATES, factors_of
from qlayer.exporting.openqasm import MARK, openqasm
from qlayer.recording.capture import capture

WIRES = 5
ANGLES = (0.3, -1.1, 2.7)
INPUTS, WEIGHTS = np.array([0.4, 0.9, 0.3, 0.7]), np.array([0.7, -0.2, 1.9, 0.1])


def program_of(*operations, wires=WIRES):
    """A circuit of some operations as a program."""
    circuit = Circuit(tuple(range(wires)), operations, (), ())
    return openqasm(AngleSources(circuit, ()), [], is_measured=False)


def constant(value):
    """An angle that is a number."""
    return Parameter((), (value,))


def operation_of(name, controls, is_adjoint):
    """An operation with a row of the gate table, on wires in another order than theirs."""
    row = GATES[name]
    count = controls + (row.wires or 3)
    wires = (3, 0, 2, 4, 1)[:count]
    return Operation(name, wires, tuple(map(constant, ANGLES[: row.parameters])), controls, is_adjoint)


def hadamards():
    """A state in which every amplitude counts, prepared by gates."""
    return [Operation("RY", (wire,), (constant(0.4 + wire),)) for wire in range(WIRES)]


def state_of(operations):
    """The state that the factors of operations give: the road of the compiler."""
    state = np.zeros(2**WIRES, complex)
    state[0] = 1
    for operation in operations:
        for factor in factors_of(operation):
            state = oracle_matrix(factor, operation) @ state
    return state


def oracle_matrix(factor, operation):
    """A factor as a matrix on all wires, by its definition."""
    values = [parameter.values[0] for parameter in operation.parameters]
    states = np.arange(2**WIRES)
    bits = states[:, np.newaxis] >> np.arange(WIRES)[::-1] & 1
    if isinstance(factor, Phase):
        phase = np.zeros(2**WIRES)
        for term in factor.terms:
            angle = 1 if term.parameter is None else values[term.parameter]
            phase += term.coefficient * angle * (-1) ** bits[:, sorted(term.wires)].sum(axis=1)
        return np.diag(np.exp(1j * phase))
    if isinstance(factor, Permutation):
        matrix = np.zeros((len(factor.table),) * 2)
        matrix[list(factor.table), range(len(factor.table))] = 1
    else:
        matrix = factor.matrix
    return qml.math.expand_matrix(matrix, factor.wires, range(WIRES))


@pytest.mark.parametrize("is_adjoint", [False, True])
@pytest.mark.parametrize("controls", [0, 1, 2])
@pytest.mark.parametrize("name", GATES)
def test_every_gate(name, controls, is_adjoint):
    """Each row of the gate table, controlled and inverted, does the same in OpenQASM, its global phase included."""
    count = controls + (GATES[name].wires or 3)
    if count > WIRES:
        pytest.skip("more wires than the machine has")
    operations = [*hadamards(), operation_of(name, controls, is_adjoint)]
    program = program_of(*operations)
    assert MARK not in program
    np.testing.assert_allclose(Machine(program).state({}), state_of(operations), atol=1e-12)


def captured(qnode, weights):
    """A recorded circuit as a program, with the values of the program's inputs for the INPUTS."""
    circuit, graph = capture(qnode, "inputs", (4,), {"weights": weights.shape}, tf.float64)
    outputs = tf.function(graph)(tf.constant(INPUTS[np.newaxis]), [tf.constant(weights)])
    values = {place: value.numpy().ravel() for place, value in enumerate(outputs)}
    sources = AngleSources(circuit, graph.argument_names(("inputs", "weights")), graph.known_values([weights]))
    sources = replace(sources, values={place: value.ravel() for place, value in sources.values.items()})
    angles = [p for o in circuit.operations for p in o.parameters if not p.shape and sources.number(p) is None]
    feeds = {name_of(sources.text(p)): values[p.output][p.positions[0]] for p in angles}
    return openqasm(sources, [], is_measured=False), feeds


@pytest.mark.parametrize("seed", range(5))
def test_random_circuits(seed):
    """A captured random circuit, inputs being inputs of the program, gives PennyLane's state."""
    function, device = oracle.random_function(seed, 25, qml.state), qml.device("default.qubit", wires=4)
    program, feeds = captured(qml.QNode(function, device), WEIGHTS)
    machine = Machine(program)
    assert sorted(machine.inputs) == sorted(feeds)
    expected = oracle.expected(function, INPUTS[np.newaxis], {"weights": WEIGHTS}, device=device)[0]
    np.testing.assert_allclose(machine.state(feeds), expected, atol=1e-10)


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if not row.refused])
def test_every_operation(name):
    """Every operation of PennyLane that is recorded becomes a program that runs, or says what it leaves out."""
    row = TABLE[name]
    weights = np.random.default_rng(0).uniform(0.1, 1, 24)

    def function(inputs, weights):
        return operations_page.finished(row.body(inputs, weights))

    qnode = qml.QNode(function, qml.device(row.device, wires=row.wires))
    program, feeds = captured(qnode, weights)
    machine = Machine(program)
    is_state = isinstance(qml.workflow.construct_tape(qnode)(INPUTS, weights).measurements[0], StateMP)
    if MARK not in program and is_state and machine.qubits == row.wires:
        np.testing.assert_allclose(machine.state(feeds), qnode(INPUTS, weights), atol=1e-10)


def name_of(text):
    """The identifier that stands for an angle's text."""
    return re.sub(r"[\[, ]+", "_", text.replace("θ", "theta_")).replace("]", "")


def test_a_program():
    """A whole program: inputs with their origin, definitions, wires, what is measured."""

    def function(inputs, weights):
        qml.RX(inputs[1], wires="a")
        qml.Rot(*weights[:3], wires="b")
        qml.ctrl(qml.IsingZZ(2 * inputs[0], wires=["a", "b"]), control="c")
        qml.adjoint(qml.S("a"))
        qml.GlobalPhase(0.5)
        return qml.expval(qml.Z("a"))

    qnode = qml.QNode(function, qml.device("default.qubit", wires=["a", "b", "c"]))
    circuit, graph = capture(qnode, "inputs", (4,), {"weights": (4,)}, tf.float64)
    known = {place: value.ravel() for place, value in graph.known_values([WEIGHTS]).items()}
    sources = AngleSources(circuit, graph.argument_names(("inputs", "weights")), known)
    assert openqasm(sources, ["result: expval of Z('a')"], is_measured=True).splitlines() == [
        "OPENQASM 3.0;",
        'include "stdgates.inc";',
        "input float[64] inputs_1;  // inputs[1]",
        "input float[64] theta_1;  // calculated from the inputs of the layer",
        "gate Rot(a0, a1, a2) q0 { rz(a0) q0; ry(a1) q0; rz(a2) q0; }",
        "gate IsingZZ(a0) q0, q1 { cx q0, q1; rz(a0) q1; cx q0, q1; }",
        "qubit[3] q;",
        "rx(inputs_1) q[0];",
        "Rot(0.7, -0.2, 1.9) q[1];",
        "ctrl @ IsingZZ(theta_1) q[2], q[0], q[1];",
        "sdg q[0];",
        "gphase(-0.5);",
        "// result: expval of Z('a')",
        "bit[3] c;",
        "c = measure q;",
    ]


def random_unitary(random, wires):
    """A matrix on some wires, in another order than theirs."""
    size = 2**wires
    matrix, _ = np.linalg.qr(random.normal(size=(size, size)) + 1j * random.normal(size=(size, size)))
    return Operation("QubitUnitary", (3, 0, 4, 1)[:wires], (Parameter((size, size), tuple(matrix.ravel())),))


def test_matrices():
    """Unitaries become rotations, those of five wires comments, and so do channels and projections."""
    unitary = qml.matrix(qml.Rot(0.3, 1.2, -0.4, wires=0)) * np.exp(0.7j)
    small = Operation("QubitUnitary", (2, 1), (Parameter((2, 2), tuple(unitary.ravel())),), controls=1)
    random = np.random.default_rng(0)
    large = [random_unitary(random, wires) for wires in (2, 3, 4)]
    operations = [*hadamards(), small, *large]
    np.testing.assert_allclose(Machine(program_of(*operations)).state({}), state_of(operations), atol=1e-12)
    for other in (
        Operation("QubitUnitary", tuple(range(5)), (Parameter((32, 32), tuple(np.eye(32).ravel())),)),
        Operation("Channel", (0,), (Parameter((4, 4), tuple(np.eye(4).ravel())),)),
        Operation("Projection", (0,), (Parameter((), (1,)),)),
    ):
        program = program_of(other)
        assert f"{MARK}{other.name} on q[0]" in program
        assert Machine(program).state({})[0] == 1


def test_evolutions():
    """Diagonal evolutions are defined once for each set of energies."""
    energies = [Parameter((4,), values) for values in ((0.1, -0.4, 2.0, 0.7), (1.0, 0.0, 0.0, -1.0))]
    evolved = [Operation("DiagonalEvolution", (1, 3), (constant(0.6), given)) for given in (*energies, energies[0])]
    operations = [*hadamards(), *evolved]
    program = program_of(*operations)
    assert program.count("gate DiagonalEvolution") == 2
    np.testing.assert_allclose(Machine(program).state({}), state_of(operations), atol=1e-12)
