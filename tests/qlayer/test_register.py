"""Register: the parts, wires and rows of a batch of statevectors against NumPy's indices."""

import numpy as np
import pytest
import tensorflow as tf

from qlayer.register import Register, from_amplitudes, join, moved_back, moved_to_front, place

generator = np.random.default_rng(4)


def amplitudes(batch, wires):
    """Random complex numbers, the batch first."""
    return generator.normal(size=(batch, 2**wires)) + 1j * generator.normal(size=(batch, 2**wires))


def both_layouts(state):
    """The register of some amplitudes with its parts first, and with its parts second."""
    register = from_amplitudes(tf.constant(state))
    return register, Register(tf.transpose(register.values, [1, 0, 2]), has_parts_first=False)


@pytest.mark.parametrize("batch", [1, 3])
def test_there_and_back(batch):
    """A register holds the amplitudes it was made of, and knows its size, in both layouts."""
    state = amplitudes(batch, 3)
    for register in both_layouts(state):
        np.testing.assert_array_equal(register.amplitudes, state)
        np.testing.assert_array_equal(register.front, [state.real.T, state.imag.T])
        assert (register.size, register.wire_count) == (8, 3)


@pytest.mark.parametrize("wires", [1, 4, 14])
@pytest.mark.parametrize("is_affine", [True, False])
def test_permuted(wires, is_affine):
    """Every basis state gets the amplitude of its source, from small and from calculated tables, with gradients."""
    states = np.arange(2**wires)
    sources = states ^ (states >> 1) ^ 1 if is_affine else generator.permutation(states)
    state = amplitudes(2, wires)
    for register in both_layouts(state):
        with tf.GradientTape() as tape:
            tape.watch(register.values)
            found = register.permuted(sources)
            loss = tf.reduce_sum(found.front * tf.constant(np.arange(2.0**wires))[:, tf.newaxis])
        np.testing.assert_array_equal(found.amplitudes, state[:, sources])
        gradient = Register(tape.gradient(loss, register.values), register.has_parts_first).front
        expected = np.broadcast_to(np.argsort(sources)[:, np.newaxis], (2, 2**wires, 2))
        np.testing.assert_array_equal(gradient, expected)


def test_second_derivative_of_a_permutation():
    """The gradient of a permutation has a gradient: the square of an amplitude has the second derivative 2."""
    rows = from_amplitudes(tf.constant(amplitudes(2, 3))).values
    with tf.GradientTape() as outer:
        outer.watch(rows)
        with tf.GradientTape() as inner:
            inner.watch(rows)
            loss = tf.reduce_sum(Register(rows).permuted(np.arange(8)[::-1]).values ** 2)
        gradient = inner.gradient(loss, rows)
    np.testing.assert_array_equal(outer.gradient(gradient, rows), np.full(rows.shape, 2.0))


@pytest.mark.parametrize("wires", range(1, 8))
@pytest.mark.parametrize("batch", [1, 2])
def test_join(wires, batch):
    """The register of unentangled wires is their Kronecker product."""
    vectors = amplitudes(batch * wires, 1).reshape(batch, wires, 2)
    expected = np.ones((batch, 1))
    for wire in range(wires):
        expected = np.einsum("bi,bj->bij", expected, vectors[:, wire]).reshape(batch, -1)
    np.testing.assert_allclose(join(tf.constant(vectors.transpose(1, 2, 0))).amplitudes, expected, rtol=1e-12)


@pytest.mark.parametrize("wires", [(0,), (2,), (1, 2), (2, 0), (2, 1, 0), (0, 1, 2)])
def test_place_and_move(wires):
    """A state is placed on some wires, found in front of the others, and moved back; the other wires are in 0."""
    state = amplitudes(2, len(wires))
    register = place(tf.constant(state), wires, 3)
    moved = moved_to_front(register, wires)
    found = np.reshape(tf.complex(*moved), (2 ** len(wires), -1, 2))
    np.testing.assert_array_equal(found[:, 0].T, state)
    assert not np.any(found[:, 1:])
    others = tuple(wire for wire in range(3) if wire not in wires)
    np.testing.assert_array_equal(moved_back(moved, (*wires, *others)).amplitudes, register.amplitudes)
