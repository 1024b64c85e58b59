"""States: pure and mixed ones give the same answers, which are NumPy's."""

from dataclasses import replace

import numpy as np
import pennylane as qml
import pytest
import tensorflow as tf

from qlayer.simulation.register import from_amplitudes
from qlayer.simulation.states import MixedState, PureState

WIRES = 3
generator = np.random.default_rng(2)
AMPLITUDES = generator.normal(size=(2, 2**WIRES)) + 1j * generator.normal(size=(2, 2**WIRES))
AMPLITUDES /= np.linalg.norm(AMPLITUDES, axis=1, keepdims=True)
DENSITIES = np.einsum("bi,bj->bij", AMPLITUDES, AMPLITUDES.conj())
UNITARY = np.linalg.qr(generator.normal(size=(4, 4)) + 1j * generator.normal(size=(4, 4)))[0]
HERMITIAN = UNITARY @ np.diag([1, -2, 0.5, 3]) @ UNITARY.conj().T
CHOSEN = [(0,), (2,), (1, 2), (2, 0), (0, 1, 2), (2, 0, 1)]
STATES = {
    "pure": PureState(from_amplitudes(tf.constant(AMPLITUDES))),
    "mixed": MixedState(from_amplitudes(tf.constant(DENSITIES.reshape(2, -1)))),
}


@pytest.fixture(params=STATES)
def state(request):
    """The same two states, as statevectors and as density matrices."""
    return STATES[request.param]


def test_size_and_precision(state):
    """A state knows how many wires the user sees, and its data type."""
    assert (state.wire_count, state.dtype) == (WIRES, tf.complex128)


def test_probabilities(state):
    """The probabilities are the diagonals of the density matrices."""
    np.testing.assert_allclose(state.probabilities(), np.abs(AMPLITUDES) ** 2, atol=1e-15)


@pytest.mark.parametrize("flips", range(2**WIRES))
@pytest.mark.parametrize("is_imaginary", [False, True])
def test_parity_sums(state, flips, is_imaginary):
    """Sums of the density matrix's elements between basis states and those with some bits flipped, with signs."""
    basis, masks = np.arange(2**WIRES), [0, 3, 5]
    elements = DENSITIES[:, basis, basis ^ flips]
    signs = 1 - 2 * (np.bitwise_count(basis[:, np.newaxis] & np.array(masks)) & 1).astype(int)
    expected = (elements.imag if is_imaginary else elements.real) @ signs
    if flips or not is_imaginary:  # a diagonal is real
        found = state.parity_sums(flips, masks, is_imaginary=is_imaginary)
        np.testing.assert_allclose(found, expected.T, atol=1e-14)


@pytest.mark.parametrize("wires", CHOSEN)
def test_reduced(state, wires):
    """The reduced density matrix of some wires, in any order, is PennyLane's."""
    expected = qml.math.reduce_dm(DENSITIES, wires)
    np.testing.assert_allclose(state.reduced(wires), expected, atol=1e-14)


@pytest.mark.parametrize("wires", [wires for wires in CHOSEN if len(wires) == 2])
def test_expectation_value_and_rotation(state, wires):
    """A matrix has the expectation value of its eigenvalues in the state that is rotated to its eigenbasis."""
    expected = np.trace(qml.math.reduce_dm(DENSITIES, wires) @ HERMITIAN, axis1=1, axis2=2)
    np.testing.assert_allclose(state.expectation_value(wires, HERMITIAN), expected, atol=1e-14)
    rotated = state.rotated(wires, UNITARY.conj().T)
    shares = np.diagonal(rotated.reduced(wires), axis1=1, axis2=2)
    np.testing.assert_allclose(shares @ [1, -2, 0.5, 3], expected, atol=1e-14)


def test_normalized():
    """States of any norm are normalized."""
    for state in (
        PureState(replace(STATES["pure"].register, rows=3 * STATES["pure"].register.rows)),
        MixedState(replace(STATES["mixed"].register, rows=0.2 * STATES["mixed"].register.rows)),
    ):
        np.testing.assert_allclose(state.normalized().reduced(tuple(range(WIRES))), DENSITIES, atol=1e-14)


def test_for_batch(state):
    """A state that the batch shares gets a row for each sample."""
    whole = tuple(range(WIRES))
    shared = type(state)(replace(state.register, rows=state.register.rows[:, :1]))
    np.testing.assert_array_equal(shared.for_batch(4).reduced(whole), [shared.reduced(whole)[0]] * 4)
