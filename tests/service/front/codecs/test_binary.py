"""Tensors as bytes: what is read is not copied, what is written is what the protocol says."""

import numpy as np
import pytest

from service.engine import channel
from service.engine.specs import DTYPES
from service.front.codecs import binary
from service.front.codecs.tensors import from_pairs


@pytest.mark.parametrize("offset", [0, 1, 3])
@pytest.mark.parametrize("name", ["DT_FLOAT", "DT_DOUBLE", "DT_INT16", "DT_UINT64", "DT_BOOL", "DT_HALF"])
def test_numbers_lie_in_the_body_all_the_way(name, offset):
    """From the request's body to the worker's socket nothing is copied, wherever in the body the tensor begins."""
    dtype = DTYPES[name]
    values = np.array([[0, 1, 1], [1, 0, 1]], dtype.numpy)
    body = b"\0" * offset + values.tobytes()
    array = binary.decode("x", "m", memoryview(body)[offset:], dtype, (2, 3))
    np.testing.assert_array_equal(array, values)
    [_, _, sent] = channel.encode(channel.Message("call", {}, {"x": array}))
    assert np.shares_memory(np.frombuffer(sent, np.uint8), np.frombuffer(body, np.uint8))


def test_pairs_become_complex_numbers_in_place():
    """A complex tensor is the same bytes, seen in twos."""
    body = np.float32([[1, 2], [3, 4]]).tobytes()
    pairs = binary.decode("x", "m", memoryview(body), DTYPES["DT_FLOAT"], (2, 2))
    numbers = from_pairs(pairs, np.dtype(np.complex64))
    assert numbers.tolist() == [1 + 2j, 3 + 4j]
    assert np.shares_memory(numbers, np.frombuffer(body, np.uint8))


def test_strings_have_their_lengths_before_them():
    """Four bytes, little-endian, for each element; empty ones too."""
    strings = np.array([[b"ab"], [b""]], object)
    assert binary.encode(strings) == b"\x02\0\0\0ab\0\0\0\0"
    found = binary.decode("x", "m", memoryview(binary.encode(strings)), DTYPES["DT_STRING"], (2, 1))
    assert found.tolist() == strings.tolist()


def test_what_does_not_lie_in_one_piece_is_written_row_by_row():
    """A transposed array, a scalar and nothing at all."""
    assert bytes(binary.encode(np.uint8([[1, 2], [3, 4]]).T)) == b"\1\3\2\4"
    assert bytes(binary.encode(np.array(7, np.int16))) == b"\7\0"
    assert bytes(binary.encode(np.zeros((0, 3)))) == b""
