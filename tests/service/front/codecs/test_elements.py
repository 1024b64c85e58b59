"""Integers that NumPy alone would round."""

import pytest

from service.engine.specs import DTYPES
from service.errors import InvalidValue
from service.front.codecs.elements import array_of


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ([0, 2**63], "DT_UINT64"),
        ([[2**64 - 1, 1]], "DT_UINT64"),
        ([-(2**63), 2**63 - 1], "DT_INT64"),
    ],
)
def test_small_and_very_large_integers_together_are_exact(value, name):
    """NumPy makes floats of them when it is not told what they are."""
    array = array_of(value, DTYPES[name], may_hold_booleans=False)
    assert (array.dtype, array.tolist()) == (DTYPES[name].numpy, value)


@pytest.mark.parametrize(
    ("value", "name", "fragment"),
    [
        ([0, 2**63], "DT_INT64", "out of range for type: int64"),
        ([-1, 2**63], "DT_UINT64", "out of range for type: uint64"),
        ([0, 2**64], "DT_UINT64", "out of range for type: uint64"),
        ([0, 2**63, 1.0], "DT_UINT64", "JSON Value: 1.0 Type: Number is not of expected type: uint64"),
    ],
)
def test_integers_out_of_range_are_refused(value, name, fragment):
    """With the type they do not fit, and not as another number."""
    with pytest.raises(InvalidValue, match=fragment):
        array_of(value, DTYPES[name], may_hold_booleans=False)
