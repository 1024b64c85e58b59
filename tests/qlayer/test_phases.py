"""Phases against NumPy: parities, polynomials and sums, from one table and from two products."""

import numpy as np
import pytest
import tensorflow as tf

from qlayer.circuits.plan import Angle, MaskTerm, PhaseStep
from qlayer.simulation.kernels import Angles
from qlayer.simulation.moves import PhaseMove
from qlayer.simulation.phases import (
    apply_phase_to_wires,
    parity_sums,
    parity_tables,
    phase_factors,
    pick_columns,
    polynomial,
    row_masks,
)
from qlayer.simulation.register import PART, from_amplitudes, in_order, join

generator = np.random.default_rng(8)
LARGE = 14  # wires: one table is too large
SHARED, VARYING = Angle(1, is_input_dependent=False), Angle(0, is_input_dependent=True)
ANGLES = Angles(tf.constant([[0.3, -1.2]], tf.float64), tf.constant(generator.uniform(-3, 3, (4, 2)), tf.float64))


def parities(masks, wires):
    """(-1) ** popcount(state & mask): shape (2 ** n, masks)."""
    return np.array([[(-1) ** (state & mask).bit_count() for mask in masks] for state in range(2**wires)])


def complex_normal(*shape):
    """Random complex numbers."""
    return generator.normal(size=shape) + 1j * generator.normal(size=shape)


def value(term):
    """A term's coefficient times its angle, for each sample."""
    if term.angle is None:
        return np.full(4, term.coefficient)
    values = ANGLES.varying if term.angle.is_input_dependent else ANGLES.shared
    return term.coefficient * np.broadcast_to(values.numpy()[:, term.angle.index], 4)


def turned(register, terms):
    """The register after a diagonal."""
    (factors,) = phase_factors([terms], register.wire_count, ANGLES)
    return PhaseMove(in_order(register.wire_count), factors).apply(register, factors)


@pytest.mark.parametrize(("wires", "tables"), [(1, 1), (5, 1), (13, 1), (LARGE, 2)])
def test_parity_tables(wires, tables):
    """The parities are products of those of upper and lower wires; small registers have one table alone."""
    masks = [0, 1, 2**wires - 1, 2 ** (wires - 1)]
    upper, lower = parity_tables(masks, wires)
    assert (len(upper) == 1) == (tables == 1)
    assert len(upper) * len(lower) == 2**wires
    product = (upper[:, np.newaxis] * lower).reshape(2**wires, -1)
    np.testing.assert_array_equal(product, parities(masks, wires))


def test_many_masks_take_two_tables():
    """With many masks, one table of a small register is too large as well."""
    upper, lower = parity_tables(range(2**10), 10)
    assert (len(upper), len(lower)) == (2**5, 2**5)
    product = (upper[:, np.newaxis] * lower).reshape(2**10, -1)
    signs = 1 - 2 * (np.bitwise_count(np.bitwise_and.outer(np.arange(2**10), np.arange(2**10))) & 1).astype(int)
    np.testing.assert_array_equal(product, signs)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("wires", [1, 4, LARGE])
def test_polynomial_and_sums(wires, batch):
    """A polynomial is the table of parities times its coefficients; sums are its transpose times the rows."""
    masks = [0, 1, 2**wires - 1, 2 ** (wires - 1)]
    table, coefficients = parities(masks, wires), generator.normal(size=(4, batch))
    found = polynomial(tf.constant(coefficients), masks, wires)
    np.testing.assert_allclose(found, table @ coefficients, atol=1e-12)
    np.testing.assert_allclose(parity_sums(found, masks), table.T @ (table @ coefficients), rtol=1e-10, atol=1e-8)


@pytest.mark.parametrize("wires", [3, LARGE])
def test_polynomial_in_single_precision(wires):
    """The data type of the coefficients is that of the polynomial and of the sums."""
    rows = polynomial(tf.constant([[0.5]]), [1], wires)
    assert rows.dtype == parity_sums(rows, [1]).dtype == tf.float32
    np.testing.assert_allclose(parity_sums(rows, [1]), [[2 ** (wires - 1)]])


@pytest.mark.parametrize("bits", [in_order(3), (0, 1, 2, PART), (2, PART, 0, 1), (1, 0, PART, 2)])
@pytest.mark.parametrize("with_part", [False, True])
def test_row_masks(bits, with_part):
    """Sums over the rows of a register in any order are sums over basis states, with the part's sign if wanted."""
    state, masks = complex_normal(2, 8), [0, 5, 7, 2]
    register = from_amplitudes(tf.constant(state)).leading(bits)
    found = parity_sums(register.rows, row_masks(register, masks, with_part=with_part))
    weighed = state.real - state.imag if with_part else state.real + state.imag
    np.testing.assert_allclose(found, (weighed @ parities(masks, 3)).T, atol=1e-13)


TERMS = {
    "constants": (MaskTerm(3, 0.7, None), MaskTerm(0, 0.2, None)),
    "weights": (MaskTerm(3, 0.5, SHARED), MaskTerm(1, -0.5, SHARED)),
    "inputs": (MaskTerm(4, 0.5, VARYING), MaskTerm(7, 0.25, VARYING)),
    "everything": (
        MaskTerm(3, 0.7, None),
        MaskTerm(3, 0.5, SHARED),
        MaskTerm(3, 0.25, VARYING),
        MaskTerm(6, 0.5, Angle(1, is_input_dependent=True)),
    ),
}


@pytest.mark.parametrize("bits", [in_order(3), (2, PART, 0, 1)])
@pytest.mark.parametrize("name", TERMS)
def test_apply(name, bits):
    """Every amplitude turns by the polynomial of its basis state, of whatever the angles depend on."""
    terms, state = TERMS[name], complex_normal(4, 8)
    register = from_amplitudes(tf.constant(state)).leading(bits)
    found = turned(register, terms).amplitudes
    phase = sum(np.outer(value(term), parities([term.mask], 3)) for term in terms)
    np.testing.assert_allclose(found, state * np.exp(1j * phase), atol=1e-13)
    twice = turned(turned(register, terms), terms).amplitudes
    np.testing.assert_allclose(twice, state * np.exp(2j * phase), atol=1e-13)


def test_a_state_that_the_batch_shares():
    """A phase of the inputs gives a shared state a row for each sample."""
    found = turned(from_amplitudes(tf.ones([1, 8], tf.complex128)), TERMS["inputs"])
    assert found.amplitudes.shape == (4, 8)


@pytest.mark.parametrize("flips", [0, 5])
def test_unentangled_wires(flips):
    """On unentangled wires, a diagonal of single wires and flips do what they do to the joined register."""
    terms = (MaskTerm(0, 0.3, SHARED), MaskTerm(4, 0.5, VARYING), MaskTerm(1, 0.9, None))
    vectors = complex_normal(3, 2, 4)
    step = PhaseStep(terms, np.arange(8) ^ flips, flips)
    found = join(apply_phase_to_wires(tf.constant(vectors), step, ANGLES)).amplitudes
    expected = turned(join(tf.constant(vectors)), terms).permuted(np.arange(8) ^ flips).amplitudes
    np.testing.assert_allclose(found, expected, atol=1e-13)


def test_all_columns_in_order_are_no_copy():
    """Some columns are picked; all of them in order are the matrix itself."""
    values = tf.constant([[1.0, 2.0, 3.0]])
    assert pick_columns(values, [0, 1, 2]) is values
    np.testing.assert_array_equal(pick_columns(values, [2, 0]), [[3, 1]])


def test_all_shared_diagonals_at_once():
    """Diagonals of weights and constants have the same factors together as one by one."""
    polynomials = [
        (MaskTerm(3, 0.5, SHARED), MaskTerm(1, -0.3, None)),
        (MaskTerm(3, -1.5, SHARED), MaskTerm(3, 0.25, Angle(0, is_input_dependent=False))),
        (MaskTerm(2, 0.7, None),),
    ]
    together = phase_factors(polynomials, 2, ANGLES)
    for terms, found in zip(polynomials, together, strict=True):
        for ours, alone in zip(found, *phase_factors([terms], 2, ANGLES), strict=True):
            np.testing.assert_allclose(ours, alone, atol=1e-15)
