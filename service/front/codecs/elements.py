"""One JSON value to one array: quickly where it is right, exactly where it is wrong.

NumPy takes what JSON should not (True as 1.0, "1.5" as 1.5, None as NaN), so its result is believed only if its kind
shows that nothing was bent; else a walk over the value finds and names the culprit.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

import numpy as np

from service.engine.specs import Dtype
from service.errors import InvalidShape, InvalidValue

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
    if may_hold_booleans and dtype.kind != "boolean":
        _shape_of(value, dtype)
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError):
        array = np.asarray(None)
    if array.dtype.kind not in _ACCEPTED_KINDS[dtype.kind] and array.size:
        _shape_of(value, dtype)
        if dtype.kind != "integer":
            raise InvalidValue(f"JSON Value has numbers that are out of range for type: {dtype.numpy}")
        array = np.array(value, object)  # small and very large ones together: NumPy would round them to floats
    return _converted(array, dtype)


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
            f"Cannot convert JSON value to {_type_name(dtype)} without loss of precision: a number is out of range"
        ) from None


def _strings(value: object, dtype: Dtype) -> np.ndarray[Any, Any]:
    shape = _shape_of(value, dtype)
    strings = np.empty(shape, object)
    strings.reshape(-1)[:] = [_string(element) for element in _flat(value)]
    return strings


def _string(element: str | dict[str, str]) -> bytes:
    if isinstance(element, str):
        return element.encode(errors="surrogatepass")  # lone halves come in as JSON escapes
    try:
        return base64.b64decode(element["b64"], validate=True)
    except (binascii.Error, ValueError) as exc:
        raise InvalidValue(f"JSON Value: {json.dumps(element)[:100]} is not valid base64") from exc


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
    _check(value, shape, 0, dtype)
    return shape


def shape_of_first(value: object) -> tuple[int, ...]:
    """The shape that nested lists have if all are like the first on each level; not deeper than arrays can be."""
    shape: list[int] = []
    while isinstance(value, list) and len(shape) <= _RANK_MAX:
        shape.append(len(value))
        value = value[0] if value else None
    return tuple(shape)


def _check(value: object, shape: tuple[int, ...], level: int, dtype: Dtype) -> None:
    if level == len(shape):
        _check_element(value, level, dtype)
        return
    if not isinstance(value, list):
        raise InvalidShape(
            f"Expecting a list of size: {shape[level]} at level: {level} but got: {json.dumps(value)[:100]}"
        )
    if len(value) != shape[level]:
        raise InvalidShape(
            f"Encountered list at unexpected size: {len(value)} at level: {level} expected size: {shape[level]}"
        )
    for item in value:
        _check(item, shape, level + 1, dtype)


def _check_element(value: object, level: int, dtype: Dtype) -> None:
    if isinstance(value, list):
        raise InvalidShape(
            f"Encountered list at unexpected size: {len(value)} at level: {level} expected a single value"
        )
    is_bytes = (
        dtype.kind == "string" and isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str)
    )
    is_number = not isinstance(value, bool) or dtype.kind == "boolean"
    if not is_bytes and not (isinstance(value, _EXPECTED[dtype.kind]) and is_number):
        found = f"JSON Value: {json.dumps(value)[:100]} Type: {_TYPES[type(value)]}"
        raise InvalidValue(f"{found} is not of expected type: {_type_name(dtype)}")


def _type_name(dtype: Dtype) -> str:
    """TensorFlow's word for a dtype."""
    return {"DT_FLOAT": "float", "DT_DOUBLE": "double", "DT_STRING": "string"}.get(dtype.name, str(dtype.numpy))
