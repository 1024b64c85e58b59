"""A machine that runs OpenQASM 3, for the tests: the reference parser reads a program, NumPy multiplies its matrices.

It knows what the language defines (U, gphase, modifiers) and what stdgates.inc does, and nothing of qlayer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import pi
from typing import Any

import numpy as np
import openqasm3
from openqasm3 import ast


def _controlled(matrix: np.ndarray, *, on: int = 1) -> np.ndarray:
    same = np.eye(len(matrix))
    first, second = (same, matrix) if on else (matrix, same)
    zeros = np.zeros_like(same)
    return np.block([[first, zeros], [zeros, second]])


def _rotation(generator: np.ndarray) -> Callable[[float], np.ndarray]:
    return lambda angle: np.cos(angle / 2) * np.eye(2) - 1j * np.sin(angle / 2) * generator


X, Y, Z = np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])
H, SWAP = (X + Z) / np.sqrt(2), np.eye(4)[[0, 2, 1, 3]]
RX, RY, RZ = map(_rotation, (X, Y, Z))

# stdgates.inc
STANDARD: dict[str, Callable[..., np.ndarray]] = {
    "x": lambda: X,
    "y": lambda: Y,
    "z": lambda: Z,
    "h": lambda: H,
    "s": lambda: np.diag([1, 1j]),
    "sdg": lambda: np.diag([1, -1j]),
    "t": lambda: np.diag([1, np.exp(1j * pi / 4)]),
    "tdg": lambda: np.diag([1, np.exp(-1j * pi / 4)]),
    "sx": lambda: np.array([[1 + 1j, 1 - 1j], [1 - 1j, 1 + 1j]]) / 2,
    "rx": RX,
    "ry": RY,
    "rz": RZ,
    "p": lambda angle: np.diag([1, np.exp(1j * angle)]),
    "cx": lambda: _controlled(X),
    "cy": lambda: _controlled(Y),
    "cz": lambda: _controlled(Z),
    "ch": lambda: _controlled(H),
    "cp": lambda angle: np.diag([1, 1, 1, np.exp(1j * angle)]),
    "crx": lambda angle: _controlled(RX(angle)),
    "cry": lambda angle: _controlled(RY(angle)),
    "crz": lambda angle: _controlled(RZ(angle)),
    "swap": lambda: SWAP,
    "ccx": lambda: _controlled(_controlled(X)),
    "cswap": lambda: _controlled(SWAP),
}


class Machine:
    """A program that was read, ready to run.

    Args:
        program: its text.
    """

    def __init__(self, program: str) -> None:
        self.statements = openqasm3.parse(program).statements
        self.gates = {s.name.name: s for s in self.statements if isinstance(s, ast.QuantumGateDefinition)}
        self.inputs = [s.identifier.name for s in self.statements if isinstance(s, ast.IODeclaration)]
        registers = [s for s in self.statements if isinstance(s, ast.QubitDeclaration)]
        self.qubits = registers[0].size.value
        self.is_measured = any(isinstance(s, ast.QuantumMeasurementStatement) for s in self.statements)

    def state(self, inputs: Mapping[str, float]) -> np.ndarray:
        """The final state before any measurement, all qubits starting in 0; shape (2 ** qubits,).

        Args:
            inputs: values of the program's inputs.
        """
        state = np.zeros(2**self.qubits, complex)
        state[0] = 1
        for statement in self.statements:
            if isinstance(statement, ast.QuantumGate | ast.QuantumPhase):
                wires = [qubit.indices[0][0].value for qubit in statement.qubits]
                state = self._matrix(statement, dict(inputs), wires, self.qubits) @ state
        return state

    def _matrix(self, call: Any, values: Mapping[str, float], wires: list[int], count: int) -> np.ndarray:
        """What a call does to all qubits."""
        own = len(wires) - sum(isinstance(m, ast.QuantumGateModifier) and _is_control(m) for m in call.modifiers)
        matrix = self._base(call, values, own)
        for modifier in reversed(call.modifiers):
            assert modifier.argument is None
            if modifier.modifier == ast.GateModifierName.inv:
                matrix = matrix.conj().T
            else:
                matrix = _controlled(matrix, on=int(modifier.modifier == ast.GateModifierName.ctrl))
        return _spread(matrix, wires, count)

    def _base(self, call: Any, values: Mapping[str, float], wires: int) -> np.ndarray:
        """What a call does to its own qubits, without modifiers."""
        if isinstance(call, ast.QuantumPhase):
            return np.exp(1j * _number(call.argument, values)) * np.eye(2**wires)
        arguments = [_number(argument, values) for argument in call.arguments]
        if call.name.name in STANDARD:
            return STANDARD[call.name.name](*arguments)
        gate = self.gates[call.name.name]
        inner = {name.name: value for name, value in zip(gate.arguments, arguments, strict=True)}
        places = {qubit.name: place for place, qubit in enumerate(gate.qubits)}
        product = np.eye(2**wires)
        for statement in gate.body:
            own = [places[qubit.name] for qubit in statement.qubits]
            product = self._matrix(statement, inner, own, wires) @ product
        return product


def _is_control(modifier: Any) -> bool:
    return modifier.modifier in (ast.GateModifierName.ctrl, ast.GateModifierName.negctrl)


def _spread(matrix: np.ndarray, wires: list[int], count: int) -> np.ndarray:
    """A matrix on some of the qubits as one on all; qubit 0 is the most significant bit."""
    if not wires:
        return matrix[0, 0] * np.eye(2**count)
    tensor = matrix.reshape([2] * 2 * len(wires))
    identity = np.eye(2**count).reshape([2] * 2 * count)
    moved = np.tensordot(tensor, identity, axes=(range(len(wires), 2 * len(wires)), wires))
    return np.moveaxis(moved, range(len(wires)), wires).reshape(2**count, 2**count)


def _number(expression: Any, values: Mapping[str, float]) -> float:
    match expression:
        case ast.FloatLiteral() | ast.IntegerLiteral():
            return expression.value
        case ast.Identifier():
            return values[expression.name]
        case ast.UnaryExpression():
            return -_number(expression.expression, values)
        case ast.BinaryExpression():
            assert expression.op == ast.BinaryOperator["*"]
            return _number(expression.lhs, values) * _number(expression.rhs, values)
    raise AssertionError(f"no such expression: {expression}")
