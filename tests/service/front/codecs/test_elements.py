"""Integers that NumPy alone would round."""

import numpy as np
import pytest

from service.engine.specs import DTYPES
from service.errors import InvalidShape, InvalidValue
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


@pytest.mark.parametrize("text", ["aGk=", "aGk", "aG k=\n", "\taGk= "])
def test_base64_is_taken_as_people_write_it(text):
    """With white space and without padding, as TensorFlow Serving takes it."""
    assert array_of([{"b64": text}], DTYPES["DT_STRING"], may_hold_booleans=False).tolist() == [b"hi"]


@pytest.mark.parametrize("value", [[[1.0, True]], [[[1, 2], [3, False]]], True, [1, [True]], [[1], [2, 3]]])
def test_a_boolean_among_numbers_is_found(value):
    """However deep it is, and in ragged lists."""
    with pytest.raises((InvalidValue, InvalidShape)):
        array_of(value, DTYPES["DT_FLOAT"], may_hold_booleans=True)


def test_numbers_beside_the_word_true_cost_little_more():
    """They are looked at without Python for each of them: the array is right, whatever else the body says."""
    value = [[1, 2.5]] * 1000
    assert array_of(value, DTYPES["DT_FLOAT"], may_hold_booleans=True).tolist() == value
    assert array_of([[], []], DTYPES["DT_FLOAT"], may_hold_booleans=True).shape == (2, 0)


@pytest.mark.parametrize(
    ("value", "fragment"),
    [
        ([[1, 2], [3, None]], r"null Type: Null is not of expected type: float, at \[1\]\[1\]"),
        ([[1, 2], [3]], r"unexpected size: 1 at level: 1 expected size: 2, at \[1\]"),
        ([[1], 2], r"Expecting a list of size: 1 at level: 1 but got: 2, at \[1\]"),
        ([1, [2]], r"expected a single value, at \[1\]"),
    ],
)
def test_the_place_of_what_is_wrong_is_told(value, fragment):
    """As the indices of the lists it is in."""
    with pytest.raises((InvalidValue, InvalidShape), match=fragment):
        array_of(value, DTYPES["DT_FLOAT"], may_hold_booleans=False)


@pytest.mark.parametrize("value", [[2**64], [[1.5, 2**70]], [float("inf"), -(2**100)]])
def test_whole_numbers_beyond_64_bits_are_floats(value):
    """As the JSON parser that is quick makes them, also where the one that is exact has read them."""
    array = array_of(value, DTYPES["DT_FLOAT"], may_hold_booleans=False)
    assert array.tolist() == np.array(value, np.float64).astype(np.float32).tolist()
    with pytest.raises(InvalidValue, match="out of range for type: float"):
        array_of([10**400], DTYPES["DT_FLOAT"], may_hold_booleans=False)


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
