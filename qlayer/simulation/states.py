"""States: what a circuit ends with, pure or mixed, asked the same questions by every measurement.

The batch axis b is 1 as long as nothing depends on the inputs. n is the number of wires that the user sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import tensorflow as tf

from qlayer.circuits.density import rows_and_columns
from qlayer.simulation.axes import to_end
from qlayer.simulation.kernels import apply_matrix, complex_dtype
from qlayer.simulation.phases import parity_sums, row_masks
from qlayer.simulation.register import Register


@dataclass(frozen=True)
class PureState:
    """A statevector.

    Args:
        register: the amplitudes, of n wires.
    """

    register: Register

    @cached_property
    def amplitudes(self) -> tf.Tensor:
        """The amplitudes, complex: (b, 2 ** n)."""
        return self.register.amplitudes

    @property
    def wire_count(self) -> int:
        """Number of wires."""
        return self.register.wire_count

    @property
    def dtype(self) -> tf.DType:
        """Complex data type."""
        return complex_dtype(self.register.rows.dtype)

    def probabilities(self) -> tf.Tensor:
        """The probability of each basis state: (b, 2 ** n)."""
        return tf.transpose(tf.add_n([tf.square(part) for part in self.register.parts]))

    def parity_sums(self, flips: int, masks: Sequence[int], *, is_imaginary: bool) -> tf.Tensor:
        """The sums over all basis states x of a part of the density matrix's element (x, x ^ flips) times a parity.

        Args:
            flips: which bits are flipped.
            masks: the parities' bits.
            is_imaginary: whether the imaginary part is meant, otherwise the real one.

        Returns:
            Shape (masks, b).
        """
        register = self.register
        if not flips:
            return parity_sums(tf.square(register.rows), row_masks(register, masks, with_part=False))
        flipped = register.permuted(np.arange(register.size) ^ flips)
        if not is_imaginary:
            products = register.front * flipped.rows
            return parity_sums(products, row_masks(flipped, masks, with_part=False))
        # re' im - im' re, of the flipped amplitudes re' + i im': the opposite of a sum with the sign of the part
        real, imag = flipped.parts
        products = register.front * tf.concat([imag, real], axis=0)
        return -parity_sums(products, row_masks(flipped, masks, with_part=True))

    def reduced(self, wires: tuple[int, ...]) -> tf.Tensor:
        """The density matrix of some wires, in their order: (b, 2 ** k, 2 ** k)."""
        moved, _ = to_end(self.amplitudes, wires)
        size = 2 ** len(wires)
        amplitudes = tf.reshape(moved, [-1, self.amplitudes.shape[1] // size, size])
        return tf.matmul(amplitudes, tf.math.conj(amplitudes), transpose_a=True)

    def expectation_value(self, wires: tuple[int, ...], matrix: np.ndarray) -> tf.Tensor:
        """The expectation value of a Hermitian matrix on some wires: (b,)."""
        applied = self.rotated(wires, matrix).register
        return tf.reduce_sum(self.register.front * applied.front, axis=0)

    def rotated(self, wires: tuple[int, ...], matrix: np.ndarray) -> PureState:
        """The state after a constant matrix on some wires."""
        return PureState(apply_matrix(self.register, wires, tf.constant(matrix[np.newaxis], self.dtype)))

    def normalized(self) -> PureState:
        """The state with norm 1."""
        rows = self.register.rows
        return PureState(replace(self.register, rows=rows / tf.sqrt(tf.reduce_sum(tf.square(rows), axis=0))))

    def for_batch(self, batch: tf.Tensor) -> PureState:
        """The state with a row for each sample of the batch."""
        return PureState(_for_batch(self.register, batch))


@dataclass(frozen=True)
class MixedState:
    """A density matrix.

    Args:
        register: the matrix in row-major order, as a register of 2 n wires.
    """

    register: Register

    @cached_property
    def elements(self) -> tf.Tensor:
        """The matrix in row-major order, complex: (b, 4 ** n)."""
        return self.register.amplitudes

    @property
    def wire_count(self) -> int:
        """Number of wires."""
        return self.register.wire_count // 2

    @property
    def dtype(self) -> tf.DType:
        """Complex data type."""
        return complex_dtype(self.register.rows.dtype)

    def probabilities(self) -> tf.Tensor:
        """The probability of each basis state: (b, 2 ** n)."""
        return tf.transpose(self._diagonal(self.register, is_imaginary=False))

    def parity_sums(self, flips: int, masks: Sequence[int], *, is_imaginary: bool) -> tf.Tensor:
        """The sums over all basis states x of a part of the element (x, x ^ flips) times a parity: (masks, b)."""
        columns = np.arange(self.register.size)
        flipped = self.register.permuted(columns ^ flips) if flips else self.register
        return parity_sums(self._diagonal(flipped, is_imaginary=is_imaginary), masks)

    def _diagonal(self, register: Register, *, is_imaginary: bool) -> tf.Tensor:
        """A part of the elements (x, x) of what is like a density matrix: (2 ** n, b)."""
        return register.parts[is_imaginary][:: 2**self.wire_count + 1]

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
        rotated = apply_matrix(self.register, wires, tf.constant(matrix[np.newaxis], self.dtype))
        return MixedState(apply_matrix(rotated, columns, tf.constant(matrix.conj()[np.newaxis], self.dtype)))

    def normalized(self) -> MixedState:
        """The state with trace 1."""
        trace = tf.reduce_sum(self.probabilities(), axis=1)
        return MixedState(replace(self.register, rows=self.register.rows / trace))

    def for_batch(self, batch: tf.Tensor) -> MixedState:
        """The state with a row for each sample of the batch."""
        return MixedState(_for_batch(self.register, batch))


State = PureState | MixedState


def _for_batch(register: Register, batch: tf.Tensor) -> Register:
    return replace(register, rows=tf.broadcast_to(register.rows, [2 * register.size, batch]))


def absolute_square(values: tf.Tensor) -> tf.Tensor:
    """|value| ** 2, elementwise."""
    return tf.square(tf.math.real(values)) + tf.square(tf.math.imag(values))
