"""The gate table: a gate is a row, never a branch.

A row gives a gate as a product of factors on wires 0 to k-1, in order of application. Wire 0 is the most significant
bit. Controlled gates (CNOT, CRX, Toffoli, ...) and adjoints have no rows: `factors_of` derives them. The definitions
of the matrices are PennyLane's, and a test holds every row against PennyLane's matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from qlayer.circuits.circuit import Operation
from qlayer.circuits.factors import Factor, Matrix, Permutation, Phase, Term, Variable, controlled, diagonal, inverse

HADAMARD = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
_S = np.diag([1, 1j])
_Y_BASIS = _S @ HADAMARD  # its columns are the eigenvectors of Y
_SX = np.array([[1 + 1j, 1 - 1j], [1 - 1j, 1 + 1j]]) / 2


@dataclass(frozen=True)
class Gate:
    """A row of the gate table.

    Args:
        parameters: how many angles the gate takes.
        wires: how many wires it acts on; None for any number.
        factors: from the number of wires to the factors.
    """

    parameters: int
    wires: int | None
    factors: Callable[[int], tuple[Factor, ...]]


def _fixed(wires: int, *factors: Factor, parameters: int = 0) -> Gate:
    return Gate(parameters, wires, lambda _: factors)


def _conjugated(basis: tuple[Factor, ...], *inner: Factor) -> tuple[Factor, ...]:
    """The inner factors in another basis; `basis` leads into the eigenbasis of the gate."""
    return *basis, *inner, *inverse(basis)


def _to_x(*wires: int) -> tuple[Factor, ...]:
    return tuple(Matrix((wire,), HADAMARD) for wire in wires)


def _to_y(*wires: int) -> tuple[Factor, ...]:
    return tuple(Matrix((wire,), _Y_BASIS.conj().T) for wire in wires)


def _rx(wire: int, parameter: int = 0, sign: float = 1.0) -> tuple[Factor, ...]:
    return _conjugated(_to_x(wire), _rz(wire, parameter, sign))


def _ry(wire: int, parameter: int = 0) -> tuple[Factor, ...]:
    return _conjugated(_to_y(wire), _rz(wire, parameter))


def _rz(wire: int, parameter: int = 0, sign: float = 1.0) -> Phase:
    return Phase((Term(frozenset({wire}), -sign / 2, parameter),))


def _shift(wire: int, parameter: int = 0) -> Phase:
    return diagonal((wire,), (0, 1), parameter)


_X = Permutation((0,), (1, 0))
_SWAP = Permutation((0, 1), (0, 2, 1, 3))
_CNOT = Permutation((0, 1), (0, 1, 3, 2))
_ZZ = Phase((Term(frozenset({0, 1}), -0.5, 0),))
# brings |0011> and |1100> to |0111> and |1111>, where they differ in wire 0 alone
_DOUBLE = Permutation((0, 1, 2, 3), tuple({3: 7, 7: 3, 12: 15, 15: 12}.get(j, j) for j in range(16)))
_U2_ROTATION = np.array([[1, -1], [1, 1]]) / np.sqrt(2)


def _excitation(basis: Factor, controls: tuple[int, ...]) -> tuple[Factor, ...]:
    """A rotation of two basis states into each other: RY on wire 0 where the controls are 1, in another basis."""
    rotation = _ry(0)
    for control in controls:
        rotation = controlled(rotation, control)
    return _conjugated((basis,), *rotation)


def _elsewhere(wires: int, states: set[int], factor: float) -> Phase:
    """`factor` times the angle on every basis state but the named ones."""
    return diagonal(tuple(range(wires)), tuple(0 if j in states else factor for j in range(2**wires)), 0)


_SINGLE = _excitation(_CNOT, (1,))
_DOUBLES = _excitation(_DOUBLE, (1, 2, 3))

GATES: dict[str, Gate] = {
    "Identity": Gate(0, None, lambda _: ()),
    "GlobalPhase": Gate(1, None, lambda _: (Phase((Term(frozenset(), -1.0, 0),)),)),
    "Hadamard": _fixed(1, Matrix((0,), HADAMARD)),
    "PauliX": _fixed(1, _X),
    "PauliY": _fixed(1, diagonal((0,), (np.pi / 2, -np.pi / 2)), _X),
    "PauliZ": _fixed(1, diagonal((0,), (0, np.pi))),
    "S": _fixed(1, diagonal((0,), (0, np.pi / 2))),
    "T": _fixed(1, diagonal((0,), (0, np.pi / 4))),
    "SX": _fixed(1, Matrix((0,), _SX)),
    "RX": _fixed(1, *_rx(0), parameters=1),
    "RY": _fixed(1, *_ry(0), parameters=1),
    "RZ": _fixed(1, _rz(0), parameters=1),
    "PhaseShift": _fixed(1, _shift(0), parameters=1),
    "U1": _fixed(1, _shift(0), parameters=1),
    "U2": _fixed(1, _shift(0, 1), Matrix((0,), _U2_ROTATION), _shift(0, 0), parameters=2),
    "U3": _fixed(1, _shift(0, 2), *_ry(0, 0), _shift(0, 1), parameters=3),
    "Rot": _fixed(1, _rz(0, 0), *_ry(0, 1), _rz(0, 2), parameters=3),
    "SWAP": _fixed(2, _SWAP),
    "ISWAP": _fixed(2, diagonal((0, 1), (0, np.pi / 2, np.pi / 2, 0)), _SWAP),
    "PSWAP": _fixed(2, diagonal((0, 1), (0, 1, 1, 0), 0), _SWAP, parameters=1),
    "CPhaseShift00": _fixed(2, diagonal((0, 1), (1, 0, 0, 0), 0), parameters=1),
    "CPhaseShift01": _fixed(2, diagonal((0, 1), (0, 1, 0, 0), 0), parameters=1),
    "CPhaseShift10": _fixed(2, diagonal((0, 1), (0, 0, 1, 0), 0), parameters=1),
    "IsingXX": _fixed(2, *_conjugated(_to_x(0, 1), _ZZ), parameters=1),
    "IsingYY": _fixed(2, *_conjugated(_to_y(0, 1), _ZZ), parameters=1),
    "IsingZZ": _fixed(2, _ZZ, parameters=1),
    "IsingXY": _fixed(2, *_conjugated((_CNOT,), *controlled(_rx(0, 0, -1.0), 1)), parameters=1),
    "SingleExcitation": _fixed(2, *_SINGLE, parameters=1),
    "SingleExcitationPlus": _fixed(2, *_SINGLE, _elsewhere(2, {1, 2}, 0.5), parameters=1),
    "SingleExcitationMinus": _fixed(2, *_SINGLE, _elsewhere(2, {1, 2}, -0.5), parameters=1),
    "DoubleExcitation": _fixed(4, *_DOUBLES, parameters=1),
    "DoubleExcitationPlus": _fixed(4, *_DOUBLES, _elsewhere(4, {3, 12}, 0.5), parameters=1),
    "DoubleExcitationMinus": _fixed(4, *_DOUBLES, _elsewhere(4, {3, 12}, -0.5), parameters=1),
    "MultiRZ": Gate(1, None, lambda wires: (Phase((Term(frozenset(range(wires)), -0.5, 0),)),)),
}


def factors_of(operation: Operation) -> tuple[Factor, ...]:
    """The factors of an operation on the circuit's wires, in order of application.

    The parameters in their terms are positions in `operation.parameters`.
    """
    controls, wires = operation.wires[: operation.controls], operation.wires[operation.controls :]
    parameters = tuple(range(len(operation.parameters)))
    factors = tuple(factor.on(wires, parameters) for factor in _base_factors(operation, len(wires)))
    if operation.is_adjoint:
        factors = inverse(factors)
    for control in reversed(controls):
        factors = controlled(factors, control)
    return factors


def _base_factors(operation: Operation, wires: int) -> tuple[Factor, ...]:
    if operation.name in _OF_ELEMENTS:
        return _OF_ELEMENTS[operation.name](operation, tuple(range(wires)))
    return GATES[operation.name].factors(wires)


def _matrix(operation: Operation, wires: tuple[int, ...]) -> tuple[Factor, ...]:
    (matrix,) = operation.parameters
    if not matrix.is_constant:
        return (Variable(wires, 0),)
    return (Matrix(wires, np.reshape(matrix.values, matrix.shape)),)


def _projection(operation: Operation, wires: tuple[int, ...]) -> tuple[Factor, ...]:
    (state,) = operation.parameters
    return (Matrix(wires, np.diag([1, 0] if state.values[0] == 0 else [0, 1])),)


def _evolution(operation: Operation, wires: tuple[int, ...]) -> tuple[Factor, ...]:
    _, energies = operation.parameters
    return (diagonal(wires, tuple(-np.real(energies.values)), 0),)


# what is no row because its elements are parameters
_OF_ELEMENTS: dict[str, Callable[[Operation, tuple[int, ...]], tuple[Factor, ...]]] = {
    "QubitUnitary": _matrix,
    "Channel": _matrix,
    "Projection": _projection,
    "DiagonalEvolution": _evolution,
}
