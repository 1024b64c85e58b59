"""Frames: what goes in comes out."""

import socket
import threading

import numpy as np
import pytest

from service.engine import channel
from service.engine.channel import ChannelClosed, Message
from service.engine.specs import DTYPES


@pytest.mark.parametrize("dtype", [row.numpy for row in DTYPES.values()], ids=list(DTYPES))
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4)])
def test_arrays_of_every_dtype_and_shape_cross(dtype, shape):
    """Each dtype of the table crosses in any shape, empty and scalar ones included."""
    size = int(np.prod(shape))
    items = [b"x" * n for n in range(size)] if dtype.kind == "O" else np.arange(size) % 2
    array = np.array(items, dtype).reshape(shape)
    frame = b"".join(channel.encode(Message("call", {"n": 1}, {"a": array, "b": array})))
    assert channel.frame_bytes(frame) == len(frame)
    message = channel.decode(frame)
    assert (message.kind, message.data) == ("call", {"n": 1})
    for received in message.arrays.values():
        assert (received.dtype, received.shape) == (array.dtype, shape)
        np.testing.assert_array_equal(received, array)


def test_views_cross_as_what_they_show():
    """An array that does not lie in one piece is sent as it looks."""
    array = np.arange(12.0).reshape(3, 4)[:, ::2]
    frame = b"".join(channel.encode(Message("call", {}, {"a": array})))
    np.testing.assert_array_equal(channel.decode(frame).arrays["a"], array)


def test_large_messages_cross_a_socket_and_its_end_is_noticed():
    """A message larger than the socket's buffer arrives whole; a closed socket is an error of its own."""
    ours, theirs = socket.socketpair()
    array = np.random.default_rng(0).normal(size=(1000, 1000))
    sender = threading.Thread(target=channel.send, args=(theirs, Message("call", {}, {"a": array})))
    sender.start()
    np.testing.assert_array_equal(channel.receive(ours).arrays["a"], array)
    sender.join()
    theirs.close()
    with ours, pytest.raises(ChannelClosed, match="the other side is gone"):
        channel.receive(ours)


def test_a_reset_connection_is_noticed_as_its_end():
    """A side that goes without reading what it was sent resets the connection: that is its end like any other."""
    ours, theirs = socket.socketpair()
    ours.sendall(b"unread")
    theirs.close()
    with ours, pytest.raises(ChannelClosed, match="the other side is gone"):
        channel.receive(ours)
