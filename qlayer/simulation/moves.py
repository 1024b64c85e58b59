"""Moves: what a run does to the joined register, step by step, and how each step is undone.

A move holds the tensors it works with, so that it can be applied under a gradient tape, and undone where nothing but
the state behind it was kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from qlayer.circuits.permutations import inverted
from qlayer.simulation.kernels import apply_layer, apply_matrix, undo_layer
from qlayer.simulation.register import Bits, Register, wires_of


@dataclass(frozen=True)
class LayerMove:
    """A matrix on each block of wires; the tensors are the matrices."""

    blocks: tuple[tuple[int, ...], ...]
    tensors: tuple[tf.Tensor, ...]

    def apply(self, register: Register, tensors: Sequence[tf.Tensor]) -> Register:
        """The register after it."""
        return apply_layer(register, self.blocks, tensors)

    def undo(self, register: Register, tensors: Sequence[tf.Tensor]) -> Register:
        """The register before it."""
        return undo_layer(register, self.blocks, tensors)


@dataclass(frozen=True)
class PhaseMove:
    """A diagonal; the tensors are the factors of the rows and of the exchanged rows, for an order of bits.

    It gives real amplitudes their imaginary parts, and it is undone on amplitudes that have them.
    """

    bits: Bits
    tensors: tuple[tf.Tensor, ...]

    def apply(self, register: Register, tensors: Sequence[tf.Tensor]) -> Register:
        """The register after it."""
        straight, crossed = tensors
        if register.is_real:
            real = register.ordered(wires_of(self.bits))  # the part is new, and in front
            size = register.size
            return Register(tf.concat([real * straight[:size], real * crossed[size:]], axis=0), self.bits)
        ready = register.leading(self.bits)
        return Register(ready.rows * straight + ready.exchanged * crossed, self.bits)

    def undo(self, register: Register, tensors: Sequence[tf.Tensor]) -> Register:
        """The register before it."""
        straight, crossed = tensors
        ready = register.leading(self.bits)
        return Register(ready.rows * straight - ready.exchanged * crossed, self.bits)


@dataclass(frozen=True)
class PermutationMove:
    """A permutation of basis states, given by their sources; it brings the bits from one order into another."""

    sources: np.ndarray
    before: Bits
    after: Bits
    tensors: tuple[tf.Tensor, ...] = ()

    def apply(self, register: Register, _: Sequence[tf.Tensor]) -> Register:
        """The register after it."""
        return register.permuted(self.sources, self.after)

    def undo(self, register: Register, _: Sequence[tf.Tensor]) -> Register:
        """The register before it."""
        return register.permuted(inverted(self.sources), self.before)


@dataclass(frozen=True)
class MatrixMove:
    """A matrix on some wires; the tensor is complex, (1, K, K), or (b, K, K) where it changes from sample to sample."""

    wires: tuple[int, ...]
    tensors: tuple[tf.Tensor, ...]

    def apply(self, register: Register, tensors: Sequence[tf.Tensor]) -> Register:
        """The register after it."""
        return apply_matrix(register, self.wires, tensors[0])

    def undo(self, register: Register, tensors: Sequence[tf.Tensor]) -> Register:
        """The register before it."""
        return apply_matrix(register, self.wires, tf.linalg.adjoint(tensors[0]))


Move = LayerMove | PhaseMove | PermutationMove | MatrixMove


def applied(register: Register, moves: Sequence[Move]) -> Register:
    """The register after all moves; gradients keep every state on the way."""
    for move in moves:
        register = move.apply(register, move.tensors)
    return register
