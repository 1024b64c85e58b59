"""Raw requests: which shape follows from a number of bytes."""

import json

import pytest

from service.engine.specs import SignatureSpec, TensorSpec
from service.errors import InvalidRequest, InvalidShape
from service.front.codecs.raw import with_document


def _signatures(*inputs):
    tensors = {f"x{index}": TensorSpec(dtype, shape, "") for index, (dtype, shape) in enumerate(inputs)}
    return {"serving_default": SignatureSpec(tensors, {"y": TensorSpec("DT_FLOAT", (None,), "")}, "")}


@pytest.mark.parametrize(
    ("dtype", "shape", "size", "found"),
    [
        ("DT_FLOAT", (None, 4), 48, [3, 4]),
        ("DT_FLOAT", (None, None), 48, [1, 12]),
        ("DT_FLOAT", (2, None, 2), 48, [2, 3, 2]),
        ("DT_DOUBLE", (), 8, []),
        ("DT_COMPLEX64", (None,), 16, [2, 2]),
        ("DT_STRING", (None,), 5, [1]),
        ("DT_STRING", (None, None), 0, [1, 1]),
        ("DT_FLOAT", (None, 0), 0, [0, 0]),
    ],
)
def test_a_shape_follows_from_the_bytes(dtype, shape, size, found):
    """One free dimension is found; where rows and another are free, there is one row; a string is one element."""
    request, length = with_document(b"\0" * size, "m", _signatures((dtype, shape)))
    document = json.loads(request[:length])
    [tensor] = document["inputs"]
    assert tensor["shape"] == found
    assert tensor["parameters"]["binary_data_size"] == len(request) - length
    assert document["parameters"] == {"binary_data_output": True}


def test_several_inputs_cannot_be_told_apart():
    """The error has the number of inputs."""
    with pytest.raises(InvalidRequest, match=r"Raw request must only have 1 input \(found 1\) to be deduced but got 2"):
        with_document(b"", "m", _signatures(("DT_FLOAT", (None,)), ("DT_FLOAT", (None,))))


@pytest.mark.parametrize("shape", [None, (None, None, None), (2, None, None)])
def test_a_shape_that_does_not_follow(shape):
    """An unknown rank, or more than one free dimension beside the rows, need a document."""
    with pytest.raises(InvalidShape, match="send a document with its shape"):
        with_document(b"\0" * 8, "m", _signatures(("DT_FLOAT", shape)))
