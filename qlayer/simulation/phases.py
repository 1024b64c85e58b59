"""Phases: diagonals as polynomials in the parities of basis states.

A parity (-1) ** popcount(state & mask) of n wires is the product of one of the upper wires and one of the lower wires,
so that polynomials and sums over all basis states are two small matrix products, and no table has 2 ** n rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from qlayer.circuits.plan import MaskTerm, PhaseStep, wire_bit
from qlayer.simulation.constants import reshaped
from qlayer.simulation.kernels import Angles, unit
from qlayer.simulation.register import PART, Register

# Up to here one table of all rows costs less than two products, of which one is a batch of small ones.
_WHOLE_MAX_BITS = 13
_WHOLE_MAX_ELEMENTS = 2**19
# Of so few columns all are multiplied, some with zeros: a gather and its gradient are more to trace.
_FEW_COLUMNS = 64


def parity_tables(masks: Sequence[int], wire_count: int) -> tuple[np.ndarray, np.ndarray]:
    """The parities of the upper and of the lower wires: shapes (2 ** (n - low), masks) and (2 ** low, masks)."""
    is_whole = wire_count <= _WHOLE_MAX_BITS and len(masks) << wire_count <= _WHOLE_MAX_ELEMENTS
    low = wire_count if is_whole else wire_count // 2
    upper = parities([mask >> low for mask in masks], wire_count - low)
    return upper, parities([mask & (2**low - 1) for mask in masks], low)


def parities(masks: list[int], bits: int) -> np.ndarray:
    """(-1) ** popcount(state & mask): shape (2 ** bits, masks)."""
    return 1.0 - 2 * (np.bitwise_count(np.arange(2**bits)[:, np.newaxis] & np.array(masks)) & 1)


def polynomial(coefficients: tf.Tensor, masks: Sequence[int], wire_count: int) -> tf.Tensor:
    """The sum of parities with coefficients: (masks, b) -> (2 ** n, b)."""
    upper, lower = (tf.constant(table, coefficients.dtype) for table in parity_tables(masks, wire_count))
    weighted = upper[:, :, tf.newaxis] * coefficients if upper.shape[0] > 1 else coefficients
    return reshaped(tf.matmul(lower, weighted), [2**wire_count, -1])


def parity_sums(rows: tf.Tensor, masks: Sequence[int]) -> tf.Tensor:
    """The sums over all rows of numbers times a parity of the row's bits: (2 ** bits, b) -> (masks, b)."""
    upper, lower = parity_tables(masks, rows.shape[0].bit_length() - 1)
    if len(upper) == 1:
        return tf.matmul(tf.constant((lower * upper).T, rows.dtype), rows)
    values = tf.reshape(rows, [len(upper), len(lower), -1])
    sums = tf.matmul(tf.constant(lower.T, rows.dtype), values)
    return tf.reduce_sum(sums * tf.constant(upper[:, :, np.newaxis], rows.dtype), axis=0)


def row_masks(register: Register, masks: Sequence[int], *, with_part: bool) -> list[int]:
    """Masks of basis states as masks of a register's rows, with or without the bit of the part."""
    wires = register.wire_count
    bits = {bit: 1 << (wires - place) for place, bit in enumerate(register.bits)}
    found = (sum(bits[wire] for wire in range(wires) if mask & wire_bit(wire, wires)) for mask in masks)
    return [mask | bits[PART] if with_part else mask for mask in found]


def phase_coefficients(terms: tuple[MaskTerm, ...], masks: list[int], angles: Angles) -> tf.Tensor:
    """The coefficient of each mask in a phase polynomial.

    Returns:
        Shape (masks, batch) if a term depends on the inputs, (masks, 1) otherwise.
    """
    parts = []
    constants = np.zeros((len(masks), 1))
    for term in terms:
        if term.angle is None:
            constants[masks.index(term.mask)] += term.coefficient
    if constants.any() or not terms:
        parts.append(tf.constant(constants, angles.dtype))
    for varies, values in ((False, angles.shared), (True, angles.varying)):
        used = [(term.angle.index, term) for term in terms if term.angle and term.angle.is_input_dependent == varies]
        if used:
            is_whole = values.shape[1] <= _FEW_COLUMNS
            columns = list(range(values.shape[1])) if is_whole else sorted({index for index, _ in used})
            table = np.zeros((len(masks), len(columns)))
            for index, term in used:
                table[masks.index(term.mask), columns.index(index)] += term.coefficient
            picked = pick_columns(values, columns)
            parts.append(tf.matmul(tf.constant(table, angles.dtype), picked, transpose_b=True))
    return sum(parts[1:], start=parts[0])


def pick_columns(values: tf.Tensor, columns: list[int]) -> tf.Tensor:
    """Some columns of a matrix, without a copy where that is all of them in order.

    The gradient of a slice is three operations, that of a gather fifteen.
    """
    start, end = columns[0], columns[0] + len(columns)
    if columns != list(range(start, end)):
        return tf.gather(values, columns, axis=1)
    return values if len(columns) == values.shape[1] else values[:, start:end]


def phase_factors(
    polynomials: Sequence[tuple[MaskTerm, ...]], wire_count: int, angles: Angles, part: int = 0
) -> list[tuple[tf.Tensor, tf.Tensor]]:
    """Diagonals as what the rows of a register are multiplied with, and what the exchanged ones are.

    Each part is multiplied with the cosine, and the other one with plus or minus the sine: (2 ** (n + 1), b) each.

    Args:
        polynomials: the phases, on the wires in the order of the register's bits; if there is more than one, none may
            depend on the inputs.
        wire_count: n.
        angles: the values of the angles.
        part: how many wires stand in front of the bit of the part.

    Returns:
        For each polynomial the factors of the rows and of the exchanged ones.
    """
    masks = sorted({term.mask for terms in polynomials for term in terms})
    if len(polynomials) == 1:
        return [_factors(polynomial(phase_coefficients(polynomials[0], masks, angles), masks, wire_count), part)]
    phases = polynomial(_shared_coefficients(polynomials, masks, angles), masks, wire_count)
    straight, crossed = (tf.split(factors, len(polynomials), axis=1) for factors in _factors(phases, part))
    return list(zip(straight, crossed, strict=True))


def _factors(phase: tf.Tensor, part: int) -> tuple[tf.Tensor, tf.Tensor]:
    """The cosine for both parts, and minus the sine and the sine: (2 ** n, b) -> (2 ** (n + 1), b) each."""
    cos, sin = tf.cos(phase), tf.sin(phase)
    return _for_parts(cos, cos, part), _for_parts(-sin, sin, part)


def _for_parts(real: tf.Tensor, imag: tf.Tensor, part: int) -> tf.Tensor:
    if not part:
        return tf.concat([real, imag], axis=0)
    halves = [reshaped(half, [2**part, 1, -1]) for half in (real, imag)]
    return reshaped(tf.concat(halves, axis=1), [2 * real.shape[0], -1])


def _shared_coefficients(polynomials: Sequence[tuple[MaskTerm, ...]], masks: list[int], angles: Angles) -> tf.Tensor:
    """The coefficient of each mask in each polynomial: (masks, polynomials)."""
    shape = len(masks), len(polynomials)
    constants, entries = np.zeros(shape), []
    for column, terms in enumerate(polynomials):
        for term in terms:
            row = masks.index(term.mask)
            if term.angle is None:
                constants[row, column] += term.coefficient
            else:
                entries.append((row * len(polynomials) + column, term.angle.index, term.coefficient))
    total = tf.constant(constants, angles.dtype)
    if entries:
        places, indices, factors = (list(values) for values in zip(*entries, strict=True))
        values = tf.gather(angles.shared[0], indices) * tf.constant(factors, angles.dtype)
        total += tf.reshape(tf.math.unsorted_segment_sum(values, places, shape[0] * shape[1]), shape)
    return total


def apply_phase_to_wires(vectors: tf.Tensor, step: PhaseStep, angles: Angles) -> tf.Tensor:
    """Apply a diagonal of single wires and flips to unentangled wires: (n, 2, b) -> (n, 2, b)."""
    wires = vectors.shape[0]
    bits = [wire_bit(wire, wires) for wire in range(wires)]
    if step.terms:
        masks = sorted({term.mask for term in step.terms})
        table = np.zeros((wires, 2, len(masks)))
        for column, mask in enumerate(masks):  # a global phase (mask 0) is given to wire 0
            table[bits.index(mask) if mask else 0, :, column] = (1, -1 if mask else 1)
        coefficients = phase_coefficients(step.terms, masks, angles)
        phase = tf.matmul(tf.constant(table.reshape(2 * wires, len(masks)), angles.dtype), coefficients)
        vectors *= tf.reshape(unit(phase), [wires, 2, -1])
    if step.flips:
        flipped = tf.constant([[[bool(step.flips & bit)]] for bit in bits])
        vectors = tf.where(flipped, tf.reverse(vectors, [1]), vectors)
    return vectors
