"""Phases: diagonals as polynomials in the parities of basis states.

A parity (-1) ** popcount(state & mask) of n wires is the product of one of the upper wires and one of the lower wires,
so that polynomials and sums over all basis states are two small matrix products, and no table has 2 ** n rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from qlayer.kernels import Angles, unit
from qlayer.plan import MaskTerm, PhaseStep, wire_bit
from qlayer.register import Register

_WHOLE_MAX_WIRES = 8  # up to here one table of 2 ** n rows costs less than two products


def parity_tables(masks: Sequence[int], wire_count: int) -> tuple[np.ndarray, np.ndarray]:
    """The parities of the upper and of the lower wires: shapes (2 ** (n - low), masks) and (2 ** low, masks)."""
    low = wire_count if wire_count <= _WHOLE_MAX_WIRES else wire_count // 2
    upper = _parities([mask >> low for mask in masks], wire_count - low)
    return upper, _parities([mask & (2**low - 1) for mask in masks], low)


def _parities(masks: list[int], bits: int) -> np.ndarray:
    return 1.0 - 2 * (np.bitwise_count(np.arange(2**bits)[:, np.newaxis] & np.array(masks)) & 1)


def polynomial(coefficients: tf.Tensor, masks: Sequence[int], wire_count: int) -> tf.Tensor:
    """The sum of parities with coefficients: (masks, b) -> (2 ** n, b)."""
    upper, lower = (tf.constant(table, coefficients.dtype) for table in parity_tables(masks, wire_count))
    weighted = upper[:, :, tf.newaxis] * coefficients if upper.shape[0] > 1 else coefficients
    return tf.reshape(tf.matmul(lower, weighted), [2**wire_count, -1])


def parity_sums(register: Register, masks: Sequence[int], signs: tuple[int, int] = (1, 1)) -> tf.Tensor:
    """The sums over all basis states of numbers times a parity: shape (masks, b).

    Args:
        register: two numbers for each basis state.
        masks: the parities.
        signs: with which sign each of the two counts.
    """
    upper, lower = parity_tables(masks, register.wire_count)
    if register.has_parts_first:
        upper = np.concatenate([sign * upper for sign in signs])
    else:
        lower = np.stack([sign * lower for sign in signs], axis=1).reshape(-1, len(masks))
    dtype = register.values.dtype
    if len(upper) <= 2:  # noqa: PLR2004 - the parts alone, or one of them: a single table
        table = np.concatenate([lower * row for row in upper])
        return tf.matmul(tf.constant(table.T, dtype), tf.reshape(register.values, [len(table), -1]))
    values = tf.reshape(register.values, [len(upper), len(lower), -1])
    sums = tf.matmul(tf.constant(lower.T, dtype), values)
    return tf.reduce_sum(sums * tf.constant(upper[:, :, np.newaxis], dtype), axis=0)


def phase_coefficients(terms: tuple[MaskTerm, ...], masks: list[int], angles: Angles) -> tf.Tensor:
    """The coefficient of each mask in a phase polynomial.

    Returns:
        Shape (batch, masks) if a term depends on the inputs, (1, masks) otherwise.
    """
    parts = []
    constants = np.zeros((1, len(masks)))
    for term in terms:
        if term.angle is None:
            constants[0, masks.index(term.mask)] += term.coefficient
    if constants.any() or not terms:
        parts.append(tf.constant(constants, angles.dtype))
    for varies, values in ((False, angles.shared), (True, angles.varying)):
        used = [(term.angle.index, term) for term in terms if term.angle and term.angle.is_input_dependent == varies]
        if used:
            columns = sorted({index for index, _ in used})
            table = np.zeros((len(columns), len(masks)))
            for index, term in used:
                table[columns.index(index), masks.index(term.mask)] += term.coefficient
            parts.append(tf.matmul(pick_columns(values, columns), tf.constant(table, angles.dtype)))
    return sum(parts[1:], start=parts[0])


def pick_columns(values: tf.Tensor, columns: list[int]) -> tf.Tensor:
    """Some columns of a matrix, without a copy where that is all of them in order."""
    return values if columns == list(range(values.shape[1])) else tf.gather(values, columns, axis=1)


@dataclass
class Phases:
    """The cosines and sines of phase polynomials; each polynomial is computed once in a run, however often it acts.

    Args:
        angles: the values of the angles.
        wire_count: number of wires of the register.

    Mutable: what was computed.
    """

    angles: Angles
    wire_count: int
    _known: dict[tuple[MaskTerm, ...], tuple[tf.Tensor, tf.Tensor]] = field(default_factory=dict)

    def apply(self, register: Register, terms: tuple[MaskTerm, ...]) -> Register:
        """Apply a diagonal to the joined register."""
        if terms not in self._known:
            masks = sorted({term.mask for term in terms})
            coefficients = tf.transpose(phase_coefficients(terms, masks, self.angles))
            phase = polynomial(coefficients, masks, self.wire_count)
            self._known[terms] = tf.cos(phase), tf.sin(phase)
        cos, sin = self._known[terms]
        real, imag = register.parts
        return Register(tf.stack([real * cos - imag * sin, real * sin + imag * cos]))


def apply_phase_to_wires(vectors: tf.Tensor, step: PhaseStep, angles: Angles) -> tf.Tensor:
    """Apply a diagonal of single wires and flips to unentangled wires: (b, n, 2) -> (b, n, 2)."""
    wires = vectors.shape[1]
    bits = [wire_bit(wire, wires) for wire in range(wires)]
    if step.terms:
        masks = sorted({term.mask for term in step.terms})
        table = np.zeros((len(masks), wires, 2))
        for row, mask in enumerate(masks):  # a global phase (mask 0) is given to wire 0
            table[row, bits.index(mask) if mask else 0] = (1, -1 if mask else 1)
        phase = tf.matmul(
            phase_coefficients(step.terms, masks, angles), tf.constant(table.reshape(len(masks), -1), angles.dtype)
        )
        vectors *= tf.reshape(unit(phase), [-1, wires, 2])
    if step.flips:
        flipped = tf.constant([[bool(step.flips & bit)] for bit in bits])
        vectors = tf.where(flipped, tf.reverse(vectors, [2]), vectors)
    return vectors
