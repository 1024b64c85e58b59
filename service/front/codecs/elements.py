"""One JSON value to one array: quickly where it is right, exactly where it is wrong.

NumPy takes what JSON should not (True as 1.0, "1.5" as 1.5, None as NaN), so its result is believed only if its kind
shows that nothing was bent; else a walk over the value finds and names the culprit.
"""

from __future__ import annotations

import base64
from itertools import chain
from typing import Any

import numpy as np

from service.engine.specs import Dtype
from service.errors import InvalidShape, InvalidValue
from service.front.codecs.json_text import excerpt

_RANK_MAX = 32
_ACCEPTED_KINDS = {"float": "fiu", "integer": "iu", "boolean": "b"}
_EXPECTED = {"float": (int, float), "integer": (int,), "boolean": (bool,), "string": (str,)}
_TYPES = {
    str: "String",
    bool: "Bool",
    type(None): "Null",
    dict: "Object",
    list: "Array",
    int: "Number",
    float: "Number",
}


def array_of(value: object, dtype: Dtype, *, may_hold_booleans: bool) -> np.ndarray[Any, Any]:
    """The array that a JSON value stands for.

    Args:
        value: numbers, booleans or strings, in lists of equal length nested to any rank.
        dtype: what the elements must be; nothing is converted but whole numbers to floats.
        may_hold_booleans: whether a boolean can hide among numbers, where NumPy would take it for 0 or 1.

    Returns:
        Shape as nested, of the dtype; strings as an object array of bytes.

    Raises:
        InvalidValue: an element is of another type, or too large for the dtype.
        InvalidShape: the lists are ragged.
    """
    if dtype.kind == "string":
        return _strings(value, dtype)
    if may_hold_booleans and dtype.kind != "boolean" and _may_hold_booleans(value):
        _shape_of(value, dtype)
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError):
        array = np.asarray(None)
    if array.dtype.kind not in _ACCEPTED_KINDS[dtype.kind] and array.size:
        _shape_of(value, dtype)
        array = _of_large_numbers(value, dtype)
    return _converted(array, dtype)


def _of_large_numbers(value: object, dtype: Dtype) -> np.ndarray[Any, Any]:
    """Whole numbers beyond 64 bits, which no dtype of NumPy holds: as floats rounded, as integers exact."""
    try:
        return np.array(value, object if dtype.kind == "integer" else np.float64)
    except OverflowError:
        raise InvalidValue(f"JSON Value has numbers that are out of range for type: {dtype.numpy}") from None


def _may_hold_booleans(value: object) -> bool:
    """Whether a boolean is in nested lists, or they are ragged; a level at a time, without Python for each element."""
    level: list[Any] = [value]
    for _ in range(_RANK_MAX + 2):
        types = set(map(type, level))
        if types != {list}:
            return bool in types or list in types
        level = list(chain.from_iterable(level))
    return True


def _converted(array: np.ndarray[Any, Any], dtype: Dtype) -> np.ndarray[Any, Any]:
    if dtype.kind == "integer" and array.size:
        info = np.iinfo(dtype.numpy)
        if array.min() < info.min or array.max() > info.max:
            raise InvalidValue(f"JSON Value is out of range for type: {dtype.numpy} ({info.min} to {info.max})")
    try:
        with np.errstate(over="raise"):
            return array.astype(dtype.numpy, copy=False)
    except FloatingPointError:
        raise InvalidValue(
            f"Cannot convert JSON value to {type_name(dtype)} without loss of precision: a number is out of range"
        ) from None


def _strings(value: object, dtype: Dtype) -> np.ndarray[Any, Any]:
    shape = _shape_of(value, dtype)
    strings = np.empty(shape, object)
    strings.reshape(-1)[:] = [_string(element) for element in _flat(value)]
    return strings


def _string(element: str | dict[str, str]) -> bytes:
    try:
        return bytes_of(element)
    except ValueError as exc:
        raise InvalidValue(f"JSON Value: {excerpt(element)[:100]} is not valid base64") from exc


def bytes_of(element: str | dict[str, str]) -> bytes:
    """The bytes of a text or of base64; as TensorFlow Serving has it, its white space and padding do not matter.

    Raises:
        ValueError: the base64 is none.
    """
    if isinstance(element, str):
        return element.encode(errors="surrogatepass")  # lone halves come in as JSON escapes
    digits = "".join(element["b64"].split())
    return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)


def _flat(value: object) -> list[Any]:
    return [item for part in value for item in _flat(part)] if isinstance(value, list) else [value]


def _shape_of(value: object, dtype: Dtype) -> tuple[int, ...]:
    """The shape of nested lists; every list and every element is looked at.

    Raises:
        InvalidValue, InvalidShape: at the first that does not fit.
    """
    shape = shape_of_first(value)
    if len(shape) > _RANK_MAX:
        raise InvalidShape(f"lists are nested more than {_RANK_MAX} deep")
    _check(value, shape, (), dtype)
    return shape


def shape_of_first(value: object) -> tuple[int, ...]:
    """The shape that nested lists have if all are like the first on each level; not deeper than arrays can be."""
    shape: list[int] = []
    while isinstance(value, list) and len(shape) <= _RANK_MAX:
        shape.append(len(value))
        value = value[0] if value else None
    return tuple(shape)


def _check(value: object, shape: tuple[int, ...], place: tuple[int, ...], dtype: Dtype) -> None:
    """Look at what stands at a place; the texts are TensorFlow Serving's, with the place behind them."""
    level = len(place)
    if level == len(shape):
        _check_element(value, place, dtype)
        return
    if not isinstance(value, list):
        found = f"Expecting a list of size: {shape[level]} at level: {level} but got: {excerpt(value)[:100]}"
        raise InvalidShape(found + _at(place))
    if len(value) != shape[level]:
        found = f"Encountered list at unexpected size: {len(value)} at level: {level} expected size: {shape[level]}"
        raise InvalidShape(found + _at(place))
    for index, item in enumerate(value):
        _check(item, shape, (*place, index), dtype)


def _check_element(value: object, place: tuple[int, ...], dtype: Dtype) -> None:
    if isinstance(value, list):
        found = f"Encountered list at unexpected size: {len(value)} at level: {len(place)} expected a single value"
        raise InvalidShape(found + _at(place))
    is_bytes = (
        dtype.kind == "string" and isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str)
    )
    is_number = not isinstance(value, bool) or dtype.kind == "boolean"
    if not is_bytes and not (isinstance(value, _EXPECTED[dtype.kind]) and is_number):
        found = f"JSON Value: {excerpt(value)[:100]} Type: {_TYPES[type(value)]}"
        raise InvalidValue(f"{found} is not of expected type: {type_name(dtype)}{_at(place)}")


def _at(place: tuple[int, ...]) -> str:
    return f", at [{']['.join(map(str, place))}]" if place else ""


def type_name(dtype: Dtype) -> str:
    """TensorFlow's word for a dtype."""
    known = {"DT_HALF": "half", "DT_FLOAT": "float", "DT_DOUBLE": "double", "DT_STRING": "string"}
    return known.get(dtype.name, str(dtype.numpy))
