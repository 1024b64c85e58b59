"""Register: the parts, wires and rows of a batch of statevectors against NumPy's indices."""

import numpy as np
import pytest
import tensorflow as tf

from qlayer import register as register_module
from qlayer.register import PART, Register, from_amplitudes, in_order, join, place

generator = np.random.default_rng(4)


def amplitudes(batch, wires):
    """Random complex numbers, the batch first."""
    return generator.normal(size=(batch, 2**wires)) + 1j * generator.normal(size=(batch, 2**wires))


def in_every_order(state):
    """The register of some amplitudes with its bits in order, and with the part in the middle and last."""
    register = from_amplitudes(tf.constant(state))
    wires = range(register.wire_count)
    last = (*reversed(wires), PART)
    return register, register.leading((register.wire_count - 1, PART)), register.leading(last)


@pytest.fixture(params=["indices", "axes"])
def moves(request, monkeypatch):
    """Both ways of moving bits: small registers by indices, large ones as axes."""
    if request.param == "axes":
        monkeypatch.setattr(register_module, "_INDEXED_MAX_BITS", 0)


@pytest.mark.usefixtures("moves")
@pytest.mark.parametrize("batch", [1, 3])
def test_there_and_back(batch):
    """A register holds the amplitudes it was made of, and knows its size, whatever the order of its bits."""
    state = amplitudes(batch, 3)
    for register in in_every_order(state):
        np.testing.assert_array_equal(register.amplitudes, state)
        np.testing.assert_array_equal(register.parts, [state.real.T, state.imag.T])
        np.testing.assert_array_equal(register.front, np.concatenate([state.real.T, state.imag.T]))
        np.testing.assert_array_equal(register.exchanged, np.concatenate([state.imag.T, state.real.T]))
        assert (register.size, register.wire_count) == (8, 3)


@pytest.mark.usefixtures("moves")
@pytest.mark.parametrize("wires", [1, 4, 14])
@pytest.mark.parametrize("is_affine", [True, False])
def test_permuted(wires, is_affine):
    """Every basis state gets the amplitude of its source, from small and from calculated tables, with gradients."""
    states = np.arange(2**wires)
    sources = states ^ (states >> 1) ^ 1 if is_affine else generator.permutation(states)
    state = amplitudes(2, wires)
    for register in in_every_order(state):
        with tf.GradientTape() as tape:
            tape.watch(register.rows)
            found = register.permuted(sources)
            both = np.tile(np.arange(2.0**wires), 2)[:, np.newaxis]
            loss = tf.reduce_sum(found.front * tf.constant(both))
        np.testing.assert_array_equal(found.amplitudes, state[:, sources])
        gradient = Register(tape.gradient(loss, register.rows), register.bits).front
        expected = np.broadcast_to(np.tile(np.argsort(sources), 2)[:, np.newaxis], (2 ** (wires + 1), 2))
        np.testing.assert_array_equal(gradient, expected)


def test_second_derivative_of_a_permutation():
    """The gradient of a permutation has a gradient: the square of an amplitude has the second derivative 2."""
    rows = from_amplitudes(tf.constant(amplitudes(2, 3))).rows
    with tf.GradientTape() as outer:
        outer.watch(rows)
        with tf.GradientTape() as inner:
            inner.watch(rows)
            loss = tf.reduce_sum(Register(rows, in_order(3)).permuted(np.arange(8)[::-1]).rows ** 2)
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


@pytest.mark.usefixtures("moves")
@pytest.mark.parametrize("wires", [(0,), (2,), (1, 2), (2, 0), (2, 1, 0), (0, 1, 2)])
def test_place_and_move(wires):
    """A state is placed on some wires, found in front of the others, and moved back; the other wires are in 0."""
    state = amplitudes(2, len(wires))
    register = place(tf.constant(state), wires, 3)
    leading = register.leading((PART, *wires))
    assert leading.bits[: len(wires) + 1] == (PART, *wires)
    found = np.reshape(leading.rows, (2, 2 ** len(wires), -1, 2))
    np.testing.assert_array_equal((found[0] + 1j * found[1])[:, 0].T, state)
    assert not np.any(found[:, :, 1:])
    np.testing.assert_array_equal(leading.leading(in_order(3)).amplitudes, register.amplitudes)
