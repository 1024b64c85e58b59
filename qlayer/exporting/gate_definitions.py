"""Gate definitions of OpenQASM 3: an operation as a gate whose body are gates of the standard library.

The body comes from the factors of the operation: phases become rotations about Z of parities, permutations and matrices
become controlled gates that act on two basis states at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from qlayer.circuits.circuit import Operation
from qlayer.circuits.factors import Factor, Matrix, Permutation, Phase, Term, Variable
from qlayer.circuits.gates import HADAMARD, factors_of

_ZERO = 1e-12
_MATRIX_WIRES_MAX = 4  # a matrix of k wires is up to 4 ** k controlled rotations

_X = np.array([[0, 1], [1, 0]])
_KNOWN = {"h": HADAMARD, "x": _X}
_BASES = {"rx": HADAMARD, "ry": HADAMARD @ np.diag([1, -1j])}  # in which a rotation is one about Z


def is_definable(operation: Operation) -> bool:
    """Whether all factors of an operation are products of gates that are known here."""
    return all(map(_has_gates, factors_of(operation)))


def _has_gates(factor: Factor) -> bool:
    """Whether a factor is a product of gates that are known here, and not of too many of them."""
    is_large = isinstance(factor, Matrix) and len(factor.wires) > _MATRIX_WIRES_MAX
    return not isinstance(factor, Variable) and not is_large


def definition(name: str, operation: Operation) -> str:
    """The definition of a gate, `gate name(a0, ...) q0, ... { ... }`.

    Args:
        name: the name it gets.
        operation: an operation without controls that is not inverted; its scalar parameters are the gate's angles.
    """
    angles = [f"a{place}" for place, parameter in enumerate(operation.parameters) if not parameter.shape]
    arguments = f"({', '.join(angles)})" if angles else ""
    body = " ".join(f"{statement};" for statement in _all_statements(factors_of(operation)))
    return f"gate {name}{arguments} {', '.join(f'q{wire}' for wire in operation.wires)} {{ {body} }}"


def _all_statements(factors: Sequence[Factor]) -> Iterator[str]:
    place = 0
    while place < len(factors):
        if rotation := _rotation(factors[place : place + 3]):
            yield rotation
            place += 3
        else:
            yield from _statements(factors[place])
            place += 1


def _rotation(factors: Sequence[Factor]) -> str | None:
    """A rotation about X or Y, which the gate table writes as one about Z in another basis; None for all else."""
    match factors:
        case Matrix() as first, Phase(terms=(Term() as term,)), Matrix() as last:
            bases = [name for name, basis in _BASES.items() if np.allclose(first.matrix, basis)]
            is_undone = np.allclose(first.matrix @ last.matrix, np.eye(2))
            if bases and is_undone and term.wires == set(first.wires) == set(last.wires):
                return f"{bases[0]}({_multiple(-2 * term.coefficient, term.parameter)}) q{first.wires[0]}"
    return None


def _statements(factor: Factor) -> Iterator[str]:
    match factor:
        case Phase():
            for term in factor.terms:
                yield from _term(term)
        case Permutation():
            for first, second in _transpositions(factor.table):
                yield from _two_level(factor.wires, first, second, _X)
        case Matrix():
            yield from _unitary(factor.matrix, factor.wires)


def _term(term: Term) -> Iterator[str]:
    """exp(i angle parity): a rotation about Z of the last wire, to which the parity of all wires was brought."""
    if not term.wires:
        yield f"gphase({_multiple(term.coefficient, term.parameter)})"
        return
    *others, last = sorted(term.wires)
    parity = [f"cx q{other}, q{last}" for other in others]
    yield from parity
    yield f"rz({_multiple(-2 * term.coefficient, term.parameter)}) q{last}"
    yield from reversed(parity)


def _multiple(coefficient: float, parameter: int | None) -> str:
    factor = float(coefficient)
    if parameter is None:
        return repr(factor)
    signs = {1.0: "", -1.0: "-"}
    return f"{signs[factor]}a{parameter}" if factor in signs else f"{factor!r} * a{parameter}"


def _transpositions(table: Sequence[int]) -> Iterator[tuple[int, int]]:
    """A permutation as swaps of two basis states, in order of application: each cycle by swaps with its first state."""
    waiting = set(range(len(table)))
    while waiting:
        first = min(waiting)
        state = table[first]
        waiting.remove(first)
        while state != first:
            yield first, state
            waiting.remove(state)
            state = table[state]


def _on_states(wires: Sequence[int], place: int, state: int, gate: str) -> str:
    """A gate on the wire at a place where the bits of all other wires are those of a basis state.

    A phase is one of the state itself and of its neighbour: it has no wire of its own.
    """
    others = [other for other in range(len(wires)) if other != place]
    bits = [state >> (len(wires) - 1 - other) & 1 for other in others]
    modifiers = "".join("ctrl @ " if bit else "negctrl @ " for bit in bits)
    targets = others if gate.startswith("gphase") else [*others, place]
    return f"{modifiers}{gate} {', '.join(f'q{wires[target]}' for target in targets)}"


def _unitary(matrix: np.ndarray, wires: Sequence[int]) -> Iterator[str]:
    """A unitary as unitaries of two basis states at a time (Reck et al. 1994) and phases; of one wire, as rotations."""
    if len(wires) == 1:
        yield from _rotations(matrix, f"q{wires[0]}")
        return
    steps, rest = [], matrix.astype(complex)
    for column in range(len(matrix)):
        for row in range(len(matrix) - 1, column, -1):
            if abs(rest[row, column]) > _ZERO:
                rotation = _to_zero(rest[column, column], rest[row, column])
                rest[[column, row]] = rotation @ rest[[column, row]]
                steps.append((column, row, rotation.conj().T))
    last = len(matrix) - 1
    phases = [(last, state, np.diag([1, rest[state, state]])) for state in range(last)]
    phases.append((last - 1, last, np.diag([1, rest[last, last]])))
    for first, second, small in (*phases, *reversed(steps)):
        yield from _two_level(wires, first, second, small)


def _to_zero(kept: complex, removed: complex) -> np.ndarray:
    """The unitary that brings (kept, removed) to (norm, 0)."""
    norm = np.hypot(abs(kept), abs(removed))
    return np.array([[np.conj(kept), np.conj(removed)], [-removed, kept]]) / norm


def _two_level(wires: Sequence[int], first: int, second: int, matrix: np.ndarray) -> Iterator[str]:
    """A unitary of two basis states: brought to states that differ in one bit, then a controlled gate on that bit."""
    if np.allclose(matrix, np.eye(2), atol=_ZERO):
        return
    places = [place for place in range(len(wires)) if (first ^ second) >> (len(wires) - 1 - place) & 1]
    *moved, last = places
    path = [first]
    for place in moved:
        path.append(path[-1] ^ 1 << (len(wires) - 1 - place))
    there = [_on_states(wires, place, state, "x") for place, state in zip(moved, path, strict=False)]
    is_flipped = path[-1] >> (len(wires) - 1 - last) & 1  # then the bit of the first state is 1
    turned = matrix[::-1, ::-1] if is_flipped else matrix
    yield from there
    for gate in _rotations(turned, ""):
        yield _on_states(wires, last, path[-1], gate.strip())
    yield from reversed(there)


def _rotations(matrix: np.ndarray, qubit: str) -> Iterator[str]:
    """A unitary of one wire as exp(i phase) RZ RY RZ."""
    for name, known in _KNOWN.items():
        if np.allclose(matrix, known):
            yield f"{name} {qubit}"
            return
    phase = np.angle(np.linalg.det(matrix)) / 2
    special = matrix * np.exp(-1j * phase)
    total, difference = 2 * np.angle(special[1, 1]), 2 * np.angle(special[1, 0])
    angle = 2 * np.arctan2(abs(special[1, 0]), abs(special[1, 1]))
    for name, value in (("rz", (total - difference) / 2), ("ry", angle), ("rz", (total + difference) / 2)):
        if abs(value) > _ZERO:
            yield f"{name}({float(value)!r}) {qubit}"
    if abs(phase) > _ZERO:
        yield f"gphase({float(phase)!r})"
