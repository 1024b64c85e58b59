"""Kernels against NumPy's Kronecker products on random states."""

from functools import reduce

import numpy as np
import pytest
import tensorflow as tf

from qlayer.circuits.circuit import Parameter
from qlayer.circuits.plan import Angle, Chain, Layer, VariableStep
from qlayer.simulation.kernels import (
    BLOCK_MAX_WIRES,
    Angles,
    apply_layer,
    apply_layer_to_wires,
    apply_matrix,
    block_matrices,
    block_stacks,
    blocks_of,
    layer_matrices,
    real_matrices,
    variable_matrix,
)
from qlayer.simulation.register import PART, from_amplitudes

generator = np.random.default_rng(6)
NO_ELEMENTS = Parameter((1, 1), (1,))


def complex_normal(*shape):
    """Random complex numbers."""
    return generator.normal(size=shape) + 1j * generator.normal(size=shape)


def on_wires(state, wires, matrix):
    """A matrix on some wires of amplitudes (b, 2 ** n), by moving their axes to the end and back."""
    count = state.shape[1].bit_length() - 1
    axes = [1 + wire for wire in wires]
    last = range(count + 1 - len(wires), count + 1)
    moved = np.moveaxis(state.reshape(-1, *[2] * count), axes, last)
    applied = np.einsum("...ij,b...j->b...i", matrix, moved.reshape(len(state), -1, 2 ** len(wires)))
    return np.moveaxis(applied.reshape(moved.shape), last, axes).reshape(state.shape)


def weight_angles(values):
    """Angles that the batch shares."""
    return Angles(tf.constant([values], tf.float64), tf.zeros([1, 0], tf.float64))


def test_layer_matrices():
    """The unitary of a wire is the product of its chain; wires without one are left alone, whatever the lengths."""
    values = [0.4, -1.3, 2.2]
    chains = {
        (row, wire): Chain(
            tuple(complex_normal(2, 2) for _ in range(length + 1)),
            tuple((Angle(place % 3, is_input_dependent=False), (0.5, -1.5)) for place in range(length)),
        )
        for (row, wire), length in {(0, 0): 0, (0, 2): 3, (1, 1): 5, (1, 0): 1}.items()
    }
    layers = tuple(Layer(tuple((wire, chain) for (r, wire), chain in chains.items() if r == row)) for row in range(2))
    found = layer_matrices(layers, 3, weight_angles(values)).numpy()
    for row, wire in np.ndindex(2, 3):
        expected = np.eye(2)
        if (row, wire) in chains:
            chain = chains[row, wire]
            expected = chain.matrices[0]
            for matrix, (angle, multiples) in zip(chain.matrices[1:], chain.phases, strict=True):
                expected = matrix @ np.diag(np.exp(1j * np.array(multiples) * values[angle.index])) @ expected
        np.testing.assert_allclose(found[row, wire], expected, rtol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_samples(seed):
    """The sample of a chain is its product at the samples of the angles, which are all different."""
    chooser = np.random.default_rng(seed)
    angles = [Angle(int(index), is_input_dependent=False) for index in chooser.integers(0, 6, 4)]
    chain = Chain(tuple(complex_normal(2, 2) for _ in range(5)), tuple((angle, (0.5, -1.5)) for angle in angles))
    values = [Angle(index, is_input_dependent=False).sample for index in range(6)]
    found = layer_matrices((Layer(((0, chain),)),), 1, weight_angles(values))
    np.testing.assert_allclose(found[0, 0], chain.sample, rtol=1e-12)
    everything = {Angle(index, is_input_dependent=varies).sample for index in range(500) for varies in (True, False)}
    assert len(everything) == 1000


def test_layers_without_angles():
    """Layers of constants alone take no angles."""
    matrix = complex_normal(2, 2)
    found = layer_matrices((Layer(((1, Chain((matrix,), ())),)),), 2, weight_angles([]))
    np.testing.assert_allclose(found, [[np.eye(2), matrix]])


def layer_on(wires):
    """A layer on some wires."""
    return Layer(tuple((wire, Chain((np.eye(2),), ())) for wire in wires))


@pytest.mark.parametrize("wires", range(1, 30))
def test_blocks_of_all_wires(wires):
    """The blocks are neighbours and cover all wires, as few as can be, and their sizes differ by one at most."""
    blocks = blocks_of(layer_on(range(wires)), wires)
    assert [wire for block in blocks for wire in block] == list(range(wires))
    assert len(blocks) == -(-wires // BLOCK_MAX_WIRES)
    assert max(map(len, blocks)) - min(map(len, blocks)) <= 1


@pytest.mark.parametrize(
    ("touched", "wires", "blocks"),
    [
        ([1], 4, ((0, 1, 2, 3),)),
        ([0, 9], 10, ((0, 9),)),
        ([0, 3, 5, 7, 8, 9], 10, ((0, 3, 5), (7, 8, 9))),
        ([0, 1, 19], 20, ((0, 1, 2, 3, 4), (15, 16, 17, 18, 19))),
    ],
)
def test_blocks_of_some_wires(touched, wires, blocks):
    """Only the wires that a layer touches, except where a fixed block costs less."""
    assert blocks_of(layer_on(touched), wires) == blocks


@pytest.mark.parametrize("shape", [(2, 2), (1, 4, 4), (3, 8, 8)])
def test_real_matrices(shape):
    """The real matrix takes (part, state) to (state, part) as the complex one takes states to states."""
    matrices, states = complex_normal(*shape), complex_normal(*shape[:-1], 1)
    real = real_matrices(tf.constant(matrices)).numpy()
    assert real.shape == (int(np.prod(shape[:-2])), 2 * shape[-1], 2 * shape[-1])
    parts = np.concatenate([states.real, states.imag], axis=-2).reshape(len(real), -1, 1)
    found = (real @ parts).reshape(-1, shape[-1], 2)
    np.testing.assert_allclose(found[..., 0] + 1j * found[..., 1], (matrices @ states).reshape(-1, shape[-1]))


@pytest.mark.parametrize("are_real", [(False, False), (False, True), (True, False)])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("wires", range(1, 12))
def test_layer_on_a_register(wires, batch, are_real):
    """A layer is the Kronecker product of its matrices, one layer after another, in whatever blocks of wires."""
    state, matrices = complex_normal(batch, 2**wires), complex_normal(2, wires, 2, 2)
    matrices.imag[list(are_real)] = 0
    register = from_amplitudes(tf.constant(state))
    order = np.random.default_rng(wires).permutation(wires).tolist()
    blocks = [blocks_of(layer_on(range(wires)), wires), tuple(tuple(order[i : i + 3]) for i in range(0, wires, 3))]
    stacks = block_stacks(tf.constant(matrices), blocks, are_real)
    for places, found in zip(blocks, block_matrices(stacks, blocks, are_real), strict=True):
        register = apply_layer(register, places, found)
    for layer in matrices:
        if wires <= 6:
            state = state @ reduce(np.kron, layer).T
        else:
            state = reduce(lambda moved, wire: on_wires(moved, (wire,), layer[wire]), range(wires), state)
    np.testing.assert_allclose(register.amplitudes, state, rtol=1e-9, atol=1e-9 * np.abs(state).max())


def test_no_layers():
    """No layers have no matrices."""
    assert block_stacks(tf.zeros([0, 3, 2, 2], tf.complex128), [], []) == block_matrices([], [], []) == []


def test_layer_on_unentangled_wires():
    """Each wire's vector is multiplied by its own matrix."""
    vectors, matrices = complex_normal(3, 2, 4), complex_normal(3, 2, 2)
    np.testing.assert_allclose(apply_layer_to_wires(tf.constant(vectors), tf.constant(matrices)), matrices @ vectors)


@pytest.mark.parametrize("dtype", [tf.complex64, tf.complex128])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("wires", [(0,), (3,), (2, 0), (1, 2), (3, 1, 0), (0, 1, 2, 3)])
def test_matrix_on_some_wires(wires, count, dtype):
    """A matrix acts on its wires in their order, shared by all samples or one for each, in either precision."""
    state, matrices = complex_normal(3, 16), complex_normal(count, 2 ** len(wires), 2 ** len(wires))
    # with its bits in disorder, as the steps in front leave them
    register = from_amplitudes(tf.constant(state, dtype)).leading((2, PART, 1))
    found = apply_matrix(register, wires, tf.constant(matrices, dtype)).amplitudes
    assert found.dtype == dtype
    expected = np.concatenate(
        [on_wires(state[[row]], wires, matrices[row % count]) for row in range(3)],
    )
    np.testing.assert_allclose(found, expected, rtol=1e-4 if dtype == tf.complex64 else 1e-12, atol=1e-4)


def test_matrix_for_each_sample_on_a_shared_state():
    """A state that the batch shares gets a row for each matrix."""
    state, matrices = complex_normal(1, 8), complex_normal(4, 4, 4)
    found = apply_matrix(from_amplitudes(tf.constant(state)), (2, 0), tf.constant(matrices)).amplitudes
    np.testing.assert_allclose(found, [on_wires(state, (2, 0), matrix)[0] for matrix in matrices])


@pytest.mark.parametrize("is_adjoint", [False, True])
@pytest.mark.parametrize("is_conjugate", [False, True])
@pytest.mark.parametrize("controls", [0, 1, 2])
def test_variable_matrix(controls, is_conjugate, is_adjoint):
    """A calculated matrix acts where its controls are 1, as it is, transposed, conjugate or both."""
    elements = complex_normal(2, 2, 2)
    step = VariableStep(tuple(range(controls + 1)), controls, is_adjoint, is_conjugate, NO_ELEMENTS)
    found = variable_matrix(step, tf.constant(elements.reshape(2, 4)))
    acting = elements.conj().transpose(0, 2, 1) if is_adjoint else elements
    acting = acting.conj() if is_conjugate else acting
    expected = np.array([np.eye(2 ** (controls + 1), dtype=complex)] * 2)
    expected[:, -2:, -2:] = acting
    np.testing.assert_array_equal(found, expected)
