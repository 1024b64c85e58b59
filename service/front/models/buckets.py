"""Buckets: batch sizes that a model was compiled for, each a signature `batch_<n>` of its own (see qlayer.export)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from service.engine.specs import Arrays, SignatureSpec, TensorSpec

_BUCKETED = "serving_default"
_PREFIX = "batch_"


@dataclass(frozen=True)
class Bucket:
    """A batch of some rows in a signature that takes exactly `size` rows."""

    signature: str
    size: int
    rows: int

    def padded(self, inputs: Arrays) -> Arrays:
        """The inputs with copies of their last row behind them: a row that the model is known to take."""
        if self.rows == self.size:
            return inputs
        return {
            name: np.concatenate([array, np.repeat(array[-1:], self.size - self.rows, axis=0)])
            for name, array in inputs.items()
        }

    def cut(self, outputs: Arrays) -> Arrays:
        """The outputs of the rows that were asked for."""
        return {name: array[: self.rows] for name, array in outputs.items()}


class Buckets:
    """The sizes that a model was compiled for.

    Args:
        signatures: all of the model.
    """

    def __init__(self, signatures: Mapping[str, SignatureSpec]) -> None:
        free = signatures.get(_BUCKETED)
        sizes = {_size(name): spec for name, spec in signatures.items() if free and free.has_rows}
        self._sizes = sorted(size for size, spec in sizes.items() if free and size and _is_bucket(spec, free, size))

    def holding(self, signature: str, inputs: Arrays) -> Bucket | None:
        """The smallest bucket that holds the rows of a call; None where there is none."""
        if not self._sizes or signature != _BUCKETED:
            return None
        rows = len(next(iter(inputs.values())))
        size = next((size for size in self._sizes if size >= rows > 0), None)
        return Bucket(f"{_PREFIX}{size}", size, rows) if size else None


def _size(name: str) -> int:
    """The size in a bucket's name; 0 for other names."""
    digits = name.removeprefix(_PREFIX)
    return int(digits) if digits != name and digits.isdecimal() else 0


def _is_bucket(spec: SignatureSpec, free: SignatureSpec, size: int) -> bool:
    """Whether a signature is the one with free rows, at one size."""
    return _is_sized(spec.inputs, free.inputs, size) and _is_sized(spec.outputs, free.outputs, size)


def _is_sized(sized: Mapping[str, TensorSpec], free: Mapping[str, TensorSpec], size: int) -> bool:
    return sized.keys() == free.keys() and all(
        sized[name].dtype == spec.dtype and sized[name].shape == (size, *(spec.shape or ())[1:])
        for name, spec in free.items()
    )
