"""Tensors as bytes: little-endian, row-major; each string as a 32-bit length followed by so many bytes."""

from __future__ import annotations

import math
import struct

import numpy as np

from service.engine.specs import Array, Dtype
from service.errors import InvalidValue

_LENGTH = struct.Struct("<I")


def decode(name: str, model: str, view: memoryview, dtype: Dtype, shape: tuple[int, ...]) -> Array:
    """The array in a tensor's bytes; numbers are not copied.

    Args:
        name: of the input, for messages.
        model: its model, for messages.
        view: all its bytes.
        dtype: of its elements.
        shape: checked, but not yet against the number of bytes.

    Raises:
        InvalidValue: the bytes are not as many as shape and dtype need, or not what the dtype can be.
    """
    if dtype.kind == "string":
        return _strings(name, view, math.prod(shape)).reshape(shape)
    expected = math.prod(shape) * dtype.numpy.itemsize
    if len(view) != expected:
        raise InvalidValue(
            f"input byte size mismatch for input '{name}' for model '{model}'. Expected {expected}, got {len(view)}"
        )
    if dtype.kind == "boolean":
        _check_booleans(name, view)
    return np.frombuffer(view, dtype.numpy.newbyteorder("<")).reshape(shape)


def encode(array: Array) -> bytes | memoryview:
    """A tensor's bytes; numbers that lie in one piece are not copied."""
    if array.dtype == object:
        return b"".join(piece for item in array.flat for piece in (_LENGTH.pack(len(item)), item))
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data if array.size else b""


def _strings(name: str, view: memoryview, count: int) -> Array:
    """As many strings as the shape says; nothing is made room for before the bytes were seen to be that many."""
    found: list[bytes] = []
    start, size = 0, len(view)
    while start < size:
        if len(found) == count:
            raise InvalidValue(f"unexpected number of string elements for inference input '{name}', expecting {count}")
        data = start + _LENGTH.size
        if data > size:
            raise InvalidValue(
                f"incomplete string length indicator for inference input '{name}', expecting {_LENGTH.size} bytes "
                f"but only {size - start} bytes available"
            )
        start = data + _LENGTH.unpack_from(view, start)[0]
        if start > size:
            raise InvalidValue(
                f"incomplete string data for inference input '{name}', expecting string of length {start - data} "
                f"but only {size - data} bytes available"
            )
        found.append(bytes(view[data:start]))
    if len(found) != count:
        raise InvalidValue(
            f"unexpected number of string elements {len(found)} for inference input '{name}', expecting {count}"
        )
    strings = np.empty(count, object)
    strings[:] = found
    return strings


def _check_booleans(name: str, view: memoryview) -> None:
    """NumPy would take any byte for a boolean, and TensorFlow would compute with it."""
    found = np.frombuffer(view, np.uint8)
    if found.size and found.max() > 1:
        index = int(np.argmax(found > 1))
        raise InvalidValue(
            f"element {index} of inference input '{name}' is the byte {found[index]}; a BOOL is one byte, 0 or 1"
        )
