"""Rows of the table of operations, and what their examples have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pennylane as qml

FORMS = ("plain", "adjoint", "controlled")
PLAIN = ("plain",)
ALL = (0, 1, 2, 3)
UNCONTROLLED = ("plain", "adjoint")


@dataclass(frozen=True)
class Row:
    """An example of an operation.

    Args:
        body: queues the operation, from inputs and weights.
        wires: how many wires there are.
        clean: wires that are in 0 before; all others are in a state of their own.
        forms: in which of its forms default.qubit takes it.
        gradient: whether PennyLane differentiates it.
        refused: the reason in the error, where it cannot be compiled.
        device: the device it is compiled for.
        host: what runs it, on the host, where it is no operation on qubits.
        remark: what a user should know.
    """

    body: Callable[[Any, Any], Any]
    wires: int = 4
    clean: tuple[int, ...] = ()
    forms: tuple[str, ...] = FORMS
    gradient: bool = True
    refused: str = ""
    device: str = "default.qubit"
    host: str = ""
    remark: str = ""


HERMITIAN = np.array([[1.0, 2 - 1j], [2 + 1j, -0.5]])
UNITARY = np.linalg.qr(np.arange(16).reshape(4, 4) + 3j * np.eye(4))[0]
ORTHOGONAL = np.linalg.qr(np.arange(9).reshape(3, 3) + np.eye(3))[0]
STATE = np.array([1, 2j, -3, 4]) / np.sqrt(30)
REAL_STATE = np.array([1, 2, -3, 4]) / np.sqrt(30)
SPARSE = (qml.X(0) @ qml.Z(1) + 0.4 * qml.Y(1)).sparse_matrix([0, 1])
MPS_SITES = [
    np.array([[0.0, 0.107], [0.994, 0.0]]),
    np.array([[[0.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 0.0]]]),
    np.array([[-1.0, -0.0], [-0.0, -1.0]]),
]


def hamiltonian() -> Any:
    """A sum of words that do not commute."""
    return qml.Hamiltonian([0.5, 0.3], [qml.X(0) @ qml.Z(1), qml.Y(1)])


def block(weights: Any, wires: Any) -> None:
    """A block of a tensor network."""
    qml.CNOT(wires=wires)
    qml.RY(weights[0], wires=wires[0])
    qml.RY(weights[1], wires=wires[1])


def rotation(angle: Any) -> Any:
    """RY as a matrix, of a number or of a traced array."""
    cos, sin = qml.math.cos(angle / 2), qml.math.sin(angle / 2)
    return qml.math.reshape(qml.math.stack([cos, -sin, sin, cos]), (2, 2))


def phases(angles: Any) -> Any:
    """Complex numbers of norm 1."""
    return qml.math.exp(1j * qml.math.cast(angles, complex))


def normalized(values: Any) -> Any:
    """Real amplitudes of norm 1."""
    return values / qml.math.sqrt(qml.math.sum(values**2))


def first_order(time: Any, angle: Any, wires: Any) -> None:
    """What a TrotterizedQfunc repeats."""
    qml.RX(time * angle, wires[0])
    qml.CNOT(wires)


@qml.templates.Subroutine
def subroutine(angle: Any, wires: Any) -> None:
    """A user's subroutine."""
    qml.RX(angle, wires[0])
    qml.CNOT(wires)


def measured(function: Callable[[Any, Any], Any]) -> Row:
    """An observable, by its expectation value."""
    return Row(function, forms=PLAIN)


def gate(name: str, angles: int, wires: int) -> Row:
    """A gate of the first inputs on the first wires, the last angle being a weight."""

    def body(x: Any, w: Any) -> None:
        getattr(qml, name)(*[x[0], x[1] * w[1], w[0]][3 - angles :], wires=range(wires))

    return Row(body, wires=max(wires, 2))
