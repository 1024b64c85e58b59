"""Drawing: a circuit as text, a line for each wire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qlayer.circuits.angle_sources import AngleSources
from qlayer.circuits.circuit import Circuit, Measurement, Operation, Parameter

_SYMBOLS = {"Hadamard": "H", "PauliX": "X", "PauliY": "Y", "PauliZ": "Z", "QubitUnitary": "U"}
_RESULTS = {
    "expval": "<H>",
    "probs": "Probs",
    "state": "State",
    "var": "var[H]",
    "states": "Sample",
    "eigenvalues": "Sample",
    "classical_shadow": "Shadow",
}
_RESULTS_OF_WORDS = {"expval": "<{}>", "var": "var[{}]", "outcomes": "Sample[{}]"}


@dataclass(frozen=True)
class _Column:
    """Texts that stand above each other.

    Args:
        cells: from a wire to its text.
        links: wires that a vertical line crosses.
    """

    cells: dict[int, str]
    links: tuple[int, ...] = ()

    @property
    def wires(self) -> set[int]:
        """All wires that nothing else may use in this column."""
        return {*self.cells, *self.links}


def draw(circuit: Circuit, names: Sequence[str | None]) -> str:
    """A circuit as text.

    Args:
        circuit: the circuit.
        names: for each output of the angle graph, the argument it is; None for one that is calculated, shown as θ.

    Returns:
        As `draw_known`.
    """
    return draw_known(AngleSources(circuit, names))


def draw_known(sources: AngleSources) -> str:
    """A circuit as text, with the values of all angles that are known.

    Args:
        sources: the circuit, and what is known of its angles.

    Returns:
        One line for each wire: its label, its operations from left to right, and what is measured on it.
    """
    circuit = sources.circuit
    labels = [f"{label}: " for label in circuit.wire_labels]
    lines = [label.rjust(max(map(len, labels))) + "──" for label in labels]
    for group in _packed([*_preparation(circuit), *(_operation(o, sources) for o in circuit.operations)]):
        lines = _append(lines, group, "─", "──")
    lines = [line + "┤  " for line in lines]
    for measurement in circuit.measurements:
        lines = _append(lines, [_measurement(measurement, circuit.wire_count)], " ", " ")
    return "\n".join(line.rstrip() for line in lines)


def _packed(columns: list[_Column]) -> list[list[_Column]]:
    """The columns as far to the left as the wires before them allow."""
    groups: list[list[_Column]] = []
    ends: dict[int, int] = {}
    for column in columns:
        place = max((ends.get(wire, 0) for wire in column.wires), default=0)
        if place == len(groups):
            groups.append([])
        groups[place].append(column)
        ends |= dict.fromkeys(column.wires, place + 1)
    return groups


def _append(lines: list[str], group: list[_Column], padding: str, gap: str) -> list[str]:
    """The lines with one more column, as wide as its longest text."""
    cells: dict[int, str] = {}
    for column in group:
        cells |= dict.fromkeys(column.links, "│") | column.cells
    width = max(map(len, cells.values()), default=0)
    return [line + cells.get(wire, "").ljust(width, padding) + gap for wire, line in enumerate(lines)]


def _spanning(cells: dict[int, str]) -> _Column:
    """A column whose texts are joined by a vertical line."""
    first, last = min(cells), max(cells)
    if first == last:
        return _Column(cells)
    marks = dict.fromkeys(cells, "│") | {first: "╭", last: "╰"}
    marked = {wire: ("├" if mark == "│" else mark) + cells[wire] for wire, mark in marks.items()}
    return _Column(marked, tuple(wire for wire in range(first, last) if wire not in cells))


def _preparation(circuit: Circuit) -> list[_Column]:
    found = circuit.preparation
    return [] if found is None else [_spanning(dict.fromkeys(found.wires, "|Ψ⟩"))]


def _operation(operation: Operation, sources: AngleSources) -> _Column:
    angles = [_angle(parameter, sources) for parameter in operation.parameters if not parameter.shape]
    text = _SYMBOLS.get(operation.name, operation.name) + ("†" if operation.is_adjoint else "")
    text += f"({', '.join(angles)})" if angles else ""
    controls, wires = operation.wires[: operation.controls], operation.wires[operation.controls :]
    if not operation.wires:  # a global phase
        return _spanning(dict.fromkeys(range(sources.circuit.wire_count), text))
    return _spanning(dict.fromkeys(controls, "●") | dict.fromkeys(wires, text))


def _angle(parameter: Parameter, sources: AngleSources) -> str:
    """An angle as text: its value, the element of an argument it is, or θ."""
    number = sources.number(parameter)
    return (sources.element(parameter) or "θ") if number is None else f"{number:.3g}"


def _measurement(measurement: Measurement, wire_count: int) -> _Column:
    if not measurement.observable:
        wires = (*measurement.wires, *measurement.other_wires) or sorted(measurement.all_wires) or range(wire_count)
        title = result_name(measurement)
        return _spanning(dict.fromkeys(wires, _RESULTS.get(title, title)))
    return _spanning(_observable(measurement) or {0: _bracket(measurement, "I")})


def result_name(measurement: Measurement) -> str:
    """The kind of a measurement as users know it, without how it is computed."""
    return (
        measurement.kind.removeprefix("sampled_").removeprefix("matrix_").removeprefix("basis_").removeprefix("shadow_")
    )


def _observable(measurement: Measurement) -> dict[int, str]:
    """What is written on each wire of an observable: its Pauli operators, or H for a sum."""
    first, *others = measurement.observable
    if others:
        found = sorted({wire for term in measurement.observable for wire, _ in term.factors})
        return dict.fromkeys(found, _bracket(measurement, "H"))
    product = "@".join(pauli for _, pauli in first.factors)
    is_one = first.coefficient == 1
    return dict.fromkeys((wire for wire, _ in first.factors), _bracket(measurement, product if is_one else "H"))


def _bracket(measurement: Measurement, observable: str) -> str:
    return _RESULTS_OF_WORDS[result_name(measurement)].format(observable)
