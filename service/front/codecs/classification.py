"""Outputs as classes: the largest values of each row with their index, as Triton's classification extension has it."""

from __future__ import annotations

import numpy as np

from service.engine.specs import Array
from service.errors import InvalidRequest
from service.front.codecs.oip_tensors import unsigned

_CLASSES_MAX = 1_000_000
_FORMATS = {"f": "%f:%d", "i": "%d:%d", "u": "%d:%d"}


def checked_classes(value: object) -> int:
    """How many classes a request asks for; 0 for none.

    Raises:
        InvalidRequest: it is no whole number, or too many.
    """
    classes = unsigned("classification", value)
    if classes > _CLASSES_MAX:
        raise InvalidRequest(f"'classification' is {classes}: at most {_CLASSES_MAX} classes are given")
    return classes


def classify(name: str, array: Array, classes: int, *, has_rows: bool) -> Array:
    """The largest values, descending, each as b"<value>:<index>"; NaN comes last.

    Args:
        name: of the output, for messages.
        array: of real numbers, of any shape.
        classes: how many; all of them if there are fewer.
        has_rows: whether the first dimension is a batch, whose rows are looked at one by one.

    Returns:
        Shape (rows, min(classes, n)), or (min(classes, n),) without rows: an object array of bytes.

    Raises:
        InvalidRequest: its elements are no real numbers.
    """
    if array.dtype.kind not in _FORMATS:
        raise InvalidRequest(f"output '{name}' cannot be classified: its elements are no real numbers")
    rows = array.reshape(len(array), -1) if has_rows and array.size else array.reshape(1, array.size)
    order = _descending(rows)[:, :classes]
    values = np.take_along_axis(rows, order, axis=1)
    form = _FORMATS[array.dtype.kind]
    pairs = zip(values.ravel().tolist(), order.ravel().tolist(), strict=True)
    found = np.empty(order.size, object)
    found[:] = [(form % pair).encode() for pair in pairs]
    if not has_rows:
        return found
    return found.reshape(order.shape) if array.size else found.reshape(len(array), 0)


def _descending(rows: Array) -> Array:
    """Indices by falling value; equal values keep their order."""
    if rows.dtype.kind == "f":
        rows = np.where(np.isnan(rows), -np.inf, rows)
    ascending = np.argsort(rows[:, ::-1], axis=1, kind="stable")
    return rows.shape[1] - 1 - ascending[:, ::-1]
