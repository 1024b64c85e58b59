"""Serialization: frozen records as plain JSON data, driven by their type annotations.

The annotations are the schema: a new field of a record is saved and read without a word here, and a field with its
default value is left out, so that files stay small and old files keep loading after a field was added.
"""

from __future__ import annotations

import base64
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np


def to_data(value: Any, hint: Any) -> Any:
    """A value as JSON data, which `from_data` inverts exactly.

    Args:
        value: a record (a frozen dataclass), a tuple, a number, bytes, a string or None.
        hint: its type annotation: the record's class, `tuple[int, ...]`, ...

    Returns:
        Dicts for records, lists for tuples, pairs for complex numbers, base64 for bytes.
    """
    if is_dataclass(hint):
        return _record_to_data(value, hint)
    if get_origin(hint) is tuple:
        return [to_data(item, item_hint) for item, item_hint in zip(value, _items(hint, len(value)), strict=True)]
    if (inner := _optional(hint)) is not None:
        return None if value is None else to_data(value, inner)
    return _ENCODERS[hint](value)


def from_data(data: Any, hint: Any) -> Any:
    """The value that `to_data` made data of.

    Args:
        data: JSON data.
        hint: the type annotation of the value.

    Raises:
        KeyError, TypeError, ValueError: if the data is not of this type.
    """
    if is_dataclass(hint):
        return _record_from_data(data, hint)
    if get_origin(hint) is tuple:
        return tuple(from_data(item, item_hint) for item, item_hint in zip(data, _items(hint, len(data)), strict=True))
    if (inner := _optional(hint)) is not None:
        return None if data is None else from_data(data, inner)
    return _DECODERS[hint](data)


def _record_to_data(record: Any, hint: Any) -> dict[str, Any]:
    hints = _hints(hint)
    named = ((field, getattr(record, field.name)) for field in fields(record))
    return {
        field.name: to_data(value, hints[field.name])
        for field, value in named
        if field.default is MISSING or value != field.default
    }


def _record_from_data(data: dict[str, Any], record: Any) -> Any:
    hints = _hints(record)
    if unknown := sorted(set(data) - set(hints)):
        raise ValueError(f"{record.__name__} has no field {unknown[0]!r}")
    if missing := [field.name for field in fields(record) if field.default is MISSING and field.name not in data]:
        raise ValueError(f"the field {missing[0]!r} of {record.__name__} is missing")
    return record(**{name: from_data(value, hints[name]) for name, value in data.items()})


@cache
def _hints(record: Any) -> dict[str, Any]:
    return get_type_hints(record)


def _items(hint: Any, count: int) -> tuple[Any, ...]:
    """The annotation of each item of a tuple."""
    arguments = get_args(hint)
    return arguments[:1] * count if arguments[-1:] == (Ellipsis,) else arguments


def _optional(hint: Any) -> Any:
    """X where the annotation is `X | None`, None where it is not."""
    arguments = get_args(hint)
    is_union = get_origin(hint) in (Union, UnionType)
    if not is_union or NoneType not in arguments or len(arguments) != 2:  # noqa: PLR2004 - X and None
        return None
    return next(argument for argument in arguments if argument is not NoneType)


def _number_to_data(value: Any) -> Any:
    return [float(value.real), float(value.imag)] if isinstance(value, complex) else value


def _number_from_data(data: Any) -> Any:
    return complex(*data) if isinstance(data, list | tuple) else data


def _label_to_data(value: Any) -> int | str:
    """A wire's label; what JSON does not know becomes its text, because labels are only shown."""
    return int(value) if isinstance(value, int | np.integer) else str(value)


def _same(data: Any) -> Any:
    return data


_ENCODERS: dict[Any, Any] = {
    bool: bool,
    int: int,
    float: float,
    str: str,
    complex: _number_to_data,
    int | str: _label_to_data,
    bytes: lambda value: base64.b64encode(value).decode(),
}
_DECODERS: dict[Any, Any] = {
    bool: _same,
    int: int,
    float: float,
    str: str,
    complex: _number_from_data,
    int | str: _same,
    bytes: lambda data: base64.b64decode(data, validate=True),
}
