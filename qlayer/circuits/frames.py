"""Frames: Hadamards carried through what follows them, until they meet others.

RX is a phase between two Hadamards. Where only entanglers stand between the rotations of one layer and the next, as in
BasicEntanglerLayers, the Hadamards behind the one and in front of the other cancel: between Hadamards a CNOT is a CNOT
with its wires exchanged, one behind a Hadamard on its target a CZ. What is left of all layers is one phase polynomial
and one permutation, between Hadamards at the beginning and at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache, reduce
from itertools import combinations

import numpy as np

from qlayer.circuits.factors import Factor, Matrix, Permutation, Phase, Term, diagonal
from qlayer.circuits.gates import HADAMARD
from qlayer.circuits.hadamards import is_hadamard
from qlayer.circuits.slots import Slot

Slotted = tuple[Factor, tuple[Slot, ...]]
"""A factor and the slots of its gate."""

# Hadamards are carried through factors of up to so many wires, whose matrices are small enough to try all ways.
_MAX_WIRES = 4
_ROUNDING = 1e-12


def hadamards_carried(factors: Iterable[Slotted]) -> Iterator[Slotted]:
    """The same circuit with each Hadamard carried as far as it stays one, those that meet being left out."""
    carried: set[int] = set()  # the wires that stand behind a Hadamard which is yet to be placed
    for factor, slots in factors:
        if _is_hadamard(factor):
            carried ^= set(factor.wires)
            continue
        met = tuple(wire for wire in factor.wires if wire in carried)
        through, passed = _passed(factor, met) if met else (met, (factor,))
        for wire in met:
            if wire not in through:
                yield _hadamard(wire)
                carried.remove(wire)
        yield from ((part, slots) for part in passed)
    yield from map(_hadamard, sorted(carried))


def _is_hadamard(factor: Factor) -> bool:
    return isinstance(factor, Matrix) and is_hadamard(factor.matrix)


def _hadamard(wire: int) -> Slotted:
    return Matrix((wire,), HADAMARD), ()


def _passed(factor: Factor, wires: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[Factor, ...]]:
    """What a factor is in front of Hadamards on as many of some wires as can be: those wires, and its factors there."""
    has_angles = isinstance(factor, Phase) and any(term.parameter is not None for term in factor.terms)
    if has_angles or not isinstance(factor, Permutation | Phase) or len(factor.wires) > _MAX_WIRES:
        return (), (factor,)
    places, parts = _between_hadamards(_on_first_wires(factor), tuple(map(factor.wires.index, wires)))
    if not places:  # the factor itself, not a copy
        return (), (factor,)
    return tuple(factor.wires[place] for place in places), tuple(part.on(factor.wires, ()) for part in parts)


def _on_first_wires(factor: Permutation | Phase) -> Permutation | Phase:
    """The same factor on the wires 0, 1, ..."""
    if isinstance(factor, Permutation):
        return Permutation(tuple(range(len(factor.wires))), factor.table)
    place = factor.wires.index
    return Phase(tuple(Term(frozenset(map(place, term.wires)), term.coefficient) for term in factor.terms))


@lru_cache(maxsize=256)
def _between_hadamards(
    factor: Permutation | Phase, wires: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[Permutation | Phase, ...]]:
    """A constant factor between Hadamards on as many of some wires as leave it a diagonal and a permutation."""
    matrix, count = _matrix(factor), len(factor.wires)
    for size in range(len(wires), 0, -1):
        for chosen in combinations(wires, size):
            hadamards = reduce(np.kron, (HADAMARD if wire in chosen else np.eye(2) for wire in range(count)))
            parts = _diagonal_and_permutation(hadamards @ matrix @ hadamards)
            if parts is not None:
                return chosen, parts
    return (), (factor,)


def _matrix(factor: Permutation | Phase) -> np.ndarray:
    """The matrix of a constant factor on the wires 0, 1, ..."""
    count = len(factor.wires)
    if isinstance(factor, Permutation):
        return np.eye(2**count)[np.argsort(factor.table)]
    bits = np.arange(2**count)[:, np.newaxis] >> np.arange(count)[::-1] & 1
    phase = sum(term.coefficient * (-1.0) ** bits[:, list(term.wires)].sum(axis=1) for term in factor.terms)
    return np.diag(np.exp(1j * phase))


def _diagonal_and_permutation(matrix: np.ndarray) -> tuple[Permutation | Phase, ...] | None:
    """A unitary matrix as a diagonal, then a permutation; None where it has more than one number in a column."""
    states = np.arange(len(matrix))
    table = np.argmax(np.abs(matrix), axis=0)
    numbers = matrix[table, states]
    alone = np.zeros_like(matrix)
    alone[table, states] = numbers
    if np.abs(matrix - alone).max() > _ROUNDING:
        return None
    wires = tuple(range(len(matrix).bit_length() - 1))
    parts: list[Permutation | Phase] = []
    angles = np.angle(numbers)
    for exact in (0, np.pi, -np.pi):
        angles[np.abs(angles - exact) < _ROUNDING] = abs(exact)
    if angles.any():
        parts.append(diagonal(wires, tuple(angles.tolist())))
    if not np.array_equal(table, states):
        parts.append(Permutation(wires, tuple(table.tolist())))
    return tuple(parts)
