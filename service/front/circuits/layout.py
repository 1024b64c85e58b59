"""Layout of a circuit: what is drawn on which wires, in which column, and how the columns are folded into bands."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from service.front.circuits.card import Angle, Label, Measurement, Operation

DRAWN_MAX = 6000
"""Places on wires that one picture has things on; more would help nobody, and cost everybody."""

_SYMBOLS = {
    "Hadamard": "H",
    "PauliX": "X",
    "PauliY": "Y",
    "PauliZ": "Z",
    "Identity": "I",
    "QubitUnitary": "U",
    "PhaseShift": "P",
    "GlobalPhase": "phase",
    "StatePrep": "|ψ⟩",
}
_CONTROLLED_MARKS = {"PauliX": "not", "PauliZ": "dot"}
_MARKS = {"SWAP": "swap"}
_RESULTS = {
    "expval": "⟨{}⟩",
    "var": "Var[{}]",
    "probs": "probs",
    "outcomes": "sample {}",
    "states": "sample",
    "eigenvalues": "sample",
    "density_matrix": "density",
    "classical_shadow": "shadow",
}
_WORD = re.compile(r"([XYZI])\([^()@+*]*\)")
_PARTS_OF_PI = (1, 2, 3, 4, 6, 8, 16)
_WIDEST_CHARS = 26


@dataclass(frozen=True)
class Glyph:
    """One operation or measurement, as it is drawn.

    Args:
        mark: box, not (⊕), dot or swap (a cross): what stands on its targets.
        style: fixed, weights, inputs or measured: what decides its angles, and so its colour.
        title: on the box.
        subtitle: smaller, below the title.
        tooltip: all of it, in words.
        controls: rows of its controls.
        targets: rows of its targets; at least one.
    """

    mark: str
    style: str
    title: str
    subtitle: str
    tooltip: str
    controls: tuple[int, ...]
    targets: tuple[int, ...]

    @property
    def rows(self) -> range:
        """All rows it needs for itself."""
        places = (*self.controls, *self.targets)
        return range(min(places), max(places) + 1)

    @property
    def runs(self) -> list[range]:
        """The targets, neighbours together: each run is one box."""
        runs: list[range] = []
        for row in sorted(self.targets):
            if runs and runs[-1].stop == row:
                runs[-1] = range(runs[-1].start, row + 1)
            else:
                runs.append(range(row, row + 1))
        return runs


Column = list[Glyph]
OnWires = TypeVar("OnWires", Operation, Measurement)


def columns(
    operations: Sequence[Operation], measurements: Sequence[Measurement], wires: Sequence[Label]
) -> list[Column]:
    """The glyphs of a layer, each as far to the left as those before it on its wires allow; measurements last."""
    rows = {wire: row for row, wire in enumerate(wires)}
    drawn = [_operation(found, rows) for found in operations] if rows else []
    measured = [_measurement(found, rows) for found in measurements] if rows else []
    return [*_packed(drawn), *_packed(measured)]


def affordable(found: tuple[OnWires, ...], places: float) -> tuple[OnWires, ...]:
    """The first of some operations or measurements: those that need no more than so many places on wires in all."""
    for index, item in enumerate(found):
        places -= max(1, len(item.wires))
        if places < 0:
            return found[:index]
    return found


def bands(widths: Sequence[float], most: float) -> list[range]:
    """Columns folded into bands that are no wider than `most`, or than their one column.

    Args:
        widths: of the columns.
        most: width of a band.
    """
    folded = [range(0)]
    used = 0.0
    for place, width in enumerate(widths):
        if used + width > most and len(folded[-1]):
            folded.append(range(place, place))
            used = 0.0
        folded[-1] = range(folded[-1].start, place + 1)
        used += width
    return folded


def clipped(text: str, most: int = _WIDEST_CHARS) -> str:
    """Text of at most so many characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _packed(glyphs: Iterable[Glyph]) -> list[Column]:
    packed: list[Column] = []
    ends: dict[int, int] = {}
    for glyph in glyphs:
        place = max(ends.get(row, 0) for row in glyph.rows)
        if place == len(packed):
            packed.append([])
        packed[place].append(glyph)
        ends |= dict.fromkeys(glyph.rows, place + 1)
    return packed


def _operation(operation: Operation, rows: dict[Label, int]) -> Glyph:
    places = tuple(rows[wire] for wire in operation.wires) or tuple(rows.values())
    controls, targets = places[: operation.controls], places[operation.controls :]
    if not targets:  # a card may say so: what has no target is drawn on its controls
        controls, targets = (), places
    dagger = "†" if operation.is_adjoint else ""
    angles = ", ".join(_angle(angle) for angle in operation.angles)
    marks = _MARKS | (_CONTROLLED_MARKS if controls else {})
    return Glyph(
        mark=marks.get(operation.name, "box"),
        style=_style(operation.angles),
        title=clipped(_SYMBOLS.get(operation.name, operation.name) + dagger),
        subtitle=clipped(angles),
        tooltip=_tooltip(operation, dagger),
        controls=controls,
        targets=targets,
    )


def _tooltip(operation: Operation, dagger: str) -> str:
    angles = f"({', '.join(map(str, operation.angles))})" if operation.angles else ""
    controls = operation.wires[: operation.controls]
    controlled = f", controlled by {_listed(controls)}" if controls else ""
    wires = operation.wires[operation.controls :]
    return f"{operation.name}{dagger}{angles} on {_listed(wires) if wires else 'all wires'}{controlled}"


def _listed(wires: Iterable[Label]) -> str:
    return ", ".join(map(str, wires))


def _style(angles: tuple[Angle, ...]) -> str:
    """Text stands for what depends on the inputs, numbers for what was trained or written down."""
    if any(isinstance(angle, str) for angle in angles):
        return "inputs"
    return "weights" if angles else "fixed"


def _angle(angle: Angle) -> str:
    """A fraction of π where it is one, else three digits."""
    if isinstance(angle, str):
        return clipped(angle, 14)
    for part in _PARTS_OF_PI:
        times = round(angle * part / math.pi)
        if times and abs(times) <= 2 * part and math.isclose(angle, times * math.pi / part, rel_tol=1e-6):
            sign, factor = "-" if times < 0 else "", "" if abs(times) == 1 else str(abs(times))
            return f"{sign}{factor}π" + (f"/{part}" if part > 1 else "")
    return f"{angle:.3g}"


def _measurement(measurement: Measurement, rows: dict[Label, int]) -> Glyph:
    observable = measurement.observable
    words = _WORD.findall(observable) if observable and _is_product(observable) else []
    short = "⊗".join(words) or ("H" if observable else "")
    title = _RESULTS[measurement.kind].format(short) if measurement.kind in _RESULTS else measurement.kind
    shots = f"{measurement.shots} shots" if measurement.shots else ""
    details = [text for text in (measurement.kind, observable, shots) if text]
    return Glyph(
        mark="box",
        style="measured",
        title=clipped(title),
        subtitle=shots or clipped(observable if observable and not words else "", 16),
        tooltip=clipped(", ".join(details), 400),
        controls=(),
        targets=tuple(rows[wire] for wire in measurement.wires) or tuple(rows.values()),
    )


def _is_product(observable: str) -> bool:
    """Whether it is Pauli operators, one for each of its wires, and nothing else."""
    return all(_WORD.fullmatch(factor.strip()) for factor in observable.split("@"))
