"""The circuit card: what the quantum circuits of an exported model are, read from assets.extra/circuit.json.

The card is the uploader's data. It is read under limits into records of our own, and whatever is answered is made
from these: nothing of it is passed on as it came. docs/circuit-card.schema.json says what is in it. A card of a newer
format is read as far as it is understood; one of a format we know must be right.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from service.engine.members import CARD, CARD_MAX_BYTES
from service.errors import CircuitNotFound, InvalidJson
from service.front.codecs.json_text import excerpt, parse_object

FORMAT = 1
"""The newest format that is understood in full."""

_LAYERS_MAX = 100
_WIRES_MAX = 200
_OPERATIONS_MAX = 50_000
_ITEMS_MAX = 1000  # of everything else that is a list
_NAME_MAX_CHARS = 1000
_TEXT_MAX_CHARS = 8 * 1024 * 1024
_INT64 = -(2**63), 2**63 - 1
_CARDS_KEPT = 4  # one of the largest is a hundred megabytes of records

Label = int | str
Angle = float | str
T = TypeVar("T")


@dataclass(frozen=True)
class Operation:
    """A gate: its wires, the controls first; its angles in radians, or as text that says where they come from."""

    name: str
    wires: tuple[Label, ...]
    angles: tuple[Angle, ...]
    controls: int
    is_adjoint: bool


@dataclass(frozen=True)
class Measurement:
    """What is measured on which wires (all, if there are none), and how often it is drawn (None: exact)."""

    kind: str
    wires: tuple[Label, ...]
    observable: str | None
    shots: int | None


@dataclass(frozen=True)
class Layer:
    """A quantum layer; see the schema."""

    name: str
    wires: tuple[Label, ...]
    operations: tuple[Operation, ...]
    measurements: tuple[Measurement, ...]
    depth: int
    gate_counts: Mapping[str, int]
    parameters: int
    output_shape: tuple[int, ...]
    openqasm: str
    text: str


@dataclass(frozen=True)
class Card:
    """A circuit card; see the schema."""

    format: int
    created_by: str
    versions: Mapping[str, str]
    batch_sizes: tuple[int, ...]
    layers: tuple[Layer, ...]

    @property
    def shots(self) -> int | None:
        """How often results are drawn, where all that are drawn are drawn equally often."""
        numbers = {found.shots for layer in self.layers for found in layer.measurements} - {None}
        return numbers.pop() if len(numbers) == 1 else None


def read_card(directory: Path) -> Card:
    """The circuit card of a SavedModel.

    Args:
        directory: holds saved_model.pb.

    Raises:
        CircuitNotFound: there is none, or none that can be read.
    """
    path = directory / CARD
    try:
        status = path.stat()
        if not path.is_file() or status.st_size > CARD_MAX_BYTES:
            raise CircuitNotFound(f"the circuit card is larger than the {CARD_MAX_BYTES} bytes that are read")
        return _read(path, status.st_mtime_ns, status.st_size)
    except OSError as exc:
        raise CircuitNotFound("the model has no circuit card: only those written by qlayer.export have one") from exc


@lru_cache(_CARDS_KEPT)
def _read(path: Path, _changed_ns: int, size: int) -> Card:
    """What the file holds; kept until the file is another."""
    with path.open("rb") as file:
        body = file.read(size)
    try:
        return _card(parse_object(body))
    except InvalidJson as exc:
        raise CircuitNotFound(f"the circuit card cannot be read: {exc.message}") from exc
    except _Misread as exc:
        raise CircuitNotFound(f"the circuit card cannot be read: {exc}") from exc


class _Misread(Exception):
    """A part of the card is not what it must be."""


@dataclass(frozen=True)
class _Object:
    """An object of the card, and where it stands.

    Args:
        data: as parsed.
        where: for messages, such as layers[0].operations[3].
        is_newer: whether the card's format is newer than ours; then what is not understood is left out.
    """

    data: Any
    where: str
    is_newer: bool

    def get(self, key: str, read: Callable[[Any], T], default: T, *, is_needed: bool = True) -> T:
        """A property; the default where it may be absent and is, or is not understood.

        Raises:
            _Misread: it is missing or wrong.
        """
        if not isinstance(self.data, dict):
            raise _Misread(f"{self.where} is {excerpt(self.data)[:80]}, expected an object")
        if key not in self.data and (self.is_newer or not is_needed):
            return default
        try:
            return read(self.data.get(key))
        except _Misread as exc:
            if self.is_newer:
                return default
            raise _Misread(f"{self.where}{key}: {exc}") from exc

    def objects(self, key: str, read: Callable[[_Object], T], most: int) -> tuple[T, ...]:
        """A list of objects; those that are not understood are left out of a newer card."""
        items: tuple[Any, ...] = self.get(key, lambda value: _list(value, most), ())
        found = []
        for index, item in enumerate(items):
            try:
                found.append(read(_Object(item, f"{self.where}{key}[{index}].", self.is_newer)))
            except _Misread:
                if not self.is_newer:
                    raise
        return tuple(found)


def _card(data: dict[str, Any]) -> Card:
    format_ = _whole(data.get("format"), 1)
    card = _Object(data, "", format_ > FORMAT)
    return Card(
        format_,
        card.get("created_by", _name, "unknown"),
        card.get("versions", lambda value: _table(value, _name), {}),
        card.get("batch_sizes", lambda value: _all(value, lambda item: _whole(item, 1)), ()),
        card.objects("layers", _layer, _LAYERS_MAX),
    )


def _layer(layer: _Object) -> Layer:
    wires: tuple[Label, ...] = layer.get("wires", _labels, ())
    operations = layer.objects("operations", lambda found: _operation(found, set(wires)), _OPERATIONS_MAX)
    measurements = layer.objects("measurements", lambda found: _measurement(found, set(wires)), _ITEMS_MAX)
    return Layer(
        layer.get("name", _name, "unnamed"),
        wires,
        operations,
        measurements,
        layer.get("depth", lambda value: _whole(value, 0), 0),
        layer.get("gate_counts", lambda value: _table(value, lambda count: _whole(count, 1)), {}),
        layer.get("parameters", lambda value: _whole(value, 0), 0),
        layer.get("output_shape", lambda value: _all(value, lambda size: _whole(size, 1)), ()),
        layer.get("openqasm", _text, ""),
        layer.get("text", _text, ""),
    )


def _operation(operation: _Object, known: set[Label]) -> Operation:
    wires: tuple[Label, ...] = operation.get("wires", lambda value: _known(value, known), ())
    return Operation(
        operation.get("name", _name, "?"),
        wires,
        operation.get("angles", lambda value: _all(value, _angle), ()),
        operation.get("controls", lambda value: _whole(value, 1, len(wires)), 0, is_needed=False),
        operation.get("adjoint", _boolean, default=False, is_needed=False),
    )


def _measurement(measurement: _Object, known: set[Label]) -> Measurement:
    return Measurement(
        measurement.get("kind", _name, "?"),
        measurement.get("wires", lambda value: _known(value, known), ()),
        measurement.get("observable", lambda value: None if value is None else _text(value), None),
        measurement.get("shots", lambda value: None if value is None else _whole(value, 1, 2**31 - 1), None),
    )


def _list(value: object, most: int = _ITEMS_MAX) -> tuple[Any, ...]:
    if not isinstance(value, list) or len(value) > most:
        raise _Misread(f"expected a list of at most {most}")
    return tuple(value)


def _all(value: object, read: Callable[[Any], T]) -> tuple[T, ...]:
    return tuple(read(item) for item in _list(value))


def _table(value: object, read: Callable[[Any], T]) -> dict[str, T]:
    if not isinstance(value, dict) or len(value) > _ITEMS_MAX:
        raise _Misread(f"expected an object of at most {_ITEMS_MAX}")
    return {_name(key): read(item) for key, item in value.items()}


def _whole(value: object, least: int, most: int = 2**63 - 1) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise _Misread(f"{excerpt(value)[:80]}, expected a whole number from {least} to {most}")
    return value


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise _Misread(f"{excerpt(value)[:80]}, expected true or false")
    return value


def _angle(value: object) -> Angle:
    """A number; what is no number of JSON as text."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return _name(value) if isinstance(value, str) else _whole(value, *_INT64)


def _labels(value: object) -> tuple[Label, ...]:
    labels = tuple(_label(item) for item in _list(value, _WIRES_MAX))
    if len(set(labels)) < len(labels):
        raise _Misread("expected wires that differ")
    return labels


def _label(value: object) -> Label:
    return _name(value) if isinstance(value, str) else _whole(value, *_INT64)


def _known(value: object, known: set[Label]) -> tuple[Label, ...]:
    labels = _labels(value)
    if not known.issuperset(labels):
        raise _Misread("expected wires of its layer")
    return labels


def _name(value: object) -> str:
    """Text of one line."""
    return " ".join(_text(value, _NAME_MAX_CHARS).split())


def _text(value: object, most: int = _TEXT_MAX_CHARS) -> str:
    """Text without what a terminal would obey or XML cannot hold."""
    if not isinstance(value, str) or len(value) > most:
        raise _Misread(f"expected text of at most {most} characters")
    if value.replace("\n", "").isprintable():
        return value
    return "".join(char if char.isprintable() or char == "\n" else " " for char in value)
