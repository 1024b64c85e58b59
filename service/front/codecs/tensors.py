"""Arrays against the specs of a signature, whatever protocol they came by."""

from __future__ import annotations

from typing import Any

import numpy as np

from service.engine.specs import Array, Arrays, Shape, TensorSpec
from service.errors import InvalidShape


def has_common_rows(inputs: Arrays) -> bool:
    """Whether all inputs have the same number of rows, at least one."""
    counts = {array.shape[0] if array.ndim else 0 for array in inputs.values()}
    return len(counts) == 1 and 0 not in counts


def as_pairs(array: Array) -> Array:
    """Complex numbers as pairs, real part first: shape (...) becomes (..., 2); other arrays as they are."""
    if array.dtype.kind != "c":
        return array
    return np.ascontiguousarray(array).view(array.real.dtype).reshape(*array.shape, 2)


def from_pairs(pairs: Array, dtype: np.dtype[Any]) -> Array:
    """The way back: shape (..., 2) of real numbers becomes (...) of the complex dtype."""
    return np.ascontiguousarray(pairs).view(dtype).reshape(pairs.shape[:-1])


def check_shape(name: str, shape: Shape, tensor: TensorSpec) -> None:
    """Refuse a shape that an input cannot have.

    Raises:
        InvalidShape: it cannot.
    """
    if not tensor.fits(shape):
        raise InvalidShape(
            f"input '{name}' has shape {shape_text(shape)}, expected {shape_text(tensor.shape)} (-1: any size)"
        )


def shape_text(shape: Shape | None) -> str:
    """A shape for a message: [-1,4]."""
    if shape is None:
        return "of any rank"
    return "[" + ",".join("-1" if size is None else str(size) for size in shape) + "]"
