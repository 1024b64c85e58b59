"""Orders: every step finds the bits in the order that it was told, and moves the state no more than it has to."""

from itertools import permutations

import numpy as np
import pytest
import tensorflow as tf

from qlayer.circuits.plan import Angle, Chain, Layer, MaskTerm, MatrixStep, PhaseStep
from qlayer.simulation.kernels import apply_matrix, apply_real_matrix
from qlayer.simulation.orders import orders, placed
from qlayer.simulation.phases import parities
from qlayer.simulation.register import PART, from_amplitudes, in_order

WIRES = 3
IN_ORDER = in_order(WIRES)
INPUT = Angle(0, is_input_dependent=True)
WEIGHT = Angle(0, is_input_dependent=False)


def layer(*wires, is_real=False):
    """A layer on some wires."""
    return Layer(tuple((wire, Chain((np.eye(2) if is_real else np.diag([1, 1j]),), ())) for wire in wires))


def matrix(*wires):
    """A matrix on some wires."""
    return MatrixStep(wires, np.eye(2 ** len(wires)))


def phase(angle, *, is_permuting=False):
    """A diagonal, perhaps with a permutation."""
    return PhaseStep((MaskTerm(5, 1.0, angle),), np.roll(np.arange(2**WIRES), 1) if is_permuting else None, 0)


def test_no_steps():
    """No steps have no orders."""
    assert orders([], IN_ORDER) == []


def test_matrices_leave_their_bits_in_front():
    """A step acts in the order that the one in front of it left: here the register is one block of wires."""
    assert orders([layer(0), matrix(2, 0), phase(WEIGHT)], IN_ORDER) == [
        (IN_ORDER, (0, 1, 2, PART)),
        ((0, 1, 2, PART), (2, 0, PART, 1)),
        ((2, 0, PART, 1), (2, 0, PART, 1)),
    ]


@pytest.mark.parametrize(
    ("following", "order"),
    [
        ([matrix(2)], (PART, 2, 0, 1)),
        ([layer(1)], IN_ORDER),
        ([layer(1, is_real=True)], (0, 1, 2, PART)),
        ([phase(WEIGHT)], IN_ORDER),
        ([], IN_ORDER),
    ],
)
def test_a_permutation_leaves_the_bits_as_the_next_step_wants_them(following, order):
    """It moves every row anyway."""
    steps = [phase(WEIGHT, is_permuting=True), *following]
    assert orders(steps, (1, PART, 2, 0))[0] == ((1, PART, 2, 0), order)


def test_real_amplitudes():
    """They get imaginary parts from the first diagonal or complex matrix on."""
    permutation = PhaseStep((), np.roll(np.arange(2**WIRES), 1), 0)
    assert orders([layer(0, is_real=True), permutation, matrix(2), phase(WEIGHT)], (2, 0, 1)) == [
        ((2, 0, 1), (0, 1, 2)),
        ((0, 1, 2), (2, 0, 1)),
        ((2, 0, 1), (2, PART, 0, 1)),
        ((2, PART, 0, 1), (2, PART, 0, 1)),
    ]
    assert orders([phase(INPUT)], (2, 0, 1)) == [((PART, 2, 0, 1),) * 2]


@pytest.mark.parametrize(("angle", "order"), [(INPUT, IN_ORDER), (WEIGHT, (2, PART, 0, 1)), (None, (2, PART, 0, 1))])
def test_diagonals_of_inputs_have_one_order(angle, order):
    """Their factors are as large as the state: where they act again, the state is moved, and they are not made anew."""
    assert orders([phase(angle), matrix(2), phase(angle)], IN_ORDER)[2] == (order, order)


@pytest.mark.parametrize("wires", [(0,), (2, 1), (1, 0, 2)])
def test_kernels_leave_the_bits_as_foretold(wires):
    """The kernels themselves agree, for matrices that samples share and for those that they do not."""
    register = from_amplitudes(tf.eye(2**WIRES, dtype=tf.complex128))
    ((_, expected),) = orders([matrix(*wires)], register.bits)
    size = 2 ** len(wires)
    assert apply_real_matrix(register, wires, tf.eye(2 * size, dtype=tf.float64)).bits == expected
    for samples in (1, 2**WIRES):
        matrices = tf.eye(size, batch_shape=[samples], dtype=tf.complex128)
        assert apply_matrix(register, wires, matrices).bits == expected


@pytest.mark.parametrize("bits", list(permutations([PART, 0, 1, 2])))
def test_placed(bits):
    """A polynomial for an order of bits has for each row the parity of the basis state that the row is."""
    terms = tuple(MaskTerm(mask, 1.0, WEIGHT) for mask in range(2**WIRES))
    table = parities([term.mask for term in terms], WIRES).reshape(*[2] * WIRES, -1)
    wires = [bit for bit in bits if bit != PART]
    found = parities([term.mask for term in placed(terms, bits)], WIRES)
    np.testing.assert_array_equal(found, table.transpose([*wires, WIRES]).reshape(2**WIRES, -1))
