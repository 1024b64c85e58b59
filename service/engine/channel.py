"""Arrays over a Unix socket: frames in, frames out, the same on both sides.

A frame is a prefix (two unsigned 64-bit little-endian lengths), a JSON header and the arrays' bytes one after
the other. Numbers travel as they lie in memory and are read without a copy; strings as their lengths followed by
their bytes.
"""

from __future__ import annotations

import math
import socket
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from service.engine.specs import DTYPES, NAMES, Arrays

Buffer = bytes | bytearray | memoryview

PREFIX = struct.Struct("<QQ")
_LENGTHS = np.dtype("<i8")
_JOINED_MAX_BYTES = 1 << 16


class ChannelClosed(ConnectionError):
    """The other side is gone."""


@dataclass(frozen=True)
class Message:
    """What travels: a kind, plain data, and named arrays.

    Args:
        kind: what the receiver does with it, for example "call".
        data: anything JSON can carry.
        arrays: arrays of any shape, by name; of a dtype in DTYPES (strings: object arrays of bytes).
    """

    kind: str
    data: dict[str, Any] = field(default_factory=dict)
    arrays: Arrays = field(default_factory=dict)


def size_of(array: np.ndarray[Any, Any]) -> int:
    """The bytes that an array's elements take on the way."""
    return sum(_LENGTHS.itemsize + len(item) for item in array.flat) if array.dtype == object else array.nbytes


def encode(message: Message) -> list[Buffer]:
    """The buffers of a frame, to be sent in this order."""
    buffers: list[Buffer] = [_bytes_of(array) for array in message.arrays.values()]
    tensors = [
        (name, NAMES[array.dtype], array.shape, len(buffer))
        for (name, array), buffer in zip(message.arrays.items(), buffers, strict=True)
    ]
    header = orjson.dumps([message.kind, message.data, tensors])
    return [PREFIX.pack(len(header), sum(map(len, buffers))), header, *buffers]


def frame_bytes(prefix: Buffer) -> int:
    """The length in bytes of the frame that begins with this prefix, the prefix included."""
    header_bytes, body_bytes = PREFIX.unpack_from(prefix)
    return PREFIX.size + int(header_bytes) + int(body_bytes)


def decode(frame: Buffer) -> Message:
    """The message in a whole frame; its arrays look into the frame's memory."""
    view = memoryview(frame)
    header_bytes, _ = PREFIX.unpack_from(view)
    start = PREFIX.size + header_bytes
    kind, data, tensors = orjson.loads(view[PREFIX.size : start])
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    for name, dtype, shape, size in tensors:
        arrays[name] = _array_of(view[start : start + size], dtype, shape)
        start += size
    return Message(kind, data, arrays)


def send(connection: socket.socket, message: Message) -> None:
    """Send a message on a blocking socket.

    Raises:
        ChannelClosed: the other side is gone.
    """
    buffers = encode(message)
    try:
        if sum(map(len, buffers)) <= _JOINED_MAX_BYTES:  # in one piece, which wakes the other side once
            connection.sendall(b"".join(buffers))
            return
        for buffer in buffers:
            connection.sendall(buffer)
    except OSError as exc:
        raise ChannelClosed("the other side is gone") from exc


def receive(connection: socket.socket) -> Message:
    """The next message from a blocking socket.

    Raises:
        ChannelClosed: the other side is gone.
    """
    prefix = bytearray(PREFIX.size)
    _receive_into(connection, memoryview(prefix))
    frame = bytearray(frame_bytes(prefix))
    frame[: PREFIX.size] = prefix
    _receive_into(connection, memoryview(frame)[PREFIX.size :])
    return decode(frame)


def _receive_into(connection: socket.socket, view: memoryview) -> None:
    while view:
        try:
            count = connection.recv_into(view)
        except ConnectionResetError as exc:
            raise ChannelClosed("the other side is gone") from exc
        if not count:
            raise ChannelClosed("the other side is gone")
        view = view[count:]


def _bytes_of(array: np.ndarray[Any, Any]) -> Buffer:
    if array.dtype == object:
        lengths = np.array([len(item) for item in array.flat], _LENGTHS)
        return lengths.tobytes() + b"".join(array.flat)
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data if array.size else b""


def _array_of(view: memoryview, dtype: str, shape: list[int]) -> np.ndarray[Any, Any]:
    if dtype == "DT_STRING":
        return _strings_of(view, shape)
    return np.frombuffer(view, DTYPES[dtype].numpy).reshape(shape)


def _strings_of(view: memoryview, shape: list[int]) -> np.ndarray[Any, Any]:
    count = math.prod(shape)
    lengths = np.frombuffer(view, _LENGTHS, count)
    ends = np.cumsum(lengths) + count * _LENGTHS.itemsize
    strings = np.empty(count, object)
    for index, (length, end) in enumerate(zip(lengths.tolist(), ends.tolist(), strict=True)):
        strings[index] = bytes(view[end - length : end])
    return strings.reshape(shape)
