"""Row orders against plain numpy: sources, their inverses and the tensors that are calculated from halves."""

import numpy as np
import pytest
import tensorflow as tf

from qlayer.simulation.row_order import TABLE_MAX_ROWS, RowOrder

SMALL, LARGE = TABLE_MAX_ROWS, 4 * TABLE_MAX_ROWS


def affine(rng, size):
    """Sources of a random affine order: row operations on single bits, then flips."""
    sources = np.arange(size)
    bits = size.bit_length() - 1
    for _ in range(3 * bits):
        control, target = rng.choice(bits, 2, replace=False)
        sources = sources ^ ((sources >> control & 1) << target)
    return sources ^ int(rng.integers(size))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [SMALL, LARGE])
@pytest.mark.parametrize("is_affine", [True, False])
def test_sources_inverse_and_indices(size, seed, is_affine):
    """Whatever it is kept as, an order is the one that it was made of."""
    rng = np.random.default_rng(seed)
    sources = affine(rng, size) if is_affine else rng.permutation(size)
    order = RowOrder.of(sources)
    np.testing.assert_array_equal(order.sources, sources)
    np.testing.assert_array_equal(order.inverse.sources, np.argsort(sources))
    values = rng.normal(size=(size, 2))
    indices = order.indices(tf.constant(values))
    assert indices.dtype == tf.int32
    np.testing.assert_array_equal(tf.gather(values, indices), values[sources])


def test_large_affine_orders_are_kept_as_halves():
    """Two tables of the square root of the size; what is small or not affine is one table."""
    rng = np.random.default_rng(7)
    orders = affine(rng, SMALL), affine(rng, LARGE), rng.permutation(LARGE)
    tables = [RowOrder.of(sources).tables for sources in orders]
    assert [[len(table) for table in own] for own in tables] == [[SMALL], [256, 128], [LARGE]]
