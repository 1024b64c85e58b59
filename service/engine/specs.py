"""What a signature takes and gives: names, dtypes and shapes, as both sides of the channel know them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Arrays = Mapping[str, Array]
Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Dtype:
    """A row of the dtype table.

    Args:
        name: TensorFlow's name on the wire, for example DT_FLOAT.
        numpy: the dtype of arrays on our side; object for strings, whose elements are bytes.
        kind: what values it holds: float, integer, boolean, string; half or complex, which TensorFlow Serving's JSON
            cannot carry in.
        oip: its name in the Open Inference Protocol; a complex number is a pair of these, real part first.
    """

    name: str
    numpy: np.dtype[Any]
    kind: str
    oip: str

    @property
    def is_pair(self) -> bool:
        """Whether it is a pair of numbers in the Open Inference Protocol and in JSON."""
        return self.kind == "complex"


_ROWS = [
    ("DT_FLOAT", "float32", "float", "FP32"),
    ("DT_DOUBLE", "float64", "float", "FP64"),
    ("DT_INT8", "int8", "integer", "INT8"),
    ("DT_INT16", "int16", "integer", "INT16"),
    ("DT_INT32", "int32", "integer", "INT32"),
    ("DT_INT64", "int64", "integer", "INT64"),
    ("DT_UINT8", "uint8", "integer", "UINT8"),
    ("DT_UINT16", "uint16", "integer", "UINT16"),
    ("DT_UINT32", "uint32", "integer", "UINT32"),
    ("DT_UINT64", "uint64", "integer", "UINT64"),
    ("DT_BOOL", "bool", "boolean", "BOOL"),
    ("DT_STRING", "object", "string", "BYTES"),
    ("DT_HALF", "float16", "half", "FP16"),
    ("DT_COMPLEX64", "complex64", "complex", "FP32"),
    ("DT_COMPLEX128", "complex128", "complex", "FP64"),
]
DTYPES = {name: Dtype(name, np.dtype(numpy), kind, oip) for name, numpy, kind, oip in _ROWS}
"""Dtypes whose arrays can cross the channel, by TensorFlow's name."""

NAMES = {row.numpy: row.name for row in DTYPES.values()}
"""The way back: from an array's dtype to TensorFlow's name."""


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a signature.

    Args:
        dtype: TensorFlow's name; may be one that DTYPES does not know.
        shape: None for a free dimension; None instead of a tuple for an unknown rank.
        tensor_name: the tensor's name in the graph, shown in the metadata.
    """

    dtype: str
    shape: Shape | None
    tensor_name: str

    def fits(self, shape: Shape) -> bool:
        """Whether a shape (None: free) is one that this tensor may have."""
        if self.shape is None:
            return True
        same_rank = len(shape) == len(self.shape)
        return same_rank and all(None in pair or pair[0] == pair[1] for pair in zip(shape, self.shape, strict=True))

    @property
    def has_free_rows(self) -> bool:
        """Whether the first dimension is a free batch dimension."""
        return bool(self.shape) and self.shape[0] is None  # type: ignore[index]  # not None where true


@dataclass(frozen=True)
class SignatureSpec:
    """A signature.

    Args:
        inputs: by name.
        outputs: by name.
        method_name: the method it claims to serve.
        defaults: of inputs that may be left out, by name: TensorProtos as JSON, to be shown.
    """

    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]
    method_name: str
    defaults: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def has_rows(self) -> bool:
        """Whether every input and output has the batch first, so that rows of several requests can share a call."""
        tensors = [*self.inputs.values(), *self.outputs.values()]
        return bool(self.inputs) and bool(self.outputs) and all(tensor.has_free_rows for tensor in tensors)

    @cached_property
    def is_callable(self) -> bool:
        """Whether all its tensors can cross the channel."""
        return all(tensor.dtype in DTYPES for tensor in [*self.inputs.values(), *self.outputs.values()])

    def to_plain(self) -> dict[str, Any]:
        """As plain data, for the channel and for manifests."""
        return {
            "inputs": {name: list(vars(spec).values()) for name, spec in self.inputs.items()},
            "outputs": {name: list(vars(spec).values()) for name, spec in self.outputs.items()},
            "method_name": self.method_name,
            "defaults": self.defaults,
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> SignatureSpec:
        """From what `to_plain` gave."""
        return cls(_tensors(plain["inputs"]), _tensors(plain["outputs"]), plain["method_name"], plain["defaults"])


def _tensors(plain: dict[str, Any]) -> dict[str, TensorSpec]:
    return {
        name: TensorSpec(dtype, None if shape is None else tuple(shape), tensor_name)
        for name, (dtype, shape, tensor_name) in plain.items()
    }
