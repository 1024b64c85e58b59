"""OpenQASM: a circuit as a program in OpenQASM 3 (https://openqasm.com), for other tools.

Gates of the standard library are called by their names there. Every other gate of the gate table is defined by its
factors, so that a new row needs no words here. What depends on the inputs is an `input` of the program. What the
language has no gate for (larger matrices, channels, prepared states) is left out, and a comment says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from qlayer.angle_sources import AngleSources
from qlayer.circuit import Circuit, Operation, Parameter
from qlayer.factors import Factor, Matrix, Permutation, Phase, Term, Variable
from qlayer.gates import GATES, factors_of

MARK = "// not in OpenQASM: "

# by name, number of controls, whether it is the adjoint
_STANDARD = {
    ("PauliX", 0, False): "x",
    ("PauliX", 1, False): "cx",
    ("PauliX", 2, False): "ccx",
    ("PauliY", 0, False): "y",
    ("PauliY", 1, False): "cy",
    ("PauliZ", 0, False): "z",
    ("PauliZ", 1, False): "cz",
    ("Hadamard", 0, False): "h",
    ("Hadamard", 1, False): "ch",
    ("S", 0, False): "s",
    ("S", 0, True): "sdg",
    ("T", 0, False): "t",
    ("T", 0, True): "tdg",
    ("SX", 0, False): "sx",
    ("RX", 0, False): "rx",
    ("RX", 1, False): "crx",
    ("RY", 0, False): "ry",
    ("RY", 1, False): "cry",
    ("RZ", 0, False): "rz",
    ("RZ", 1, False): "crz",
    ("PhaseShift", 0, False): "p",
    ("PhaseShift", 1, False): "cp",
    ("U1", 0, False): "p",
    ("SWAP", 0, False): "swap",
    ("SWAP", 1, False): "cswap",
    ("GlobalPhase", 0, False): "gphase",
}
_NEGATED = ("GlobalPhase",)  # exp(-i angle), where OpenQASM has exp(i angle)
_NO_GATES = ("Channel", "Projection")
_ZERO = 1e-12

_HADAMARD = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
_BASES = {"rx": _HADAMARD, "ry": _HADAMARD @ np.diag([1, -1j])}  # in which a rotation is one about Z


def openqasm(sources: AngleSources, comments: Sequence[str], *, is_measured: bool) -> str:
    """A circuit as a program in OpenQASM 3.

    Args:
        sources: the circuit, and what is known of its angles.
        comments: what is measured, a line for each result.
        is_measured: whether the program ends with a measurement of all wires in the computational basis.

    Returns:
        The program. Wire i of the circuit is qubit i.
    """
    program = _Program(sources)
    circuit = sources.circuit
    statements = [*_preparation(circuit), *(program.statement(operation) for operation in circuit.operations)]
    measured = [f"bit[{circuit.wire_count}] c;", "c = measure q;"] if is_measured else []
    lines = [
        "OPENQASM 3.0;",
        'include "stdgates.inc";',
        *(f"input float[64] {name};{comment}" for name, comment in program.inputs.items()),
        *program.definitions,
        *([f"qubit[{circuit.wire_count}] q;"] if circuit.wire_count else []),
        *statements,
        *(f"// {comment}" for comment in comments),
        *measured,
    ]
    return "\n".join(lines) + "\n"


class _Program:
    """What a program declares. Mutable: its inputs and gate definitions grow with every statement.

    Args:
        sources: the circuit, and what is known of its angles.
    """

    def __init__(self, sources: AngleSources) -> None:
        self.inputs: dict[str, str] = {}  # from the name to a comment
        self.definitions: list[str] = []
        self._defined: dict[object, str] = {}  # from what was defined to its name
        self._sources = sources

    def statement(self, operation: Operation) -> str:
        """An operation as a statement, or as a comment that says that there is none."""
        if (standard := _standard(operation)) is not None:
            return self._call(standard, "", operation)
        modifiers = "ctrl @ " * operation.controls + "inv @ " * operation.is_adjoint
        name = _standard(_plain(operation)) or self._gate(operation)
        if name is None:
            return f"{MARK}{operation.name} on {_qubits(operation.wires)}"
        return self._call(name, modifiers, operation)

    def _call(self, name: str, modifiers: str, operation: Operation) -> str:
        sign = -1 if operation.name in _NEGATED else 1
        angles = [self._angle(parameter, sign) for parameter in operation.parameters if not parameter.shape]
        arguments = f"({', '.join(angles)})" if angles else ""
        qubits = f" {_qubits(operation.wires)}" if operation.wires else ""
        return f"{modifiers}{name}{arguments}{qubits};"

    def _angle(self, parameter: Parameter, sign: int) -> str:
        """An angle as an expression; one that is not known becomes an input of the program."""
        number = self._sources.number(parameter)
        if number is not None:
            return repr(sign * number)
        text = self._sources.text(parameter)
        name = text.replace("θ", "theta_").replace("[", "_").replace(", ", "_").replace("]", "")
        is_calculated = self._sources.element(parameter) is None
        self.inputs[name] = "  // calculated from the inputs of the layer" if is_calculated else f"  // {text}"
        return "-" * (sign < 0) + name

    def _gate(self, operation: Operation) -> str | None:
        """The name of a gate that the program defines; None where OpenQASM cannot say what it does."""
        plain = _plain(operation)
        if operation.name in _NO_GATES or not plain.wires or not all(map(_has_gates, factors_of(plain))):
            return None
        arrays = tuple(parameter.values for parameter in operation.parameters if parameter.shape)
        key = (operation.name, len(plain.wires), arrays)
        if key not in self._defined:
            self._defined[key] = _gate_name(plain, len(self.definitions) + 1)
            self.definitions.append(_definition(self._defined[key], plain))
        return self._defined[key]


def _standard(operation: Operation) -> str | None:
    return _STANDARD.get((operation.name, operation.controls, operation.is_adjoint))


def _plain(operation: Operation) -> Operation:
    """The operation without its controls and its inverse, on the first wires."""
    return Operation(operation.name, tuple(range(len(operation.wires) - operation.controls)), operation.parameters)


def _gate_name(operation: Operation, number: int) -> str:
    """A name that says what differs between gates of the same row: how many wires, or which matrix."""
    if operation.name not in GATES:
        return f"{operation.name}_{number}"
    return operation.name if GATES[operation.name].wires else f"{operation.name}_{len(operation.wires)}"


def _qubits(wires: Sequence[int]) -> str:
    return ", ".join(f"q[{wire}]" for wire in wires)


def _preparation(circuit: Circuit) -> list[str]:
    if circuit.preparation is None:
        return []
    return [f"{MARK}the prepared state of {_qubits(circuit.preparation.wires)}"]


# -------------------------------------------------------------------------------------------------- gate definitions


def _has_gates(factor: Factor) -> bool:
    """Whether a factor is a product of gates that are known here."""
    return not isinstance(factor, Variable) and not (isinstance(factor, Matrix) and len(factor.wires) > 1)


def _definition(name: str, operation: Operation) -> str:
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
                yield from _transposition(factor.wires, first, second)
        case Matrix():
            yield from _rotations(factor.matrix, f"q{factor.wires[0]}")


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


def _transposition(wires: Sequence[int], first: int, second: int) -> Iterator[str]:
    """Swap two basis states: along a path that flips a bit at a time, there and back."""
    places = [place for place in range(len(wires)) if (first ^ second) >> (len(wires) - 1 - place) & 1]
    path = [first]
    for place in places:
        path.append(path[-1] ^ 1 << (len(wires) - 1 - place))
    there = [_flip(wires, place, state) for place, state in zip(places, path, strict=False)]
    yield from there
    yield from reversed(there[:-1])


def _flip(wires: Sequence[int], place: int, state: int) -> str:
    """Flip the bit of a basis state at a place where all other bits are those of the state."""
    others = [other for other in range(len(wires)) if other != place]
    bits = [state >> (len(wires) - 1 - other) & 1 for other in others]
    modifiers = "".join("ctrl @ " if bit else "negctrl @ " for bit in bits)
    return f"{modifiers}x {', '.join(f'q{wires[wire]}' for wire in (*others, place))}"


def _rotations(matrix: np.ndarray, qubit: str) -> Iterator[str]:
    """A unitary of one wire as exp(i phase) RZ RY RZ."""
    if np.allclose(matrix, _HADAMARD):
        yield f"h {qubit}"
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
