"""OpenQASM: a circuit as a program in OpenQASM 3 (https://openqasm.com), for other tools.

Gates of the standard library are called by their names there. Every other gate of the gate table is defined by its
factors, so that a new row needs no words here. What depends on the inputs is an `input` of the program. What the
language has no gate for (channels, prepared states, matrices that are calculated) is left out, and a comment says so.
"""

from __future__ import annotations

from collections.abc import Sequence

from qlayer.circuits.angle_sources import AngleSources
from qlayer.circuits.circuit import Circuit, Operation, Parameter
from qlayer.circuits.gates import GATES
from qlayer.exporting.gate_definitions import definition, is_definable

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
        if operation.name in _NO_GATES or not plain.wires or not is_definable(plain):
            return None
        arrays = tuple(parameter.values for parameter in operation.parameters if parameter.shape)
        key = (operation.name, len(plain.wires), arrays)
        if key not in self._defined:
            self._defined[key] = _gate_name(plain, len(self.definitions) + 1)
            self.definitions.append(definition(self._defined[key], plain))
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
