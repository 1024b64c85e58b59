"""States: what a circuit ends with, pure or mixed, asked the same questions by every measurement.

The batch axis b is 1 as long as nothing depends on the inputs. n is the number of wires that the user sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import tensorflow as tf

from qlayer.axes import to_end
from qlayer.density import rows_and_columns
from qlayer.kernels import apply_matrix, complex_dtype
from qlayer.phases import parity_sums
from qlayer.register import Register


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
        return complex_dtype(self.register.values.dtype)

    def probabilities(self) -> tf.Tensor:
        """The probability of each basis state: (b, 2 ** n)."""
        squares = tf.square(self.register.values)
        return tf.transpose(tf.reduce_sum(squares, axis=0 if self.register.has_parts_first else 1))

    def parity_sums(self, flips: int, masks: Sequence[int], *, is_imaginary: bool) -> tf.Tensor:
        """The sums over all basis states x of a part of the density matrix's element (x, x ^ flips) times a parity.

        Args:
            flips: which bits are flipped.
            masks: the parities' bits.
            is_imaginary: whether the imaginary part is meant, otherwise the real one.

        Returns:
            Shape (b, masks).
        """
        register, signs = self.register, (1, 1)
        if not flips:
            products = Register(tf.square(register.values), register.has_parts_first)
        else:
            flipped = register.permuted(np.arange(register.size) ^ flips).values
            if is_imaginary:  # re' im - im' re, of the flipped amplitudes re' + i im'
                flipped, signs = tf.reverse(flipped, [0]), (-1, 1)
            products = Register(register.front * flipped)
        return tf.transpose(parity_sums(products, masks, signs))

    def reduced(self, wires: tuple[int, ...]) -> tf.Tensor:
        """The density matrix of some wires, in their order: (b, 2 ** k, 2 ** k)."""
        moved, _ = to_end(self.amplitudes, wires)
        size = 2 ** len(wires)
        amplitudes = tf.reshape(moved, [-1, self.amplitudes.shape[1] // size, size])
        return tf.matmul(amplitudes, tf.math.conj(amplitudes), transpose_a=True)

    def expectation_value(self, wires: tuple[int, ...], matrix: np.ndarray) -> tf.Tensor:
        """The expectation value of a Hermitian matrix on some wires: (b,)."""
        applied = self.rotated(wires, matrix).register
        return tf.reduce_sum(self.register.front * applied.front, axis=[0, 1])

    def rotated(self, wires: tuple[int, ...], matrix: np.ndarray) -> PureState:
        """The state after a constant matrix on some wires."""
        return PureState(apply_matrix(self.register, wires, tf.constant(matrix[np.newaxis], self.dtype)))

    def normalized(self) -> PureState:
        """The state with norm 1."""
        values = self.register.front
        norm = tf.sqrt(tf.reduce_sum(tf.square(values), axis=[0, 1]))
        return PureState(Register(values / norm))

    def for_batch(self, batch: tf.Tensor) -> PureState:
        """The state with a row for each sample of the batch."""
        values = self.register.front
        return PureState(Register(tf.broadcast_to(values, [*values.shape[:2], batch])))


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
        return complex_dtype(self.register.values.dtype)

    def probabilities(self) -> tf.Tensor:
        """The probability of each basis state: (b, 2 ** n)."""
        return tf.transpose(self._diagonal(self.register).parts[0])

    def parity_sums(self, flips: int, masks: Sequence[int], *, is_imaginary: bool) -> tf.Tensor:
        """The sums over all basis states x of a part of the element (x, x ^ flips) times a parity: (b, masks)."""
        columns = np.arange(self.register.size)
        flipped = self.register.permuted(columns ^ flips) if flips else self.register
        signs = (0, 1) if is_imaginary else (1, 0)
        return tf.transpose(parity_sums(self._diagonal(flipped), masks, signs))

    def _diagonal(self, register: Register) -> Register:
        """The elements (x, x) of what is like a density matrix, as a register of n wires."""
        step = 2**self.wire_count + 1
        return Register(register.front[:, ::step])

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
        return MixedState(Register(self.register.front / trace))

    def for_batch(self, batch: tf.Tensor) -> MixedState:
        """The state with a row for each sample of the batch."""
        values = self.register.front
        return MixedState(Register(tf.broadcast_to(values, [*values.shape[:2], batch])))


State = PureState | MixedState


def absolute_square(values: tf.Tensor) -> tf.Tensor:
    """|value| ** 2, elementwise."""
    return tf.square(tf.math.real(values)) + tf.square(tf.math.imag(values))
