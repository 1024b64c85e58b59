"""Batch sizes that a model was compiled for: which one holds a call, and what is padded."""

import numpy as np
import pytest

from service.engine.specs import SignatureSpec, TensorSpec
from service.front.models.buckets import Buckets


def signature(rows, features=4, dtype="DT_FLOAT"):
    """A signature from x of shape (rows, features) to y of shape (rows, 2)."""
    x, y = TensorSpec(dtype, (rows, features), "x:0"), TensorSpec("DT_FLOAT", (rows, 2), "y:0")
    return SignatureSpec({"x": x}, {"y": y}, "")


SIGNATURES = {
    "serving_default": signature(None),
    "batch_8": signature(8),
    "batch_2": signature(2),
    "batch_3": signature(4),  # not what its name says
    "batch_16": signature(16, features=5),  # of another model
    "batch_x": signature(1),
}


@pytest.mark.parametrize(("rows", "size"), [(1, 2), (2, 2), (3, 8), (8, 8), (9, None), (0, None)])
def test_the_smallest_that_holds_the_rows(rows, size):
    """Rows go to the smallest size that holds them; more rows than the largest to the free batch."""
    bucket = Buckets(SIGNATURES).holding("serving_default", {"x": np.zeros((rows, 4))})
    assert (bucket and (bucket.signature, bucket.size)) == (size and (f"batch_{size}", size))


def test_padding_is_a_real_row_and_is_cut_off():
    """Behind the rows stand copies of the last one, and their outputs are not returned."""
    x = np.arange(12.0).reshape(3, 4)
    bucket = Buckets(SIGNATURES).holding("serving_default", {"x": x})
    padded = bucket.padded({"x": x})["x"]
    np.testing.assert_array_equal(padded, [*x, *[x[-1]] * 5])
    np.testing.assert_array_equal(bucket.cut({"y": padded})["y"], x)


def test_other_signatures_have_no_buckets():
    """Buckets are for the default signature alone, and a model without one has none."""
    assert Buckets(SIGNATURES).holding("batch_2", {"x": np.zeros((1, 4))}) is None
    assert Buckets({"batch_2": signature(2)}).holding("serving_default", {"x": np.zeros((1, 4))}) is None
