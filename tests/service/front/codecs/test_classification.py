"""Classes: order, form and shape."""

import numpy as np
import pytest

from service.errors import InvalidRequest
from service.front.codecs.classification import classify


@pytest.mark.parametrize(
    ("array", "classes", "has_rows", "shape", "found"),
    [
        (np.float32([[0.25, 0.75]]), 1, True, (1, 1), [b"0.750000:1"]),
        (np.float64([0.25, 0.75]), 5, False, (2,), [b"0.750000:1", b"0.250000:0"]),
        (np.float32([3, 1]), 2, True, (2, 1), [b"3.000000:0", b"1.000000:0"]),
        (np.uint8([[0, 255, 255]]), 3, True, (1, 3), [b"255:1", b"255:2", b"0:0"]),
        (np.int64([[-(2**63), 2**63 - 1]]), 1, True, (1, 1), [b"9223372036854775807:1"]),
        (np.float32([[np.nan, 1, np.inf]]), 3, True, (1, 3), [b"inf:2", b"1.000000:1", b"nan:0"]),
        (np.float32([[[1, 2], [4, 3]]]), 2, True, (1, 2), [b"4.000000:2", b"3.000000:3"]),
        (np.float32(7), 1, False, (1,), [b"7.000000:0"]),
        (np.zeros((0, 3), np.float32), 2, True, (0, 0), []),
        (np.zeros((0,), np.float32), 2, False, (0,), []),
    ],
)
def test_the_largest_values(array, classes, has_rows, shape, found):
    """Descending, the first of equals first, NaN last, with index; rows one by one, what is behind them flat."""
    result = classify("y", np.asarray(array), classes, has_rows=has_rows)
    assert (result.shape, result.ravel().tolist()) == (shape, found)


@pytest.mark.parametrize("array", [np.array([b"a"], object), np.array([True]), np.array([1j])])
def test_what_has_no_order_has_no_classes(array):
    """Strings, booleans and complex numbers are refused by the output's name."""
    with pytest.raises(InvalidRequest, match="output 'y' cannot be classified"):
        classify("y", array, 1, has_rows=True)
