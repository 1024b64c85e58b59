"""States: what a circuit ends with, pure or mixed, asked the same questions by every measurement.

The batch axis b is 1 as long as nothing depends on the inputs. n is the number of wires that the user sees.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from qlayer.casts import to_complex
from qlayer.density import rows_and_columns
from qlayer.kernels import apply_matrix
from qlayer.register import flip, to_end


@dataclass(frozen=True)
class PureState:
    """A statevector.

    Args:
        amplitudes: shape (b, 2 ** n).
    """

    amplitudes: tf.Tensor

    @property
    def wire_count(self) -> int:
        """Number of wires."""
        return _bits(self.amplitudes)

    @property
    def dtype(self) -> tf.DType:
        """Complex data type."""
        return self.amplitudes.dtype

    def probabilities(self) -> tf.Tensor:
        """The probability of each basis state: (b, 2 ** n)."""
        return absolute_square(self.amplitudes)

    def overlaps(self, flips: int) -> tf.Tensor:
        """For each basis state x, the element (x, x ^ flips) of the density matrix: (b, 2 ** n)."""
        return tf.math.conj(flip(self.amplitudes, flips)) * self.amplitudes

    def reduced(self, wires: tuple[int, ...]) -> tf.Tensor:
        """The density matrix of some wires, in their order: (b, 2 ** k, 2 ** k)."""
        moved, _ = to_end(self.amplitudes, wires)
        size = 2 ** len(wires)
        amplitudes = tf.reshape(moved, [-1, self.amplitudes.shape[1] // size, size])
        return tf.matmul(amplitudes, tf.math.conj(amplitudes), transpose_a=True)

    def expectation_value(self, wires: tuple[int, ...], matrix: np.ndarray) -> tf.Tensor:
        """The expectation value of a Hermitian matrix on some wires: (b,)."""
        applied = apply_matrix(self.amplitudes, wires, tf.constant(matrix, self.dtype))
        return tf.reduce_sum(tf.math.real(tf.math.conj(self.amplitudes) * applied), axis=1)

    def rotated(self, wires: tuple[int, ...], matrix: np.ndarray) -> PureState:
        """The state after a constant unitary on some wires."""
        return PureState(apply_matrix(self.amplitudes, wires, tf.constant(matrix, self.dtype)))

    def normalized(self) -> PureState:
        """The state with norm 1."""
        norm = tf.sqrt(tf.reduce_sum(self.probabilities(), axis=1, keepdims=True))
        return PureState(self.amplitudes / to_complex(norm, self.dtype))

    def for_batch(self, batch: tf.Tensor) -> PureState:
        """The state with a row for each sample of the batch."""
        return PureState(tf.broadcast_to(self.amplitudes, [batch, self.amplitudes.shape[1]]))


@dataclass(frozen=True)
class MixedState:
    """A density matrix.

    Args:
        elements: the matrix in row-major order: shape (b, 4 ** n).
    """

    elements: tf.Tensor

    @property
    def wire_count(self) -> int:
        """Number of wires."""
        return _bits(self.elements) // 2

    @property
    def dtype(self) -> tf.DType:
        """Complex data type."""
        return self.elements.dtype

    def probabilities(self) -> tf.Tensor:
        """The probability of each basis state: (b, 2 ** n)."""
        return tf.math.real(self.overlaps(0))

    def overlaps(self, flips: int) -> tf.Tensor:
        """For each basis state x, the element (x, x ^ flips) of the density matrix: (b, 2 ** n)."""
        flipped = flip(self.elements, flips) if flips else self.elements  # the columns are the last wires
        return tf.linalg.diag_part(tf.reshape(flipped, [-1, 2**self.wire_count, 2**self.wire_count]))

    def reduced(self, wires: tuple[int, ...]) -> tf.Tensor:
        """The density matrix of some wires, in their order: (b, 2 ** k, 2 ** k)."""
        others = tuple(wire for wire in range(self.wire_count) if wire not in wires)
        everything = [*rows_and_columns(wires, self.wire_count), *rows_and_columns(others, self.wire_count)]
        register = tf.reshape(self.elements, [-1, *[2] * (2 * self.wire_count)])
        moved = tf.transpose(register, [0, *(1 + wire for wire in everything)])
        size, rest = 2 ** len(wires), 2 ** len(others)
        return tf.linalg.trace(tf.reshape(moved, [-1, size, size, rest, rest]))

    def expectation_value(self, wires: tuple[int, ...], matrix: np.ndarray) -> tf.Tensor:
        """The expectation value of a Hermitian matrix on some wires: (b,)."""
        return tf.reduce_sum(tf.math.real(self.reduced(wires) * tf.constant(matrix.T, self.dtype)), axis=[1, 2])

    def rotated(self, wires: tuple[int, ...], matrix: np.ndarray) -> MixedState:
        """The state after a constant unitary on some wires."""
        columns = tuple(wire + self.wire_count for wire in wires)
        rotated = apply_matrix(self.elements, wires, tf.constant(matrix, self.dtype))
        return MixedState(apply_matrix(rotated, columns, tf.constant(matrix.conj(), self.dtype)))

    def normalized(self) -> MixedState:
        """The state with trace 1."""
        trace = tf.reduce_sum(self.probabilities(), axis=1, keepdims=True)
        return MixedState(self.elements / to_complex(trace, self.dtype))

    def for_batch(self, batch: tf.Tensor) -> MixedState:
        """The state with a row for each sample of the batch."""
        return MixedState(tf.broadcast_to(self.elements, [batch, self.elements.shape[1]]))


State = PureState | MixedState


def absolute_square(values: tf.Tensor) -> tf.Tensor:
    """|value| ** 2, elementwise."""
    return tf.square(tf.math.real(values)) + tf.square(tf.math.imag(values))


def _bits(register: tf.Tensor) -> int:
    return register.shape[1].bit_length() - 1
