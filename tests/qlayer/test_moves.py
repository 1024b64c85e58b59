"""Moves: every kind of move is what NumPy says it is, and undone it leaves the register as it was."""

import numpy as np
import pytest
import tensorflow as tf

from qlayer.simulation.kernels import block_matrices, block_stacks
from qlayer.simulation.moves import LayerMove, MatrixMove, PermutationMove, PhaseMove, applied
from qlayer.simulation.register import PART, from_amplitudes, in_order, place

WIRES = 3
IN_ORDER = in_order(WIRES)
generator = np.random.default_rng(8)


def unitaries(*shape):
    """Random unitary matrices."""
    real, imag = generator.normal(size=(2, *shape))
    return np.linalg.qr(real + 1j * imag)[0]


def _layer():
    matrices = unitaries(WIRES, 2, 2)
    blocks = ((2, 0), (1,))
    (found,) = block_matrices(block_stacks(tf.constant(matrices[np.newaxis]), [blocks], [False]), [blocks], [False])
    return LayerMove(blocks, tuple(found)), np.kron(np.kron(*matrices[:2]), matrices[2])


def _phase():
    angles = generator.normal(size=(2**WIRES, 1))
    cos, sin = np.cos(angles), np.sin(angles)
    factors = np.concatenate([cos, cos]), np.concatenate([-sin, sin])
    return PhaseMove(in_order(WIRES), tuple(map(tf.constant, factors))), np.diag(np.exp(1j * angles[:, 0]))


def _permutation(before=IN_ORDER, after=(PART, 2, 0, 1)):
    sources = generator.permutation(2**WIRES)
    return PermutationMove(sources, before, after), np.eye(2**WIRES)[sources]


def _matrix():
    matrix = unitaries(4, 4)
    return MatrixMove((0, 1), (tf.constant(matrix[np.newaxis]),)), np.kron(matrix, np.eye(2))


MOVES = {"layer": _layer, "phase": _phase, "permutation": _permutation, "matrix": _matrix}


@pytest.fixture
def state():
    """Two random states."""
    return generator.normal(size=(2, 2**WIRES)) + 1j * generator.normal(size=(2, 2**WIRES))


@pytest.mark.parametrize("kind", MOVES)
@pytest.mark.parametrize("bits", [(PART, 0, 1, 2), (2, 0, PART, 1)])
def test_applied_and_undone(kind, bits, state):
    """A move multiplies every state with its matrix, whatever the order of the bits, and is undone."""
    move, matrix = MOVES[kind]()
    register = from_amplitudes(tf.constant(state)).leading(bits)
    after = move.apply(register, move.tensors)
    np.testing.assert_allclose(after.amplitudes, state @ matrix.T, atol=1e-13)
    np.testing.assert_allclose(move.undo(after, move.tensors).amplitudes, state, atol=1e-13)


REAL_MOVES = MOVES | {"permutation": lambda: _permutation((0, 1, 2), (2, 0, 1))}


@pytest.mark.parametrize("kind", REAL_MOVES)
@pytest.mark.parametrize("bits", [(0, 1, 2), (2, 0, 1)])
def test_of_real_amplitudes(kind, bits, state):
    """A move does the same to amplitudes that are known to be real."""
    move, matrix = REAL_MOVES[kind]()
    register = place(tf.constant(state.real), (0, 1, 2), WIRES).leading(bits)
    after = move.apply(register, move.tensors)
    np.testing.assert_allclose(after.amplitudes, state.real @ matrix.T, atol=1e-13)


@pytest.mark.parametrize("bits", [(0, 1, 2), (2, 0, 1), (PART, 0, 1, 2), (2, 0, PART, 1)])
def test_real_layers(bits, state):
    """A layer of real matrices leaves real amplitudes real, and is undone."""
    matrices = np.linalg.qr(generator.normal(size=(WIRES, 2, 2)))[0]
    blocks = ((2, 0), (1,))
    stacks = block_stacks(tf.constant(matrices[np.newaxis] + 0j), [blocks], [True])
    move = LayerMove(blocks, *block_matrices(stacks, [blocks], [True]))
    values = state if PART in bits else state.real
    register = place(tf.constant(values), (0, 1, 2), WIRES).leading(bits)
    after = move.apply(register, move.tensors)
    assert after.is_real == (PART not in bits)
    expected = values @ np.kron(np.kron(*matrices[:2]), matrices[2]).T
    np.testing.assert_allclose(after.amplitudes, expected, atol=1e-13)
    np.testing.assert_allclose(move.undo(after, move.tensors).amplitudes, values, atol=1e-13)


def test_matrices_of_samples(state):
    """A matrix that changes from sample to sample acts on each sample alone, and is undone."""
    matrices = unitaries(2, 4, 4)
    move = MatrixMove((2, 0), (tf.constant(matrices),))
    register = from_amplitudes(tf.constant(state))
    after = move.apply(register, move.tensors)
    moved = state.reshape(2, 2, 2, 2).transpose(0, 3, 1, 2).reshape(2, 4, 2)
    expected = (matrices @ moved).reshape(2, 2, 2, 2).transpose(0, 2, 3, 1).reshape(2, -1)
    np.testing.assert_allclose(after.amplitudes, expected, atol=1e-13)
    np.testing.assert_allclose(move.undo(after, move.tensors).amplitudes, state, atol=1e-13)


def test_one_after_the_other(state):
    """Moves are applied in their order."""
    moves, matrices = zip(*(make() for make in MOVES.values()), strict=True)
    register = applied(from_amplitudes(tf.constant(state)), moves)
    for matrix in matrices:
        state = state @ matrix.T
    np.testing.assert_allclose(register.amplitudes, state, atol=1e-12)
