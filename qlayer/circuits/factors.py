"""Factors: what gates are products of.

There are four kinds, and kernels are chosen by kind, never by a gate's name:

- Phase: diagonal. All angles of gates live in phases.
- Permutation: of basis states.
- Matrix: any other constant.
- Variable: a matrix that is calculated from inputs or weights as a whole, where the user wrote one.

They are closed under inverse, control and complex conjugation, so the inverse or the controlled version of any gate is
a product of factors again, with angles that stay linear. Wire 0 of a factor is the most significant bit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain

import numpy as np


@dataclass(frozen=True)
class Term:
    """`coefficient * angle * parity`, in radians, as a part of a phase.

    Args:
        wires: the parity is +1 where an even number of these wires is 1, and -1 elsewhere; no wires: a global phase.
        coefficient: real factor.
        parameter: index of the gate's parameter that is the angle; None for the angle 1.
    """

    wires: frozenset[int]
    coefficient: float
    parameter: int | None = None


@dataclass(frozen=True)
class Phase:
    """diag(exp(i phi)), with phi the sum of the terms (a phase polynomial)."""

    terms: tuple[Term, ...]

    @property
    def wires(self) -> tuple[int, ...]:
        """The wires it depends on."""
        return tuple(sorted(frozenset[int]().union(*(term.wires for term in self.terms))))

    def inverse(self) -> Phase:
        """The opposite phase."""
        return Phase(tuple(replace(term, coefficient=-term.coefficient) for term in self.terms))

    def conjugate(self) -> Phase:
        """The complex conjugate."""
        return self.inverse()

    def controlled(self, control: int) -> tuple[Factor, ...]:
        """The same phase where the control is 1: each term times (1 - parity of the control) / 2."""
        halves = [replace(term, coefficient=term.coefficient / 2) for term in self.terms]
        crossed = [Term(half.wires ^ {control}, -half.coefficient, half.parameter) for half in halves]
        return (Phase((*halves, *crossed)),)

    def on(self, wires: tuple[int, ...], parameters: tuple[int, ...]) -> Phase:
        """The same factor with its wires and parameters renamed by position."""
        return Phase(
            tuple(
                Term(
                    frozenset(wires[wire] for wire in term.wires),
                    term.coefficient,
                    None if term.parameter is None else parameters[term.parameter],
                )
                for term in self.terms
            )
        )


@dataclass(frozen=True)
class Permutation:
    """Basis state j of the wires becomes basis state table[j]; the table has 2 ** len(wires) entries."""

    wires: tuple[int, ...]
    table: tuple[int, ...]

    def inverse(self) -> Permutation:
        """The permutation that undoes it."""
        return Permutation(self.wires, tuple(int(j) for j in np.argsort(self.table)))

    def conjugate(self) -> Permutation:
        """Itself, because it is real."""
        return self

    def controlled(self, control: int) -> tuple[Factor, ...]:
        """The same permutation where the control is 1."""
        size = len(self.table)
        return (Permutation((control, *self.wires), (*range(size), *(size + j for j in self.table))),)

    def on(self, wires: tuple[int, ...], _parameters: tuple[int, ...]) -> Permutation:
        """The same factor with its wires renamed by position."""
        return Permutation(tuple(wires[wire] for wire in self.wires), self.table)


@dataclass(frozen=True, eq=False)
class Matrix:
    """A constant of shape (2 ** len(wires), 2 ** len(wires))."""

    wires: tuple[int, ...]
    matrix: np.ndarray

    def inverse(self) -> Matrix:
        """The conjugate transpose."""
        return Matrix(self.wires, self.matrix.conj().T)

    def conjugate(self) -> Matrix:
        """The complex conjugate."""
        return Matrix(self.wires, self.matrix.conj())

    def controlled(self, control: int) -> tuple[Factor, ...]:
        """The same matrix where the control is 1: on one wire a phase in its eigenbasis, on more a larger matrix."""
        if len(self.wires) > 1:
            size = len(self.matrix)
            zeros = np.zeros((size, size))
            return (Matrix((control, *self.wires), np.block([[np.eye(size), zeros], [zeros, self.matrix]])),)
        eigenvalues, basis = _eigenbasis(self.matrix)
        (phase,) = diagonal(self.wires, tuple(np.angle(eigenvalues))).controlled(control)
        return Matrix(self.wires, basis.conj().T), phase, Matrix(self.wires, basis)

    def on(self, wires: tuple[int, ...], _parameters: tuple[int, ...]) -> Matrix:
        """The same factor with its wires renamed by position."""
        return Matrix(tuple(wires[wire] for wire in self.wires), self.matrix)


@dataclass(frozen=True)
class Variable:
    """A unitary of shape (2 ** k, 2 ** k) that is a parameter of the gate.

    Args:
        wires: the controls first, then the k wires of the unitary.
        parameter: index of the gate's parameter that holds the matrix.
        controls: how many wires control it.
        is_adjoint: whether its conjugate transpose is meant.
        is_conjugate: whether its complex conjugate is meant (of the transpose, if both are).
    """

    wires: tuple[int, ...]
    parameter: int
    controls: int = 0
    is_adjoint: bool = False
    is_conjugate: bool = False

    def inverse(self) -> Variable:
        """The conjugate transpose."""
        return replace(self, is_adjoint=not self.is_adjoint)

    def conjugate(self) -> Variable:
        """The complex conjugate."""
        return replace(self, is_conjugate=not self.is_conjugate)

    def controlled(self, control: int) -> tuple[Factor, ...]:
        """The same unitary where one more wire is 1."""
        return (replace(self, wires=(control, *self.wires), controls=self.controls + 1),)

    def on(self, wires: tuple[int, ...], parameters: tuple[int, ...]) -> Variable:
        """The same factor with its wires and parameter renamed by position."""
        return replace(self, wires=tuple(wires[wire] for wire in self.wires), parameter=parameters[self.parameter])


Factor = Phase | Permutation | Matrix | Variable


def diagonal(wires: tuple[int, ...], angles: tuple[float, ...], parameter: int | None = None) -> Phase:
    """The phase with a given angle for each basis state, by a Walsh-Hadamard transform.

    Args:
        wires: k wires.
        angles: 2 ** k angles in radians, or multiples of the parameter where one is named.
        parameter: index of the gate's parameter that the angles are multiples of.
    """
    coefficients = np.asarray(angles, dtype=float)
    for axis in range(len(wires)):
        pairs = np.moveaxis(coefficients.reshape((2,) * len(wires)), axis, 0)
        coefficients = np.moveaxis(np.stack([pairs[0] + pairs[1], pairs[0] - pairs[1]]) / 2, 0, axis)
    return Phase(
        tuple(
            Term(frozenset(wire for wire, bit in zip(wires, bits, strict=True) if bit), float(coefficient), parameter)
            for bits, coefficient in np.ndenumerate(coefficients)
            if coefficient
        )
    )


def inverse(factors: tuple[Factor, ...]) -> tuple[Factor, ...]:
    """The factors of the inverse, in order of application."""
    return tuple(factor.inverse() for factor in reversed(factors))


def controlled(factors: tuple[Factor, ...], control: int) -> tuple[Factor, ...]:
    """The factors of the controlled product; a change of basis around it needs no control."""
    if len(factors) > 1 and _undoes(factors[-1], factors[0]):
        return factors[0], *controlled(factors[1:-1], control), factors[-1]
    return tuple(chain.from_iterable(factor.controlled(control) for factor in factors))


def _undoes(last: Factor, first: Factor) -> bool:
    match last, first:
        case Matrix(), Matrix():
            return last.wires == first.wires and np.allclose(last.matrix @ first.matrix, np.eye(len(first.matrix)))
        case Permutation(), Permutation():
            return last == first.inverse()
    return False


def _eigenbasis(unitary: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues of a 2 x 2 unitary and an orthonormal basis of eigenvectors, as columns."""
    centred = unitary - np.trace(unitary) / 2 * np.eye(2)
    scale = np.sqrt(np.linalg.det(centred) + 0j)  # centred = scale * (a Hermitian matrix) * i
    if np.abs(scale) < 1e-12:  # noqa: PLR2004 - a multiple of the identity up to rounding
        return np.diag(unitary), np.eye(2)
    basis = np.linalg.eigh(1j * centred / scale)[1]
    return np.diag(basis.conj().T @ unitary @ basis), basis
