"""Every row of the gate table against PennyLane's matrix of the same gate."""

import numpy as np
import pennylane as qml
import pytest

from qlayer.circuits.circuit import Operation, Parameter
from qlayer.circuits.factors import Matrix, Permutation, Phase
from qlayer.circuits.gates import GATES, factors_of

ANGLES = (0.37, -1.21, 2.5)


def matrix_of(operation: Operation, wires: int) -> np.ndarray:
    """The dense matrix of an operation: the factors, multiplied out by NumPy."""
    total = np.eye(2**wires, dtype=complex)
    for factor in factors_of(operation):
        total = dense(factor, wires) @ total
    return total


def dense(factor, wires):
    """The dense matrix of one factor on all wires."""
    if isinstance(factor, Phase):
        states = np.indices((2,) * wires).reshape(wires, -1)
        parity = [(-1.0) ** states[list(term.wires)].sum(axis=0) for term in factor.terms]
        values = [1 if term.parameter is None else ANGLES[term.parameter] for term in factor.terms]
        phase = sum(t.coefficient * v * p for t, v, p in zip(factor.terms, values, parity, strict=True))
        return np.diag(np.exp(1j * (phase + np.zeros(2**wires))))
    if isinstance(factor, Permutation):
        return qml.math.expand_matrix(
            np.eye(len(factor.table))[:, np.argsort(factor.table)], factor.wires, range(wires)
        )
    assert isinstance(factor, Matrix)
    return qml.math.expand_matrix(factor.matrix, factor.wires, range(wires))


def operation_of(name, *, wires, **changes):
    """A row of the table with constant angles."""
    parameters = tuple(Parameter((), (angle,)) for angle in ANGLES[: GATES[name].parameters])
    return Operation(name, wires, parameters, **changes)


@pytest.mark.parametrize("name", GATES)
@pytest.mark.parametrize("is_adjoint", [False, True])
@pytest.mark.parametrize("controls", [0, 1, 2])
def test_row_is_pennylanes_gate(name, is_adjoint, controls):
    """The factors of a gate, of its inverse and of its controlled versions multiply to PennyLane's matrix."""
    count = GATES[name].wires or 3
    wires = tuple(range(controls + count))
    found = matrix_of(operation_of(name, wires=wires, controls=controls, is_adjoint=is_adjoint), len(wires))
    operator = getattr(qml, name)(*ANGLES[: GATES[name].parameters], wires=wires[controls:])
    matrix = qml.matrix(operator, wire_order=wires[controls:])
    matrix = matrix.conj().T if is_adjoint else matrix
    size = 2 ** len(wires)
    wanted = np.eye(size, dtype=complex)
    wanted[size - len(matrix) :, size - len(matrix) :] = matrix
    np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_constant_matrix():
    """A constant matrix is its own factor, on the wires it is given."""
    unitary = np.linalg.qr(np.arange(16.0).reshape(4, 4) + np.eye(4))[0]
    operation = Operation("QubitUnitary", (1, 0), (Parameter((4, 4), tuple(unitary.ravel())),))
    np.testing.assert_allclose(matrix_of(operation, 2), qml.math.expand_matrix(unitary, [1, 0], [0, 1]), atol=1e-12)
