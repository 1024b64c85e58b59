"""Register: the axes of a statevector against NumPy's indices."""

import numpy as np
import pytest
import tensorflow as tf

from qlayer.register import flip, join, place, to_end

generator = np.random.default_rng(4)


@pytest.mark.parametrize("wires", [1, 3, 4])
def test_every_mask_is_flipped(wires):
    """The amplitude of each basis state is that of the state with the bits of the mask flipped."""
    state = generator.normal(size=(2, 2**wires))
    for mask in range(2**wires):
        np.testing.assert_array_equal(flip(tf.constant(state), mask), state[:, np.arange(2**wires) ^ mask])


@pytest.mark.parametrize("mask", [0b1010101010, 0b0101010101, 0b1101101101, 0b1111111111, 0b1000000001])
def test_more_runs_than_tensorflow_reverses(mask):
    """On ten wires, masks of as many as five runs of bits are flipped, with gradients."""
    state = tf.constant(generator.normal(size=(2, 1024)))
    with tf.GradientTape() as tape:
        tape.watch(state)
        found = flip(state, mask)
        loss = tf.reduce_sum(found * np.arange(1024))
    order = np.arange(1024) ^ mask
    np.testing.assert_array_equal(found, state.numpy()[:, order])
    np.testing.assert_array_equal(tape.gradient(loss, state), [order] * 2)


@pytest.mark.parametrize("wires", range(1, 8))
def test_join(wires):
    """The register of unentangled wires is their Kronecker product."""
    vectors = generator.normal(size=(2, wires, 2))
    expected = [np.array(1.0), np.array(1.0)]
    for wire in range(wires):
        expected = [np.kron(found, vector) for found, vector in zip(expected, vectors[:, wire], strict=True)]
    np.testing.assert_allclose(join(tf.constant(vectors)), expected, rtol=1e-12)


@pytest.mark.parametrize("wires", [(0,), (2,), (1, 2), (2, 0), (2, 1, 0)])
def test_place_and_to_end(wires):
    """A state is placed on some wires, and read there again; all other wires are in 0."""
    amplitudes = generator.normal(size=(2, 2 ** len(wires)))
    moved, _ = to_end(place(tf.constant(amplitudes), wires, 3), wires)
    found = np.reshape(moved, (2, -1, 2 ** len(wires)))
    np.testing.assert_array_equal(found[:, 0], amplitudes)
    assert not np.any(found[:, 1:])
