"""Register: the parts, wires and rows of a batch of statevectors against NumPy's indices."""

from itertools import permutations

import numpy as np
import pytest
import tensorflow as tf

from qlayer.simulation.register import (
    PART,
    Register,
    from_amplitudes,
    in_order,
    join,
    moved_axes,
    not_differentiated,
    picked,
    place,
)

generator = np.random.default_rng(4)


def amplitudes(batch, wires):
    """Random complex numbers, the batch first."""
    return generator.normal(size=(batch, 2**wires)) + 1j * generator.normal(size=(batch, 2**wires))


def reordered(register, bits):
    """The same register with its bits in another order, by NumPy."""
    axes = [register.bits.index(bit) for bit in bits]
    rows = register.rows.numpy().reshape([2] * len(bits) + [-1])
    return Register(tf.constant(rows.transpose([*axes, len(bits)]).reshape(2 ** len(bits), -1)), bits)


@pytest.mark.parametrize("bits", list(permutations([PART, 0, 1, 2])))
def test_every_order_of_bits(bits):
    """A register holds the amplitudes it was made of in every order of its bits, and can be put into any other."""
    state = amplitudes(2, 3)
    register = reordered(from_amplitudes(tf.constant(state)), bits)
    assert (register.size, register.wire_count) == (8, 3)
    np.testing.assert_array_equal(register.amplitudes, state)
    np.testing.assert_array_equal(register.front, np.concatenate([state.real.T, state.imag.T]))
    exchanged = Register(register.exchanged, register.bits)
    np.testing.assert_array_equal(exchanged.front, np.concatenate([state.imag.T, state.real.T]))
    leading = register.leading((PART, 2))
    assert leading.bits[:2] == (PART, 2)
    np.testing.assert_array_equal(leading.amplitudes, state)


@pytest.mark.parametrize("wires", [1, 4, 14])
@pytest.mark.parametrize("is_affine", [True, False])
def test_permuted(wires, is_affine):
    """Every basis state gets the amplitude of its source, from small and from calculated tables, with gradients."""
    states = np.arange(2**wires)
    sources = states ^ (states >> 1) ^ 1 if is_affine else generator.permutation(states)
    state = amplitudes(2, wires)
    bits = (*range(wires), PART)
    register = reordered(from_amplitudes(tf.constant(state)), bits)
    weights = np.arange(2.0 ** (wires + 1))[:, np.newaxis]
    with tf.GradientTape() as tape:
        tape.watch(register.rows)
        found = Register(register.rows, bits).permuted(sources)
        loss = tf.reduce_sum(found.front * weights)
    np.testing.assert_array_equal(found.amplitudes, state[:, sources])
    gradient = Register(tape.gradient(loss, register.rows), bits).front
    inverse = np.argsort(sources)
    np.testing.assert_array_equal(gradient[:, :1], weights[np.concatenate([inverse, inverse + 2**wires])])


def test_second_derivative_of_a_permutation():
    """The gradient of a permutation has a gradient: the square of a number has the second derivative 2."""
    rows = tf.constant(generator.normal(size=(8, 2)))
    with tf.GradientTape() as outer:
        outer.watch(rows)
        with tf.GradientTape() as inner:
            inner.watch(rows)
            loss = tf.reduce_sum(picked(rows, np.arange(8)[::-1]) ** 2)
        gradient = inner.gradient(loss, rows)
    np.testing.assert_array_equal(outer.gradient(gradient, rows), np.full(rows.shape, 2.0))


@pytest.mark.parametrize("axes", list(permutations(range(4))))
def test_moved_axes(axes):
    """Bits that are moved as axes are where NumPy's transpose puts them."""
    rows = generator.normal(size=(16, 3))
    expected = rows.reshape(2, 2, 2, 2, 3).transpose([*axes, 4]).reshape(16, 3)
    np.testing.assert_array_equal(moved_axes(tf.constant(rows), list(axes)), expected)


def test_large_register():
    """Bits of registers that are too large for tables of rows are moved as axes."""
    wires = 17
    register = from_amplitudes(tf.constant(amplitudes(1, wires)))
    bits = (3, PART, *(wire for wire in range(wires) if wire != 3))
    moved = Register(register.ordered(bits), bits)
    np.testing.assert_array_equal(moved.rows, reordered(register, bits).rows)
    np.testing.assert_array_equal(moved.front, register.rows)
    exchanged = Register(moved.exchanged, bits)
    np.testing.assert_array_equal(exchanged.front, np.roll(register.rows, 2**wires, axis=0))
    assert in_order(2) == (PART, 0, 1)


@pytest.mark.parametrize("wires", range(1, 8))
@pytest.mark.parametrize("batch", [1, 2])
def test_join(wires, batch):
    """The register of unentangled wires is their Kronecker product."""
    vectors = amplitudes(batch * wires, 1).reshape(batch, wires, 2)
    expected = np.ones((batch, 1))
    for wire in range(wires):
        expected = np.einsum("bi,bj->bij", expected, vectors[:, wire]).reshape(batch, -1)
    np.testing.assert_allclose(join(tf.constant(vectors.transpose(1, 2, 0))).amplitudes, expected, rtol=1e-12)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("wires", range(1, 8))
def test_join_of_real_vectors(wires, batch):
    """Real wires are a register without imaginary parts."""
    vectors = generator.normal(size=(wires, 2, batch))
    register = join(tf.constant(vectors))
    assert register.is_real
    assert (register.wire_count, register.size) == (wires, 2**wires)
    np.testing.assert_allclose(register.amplitudes, join(tf.constant(vectors + 0j)).amplitudes, rtol=1e-12)


@pytest.mark.parametrize("wires", [1, 4, 17])
def test_real_amplitudes(wires):
    """A register without imaginary parts is put in order, permuted, and given parts as one that has them."""
    state = generator.normal(size=(2, 2**wires))
    register = place(tf.constant(state), tuple(range(wires)), wires)
    full = from_amplitudes(tf.constant(state + 0j))
    sources = np.arange(2**wires) ^ (np.arange(2**wires) >> 1)
    last = tuple(range(wires))[::-1]
    assert register.leading(last).is_real
    np.testing.assert_array_equal(register.leading(last).amplitudes, state)
    np.testing.assert_array_equal(register.permuted(sources, last).amplitudes, full.permuted(sources).amplitudes)
    np.testing.assert_array_equal(register.with_part.rows, full.rows)
    assert full.with_part is full


@pytest.mark.parametrize("wires", [(0,), (2,), (1, 2), (2, 0), (2, 1, 0), (0, 1, 2)])
def test_place_of_real_amplitudes(wires):
    """Real amplitudes are placed as complex ones are, and stay real."""
    state = generator.normal(size=(2, 2 ** len(wires)))
    found, expected = place(tf.constant(state), wires, 3), place(tf.constant(state + 0j), wires, 3)
    assert found.is_real
    np.testing.assert_array_equal(found.amplitudes, expected.amplitudes)


@pytest.mark.parametrize("wires", [(0,), (2,), (1, 2), (2, 0), (2, 1, 0), (0, 1, 2)])
def test_place(wires):
    """A state is placed on some wires, and found in front of the others, which are in 0."""
    state = amplitudes(2, len(wires))
    moved = place(tf.constant(state), wires, 3).leading((PART, *wires))
    found = np.reshape(moved.rows, (2, 2 ** len(wires), -1, 2))
    np.testing.assert_array_equal(found[0, :, 0].T + 1j * found[1, :, 0].T, state)
    assert not np.any(found[:, :, 1:])


def test_permutations_without_gradients():
    """Where nothing is differentiated, a permutation is one gather, and gives the same rows."""
    rows, order = tf.constant(generator.normal(size=(8, 2))), generator.permutation(8)

    def operations(function):
        graph = tf.function(function, autograph=False).get_concrete_function(rows).graph
        return [operation.type for operation in graph.get_operations()]

    with not_differentiated():
        found = picked(rows, order)
        assert "IdentityN" not in operations(lambda rows: picked(rows, order))
    assert "IdentityN" in operations(lambda rows: picked(rows, order))
    np.testing.assert_array_equal(found, rows.numpy()[order])
