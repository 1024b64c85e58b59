"""Eigenbasis: exponentials and powers as diagonals where they are diagonal, so that their angle may be calculated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pennylane as qml
import scipy.linalg
import tensorflow as tf

from qlayer.angles.substitutes import matrix_exponential
from qlayer.angles.traced import Traced
from qlayer.errors import UnsupportedError
from qlayer.recording.observation import summands


@dataclass(frozen=True)
class Evolution:
    """exp(-1j * angle * energies) in a basis.

    Args:
        angle: a number, or one that is calculated.
        energies: shape (2 ** k,).
        basis: the eigenvectors as columns, shape (2 ** k, 2 ** k).
    """

    angle: Any
    energies: np.ndarray
    basis: np.ndarray


def is_calculated(operator: Any) -> bool:
    """Whether a parameter of an operator is calculated from inputs or weights."""
    return any(isinstance(value, Traced | tf.Tensor) for value in tf.nest.flatten(operator.parameters))


def is_calculated_sum(observable: Any) -> bool:
    """Whether an observable has several terms and calculated coefficients, so that its eigenbasis is not known."""
    return is_calculated(observable) and len(summands(observable)) > 1


def exponential(operator: Any, culprit: str) -> Evolution:
    """exp(coefficient * base) with a constant Hermitian base.

    Raises:
        UnsupportedError: if it is not unitary.
    """
    base = qml.matrix(operator.base, wire_order=operator.wires)
    if not _is_imaginary(operator.coeff) or not np.allclose(base, base.conj().T):
        raise _not_unitary(culprit)
    energies, basis = np.linalg.eigh(base)
    return Evolution(-qml.math.imag(operator.coeff), energies, basis)


def calculated_exponential(operator: Any, culprit: str) -> Any:
    """The matrix of exp(coefficient * base) where coefficients of the base's terms are calculated.

    Raises:
        UnsupportedError: if the coefficient in front of all is not imaginary.
    """
    if not _is_imaginary(operator.coeff):
        raise _not_unitary(culprit)
    generator = sum(
        qml.math.cast(coefficient, "complex128") * qml.matrix(term, wire_order=operator.wires)
        for coefficient, term in summands(operator.base)
    )
    return Traced(matrix_exponential((qml.math.cast(operator.coeff, "complex128") * generator).tensor))


def power(operator: Any) -> Evolution:
    """A constant unitary to the power of a number, of the principal branch: -1 is exp(1j * pi)."""
    triangle, basis = scipy.linalg.schur(qml.matrix(operator.base, wire_order=operator.wires), output="complex")
    phases = np.angle(np.diag(triangle))  # the triangle of a unitary is a diagonal
    return Evolution(-operator.z, np.where(np.isclose(phases, -np.pi), np.pi, phases), basis)


def _is_imaginary(coefficient: Any) -> bool:
    """Whether a coefficient can be imaginary: of one that is calculated, only the data type is known."""
    if isinstance(coefficient, Traced | tf.Tensor):
        return bool(coefficient.dtype.is_complex)
    return bool(np.isclose(np.real(coefficient), 0))


def _not_unitary(culprit: str) -> UnsupportedError:
    return UnsupportedError(
        f"{culprit} is not unitary: the exponent must be an imaginary multiple of a Hermitian operator."
    )
