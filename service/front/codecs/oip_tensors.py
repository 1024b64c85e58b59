"""Tensors as the Open Inference Protocol names them: a signature's dtypes and shapes on the wire.

The protocol has no complex numbers: a complex tensor is one of real numbers with a trailing dimension of 2, real part
first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from service.engine.specs import DTYPES, Dtype, Shape, SignatureSpec, TensorSpec
from service.errors import InvalidRequest, InvalidShape, SignatureNotFound
from service.front.codecs.json_text import excerpt
from service.front.codecs.tfserving import DEFAULT_SIGNATURE

ELEMENTS = {row.oip: row for row in DTYPES.values() if not row.is_pair}
"""The dtype of single elements, by the protocol's name."""

_PAIR = 2
_RANK_MAX = 32
_BYTES_MAX = 2**62
_UINT64_MAX = 2**64 - 1


def datatype_of(tensor: TensorSpec) -> str:
    """The protocol's name of a tensor's dtype; TensorFlow's own, without DT_, where the protocol has none."""
    row = DTYPES.get(tensor.dtype)
    return row.oip if row else tensor.dtype.removeprefix("DT_")


def is_pair(tensor: TensorSpec) -> bool:
    """Whether a tensor's elements are pairs on the wire."""
    return tensor.dtype in DTYPES and DTYPES[tensor.dtype].is_pair


def wire_shape(tensor: TensorSpec) -> Shape | None:
    """A tensor's shape on the wire; None for an unknown rank."""
    if tensor.shape is None:
        return None
    return (*tensor.shape, _PAIR) if is_pair(tensor) else tensor.shape


def listed_shape(tensor: TensorSpec) -> list[int]:
    """The same for documents: -1 where free; [-1] stands for an unknown rank too, which they cannot say."""
    shape = wire_shape(tensor)
    return [-1] if shape is None else [-1 if size is None else size for size in shape]


def fits_wire(tensor: TensorSpec, shape: tuple[int, ...]) -> bool:
    """Whether a tensor may have a shape on the wire."""
    if not is_pair(tensor):
        return tensor.fits(shape)
    return shape[-1:] == (_PAIR,) and tensor.fits(shape[:-1])


def checked_shape(name: str, shape: object, dtype: Dtype) -> tuple[int, ...]:
    """A request's shape: sizes from 0, in Python's integers, so that no product can overflow.

    Raises:
        InvalidShape: it is none, or one that no array can have.
    """
    is_shape = isinstance(shape, list) and len(shape) <= _RANK_MAX and all(map(_is_size, shape))
    if not is_shape:
        raise InvalidShape(
            f"Unable to parse 'shape' of inference input '{name}': {excerpt(shape)} is not a list of at most "
            f"{_RANK_MAX} whole numbers from 0"
        )
    sizes: tuple[int, ...] = tuple(shape)  # type: ignore[arg-type]  # a list, as just seen
    if math.prod(size or 1 for size in sizes) * dtype.numpy.itemsize > _BYTES_MAX:
        raise InvalidShape(f"'shape' of inference input '{name}': {excerpt(shape)} is more than any memory holds")
    return sizes


def default_signature(signatures: Mapping[str, SignatureSpec]) -> str:
    """The signature that the protocol, which knows of none, means: serving_default, or else the first by name.

    Raises:
        SignatureNotFound: there is no signature at all.
    """
    if DEFAULT_SIGNATURE in signatures:
        return DEFAULT_SIGNATURE
    if not signatures:
        raise SignatureNotFound("the model has no signatures: export it with one named 'serving_default'")
    return min(signatures)


def unsigned(name: str, value: object) -> int:
    """A parameter that is a whole number from 0.

    Raises:
        InvalidRequest: it is something else.
    """
    if not _is_size(value):
        raise InvalidRequest(f"Unable to parse '{name}': {excerpt(value)} is not an unsigned integer")
    return value  # type: ignore[return-value]  # a number, as just seen


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _UINT64_MAX
