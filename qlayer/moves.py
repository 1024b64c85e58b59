"""Moves: what a run does to the joined register, step by step, and how each step is undone.

A move holds the tensors it works with, so that it can be applied under a gradient tape, and undone where nothing but
the state behind it was kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from qlayer.kernels import apply_layer, apply_matrix, inverse_of_real
from qlayer.register import Register, in_order


@dataclass(frozen=True)
class LayerMove:
    """A matrix on each block of wires; the tensors are the blocks."""

    tensors: tuple[tf.Tensor, ...]
    is_unitary: bool = True

    def apply(self, register: Register, tensors: Sequence[tf.Tensor]) -> Register:
        """The register after it."""
        return apply_layer(register, list(tensors))

    def undo(self, register: Register, tensors: Sequence[tf.Tensor]) -> Register:
        """The register before it."""
        return apply_layer(register, [inverse_of_real(block) for block in tensors])


@dataclass(frozen=True)
class PhaseMove:
    """A diagonal; the tensors are the factors of the rows and of the exchanged rows."""

    tensors: tuple[tf.Tensor, ...]
    is_unitary: bool = True

    def apply(self, register: Register, tensors: Sequence[tf.Tensor]) -> Register:
        """The register after it."""
        straight, crossed = tensors
        return Register(register.front * straight + register.exchanged * crossed, in_order(register.wire_count))

    def undo(self, register: Register, tensors: Sequence[tf.Tensor]) -> Register:
        """The register before it."""
        straight, crossed = tensors
        return Register(register.front * straight - register.exchanged * crossed, in_order(register.wire_count))


@dataclass(frozen=True)
class PermutationMove:
    """A permutation of basis states, given by their sources."""

    sources: np.ndarray
    tensors: tuple[tf.Tensor, ...] = ()
    is_unitary: bool = True

    def apply(self, register: Register, _: Sequence[tf.Tensor]) -> Register:
        """The register after it."""
        return register.permuted(self.sources)

    def undo(self, register: Register, _: Sequence[tf.Tensor]) -> Register:
        """The register before it."""
        return register.permuted(np.argsort(self.sources))


@dataclass(frozen=True)
class MatrixMove:
    """A matrix on some wires; the tensor is complex, (1, K, K), or (b, K, K) where it changes from sample to sample."""

    wires: tuple[int, ...]
    tensors: tuple[tf.Tensor, ...]
    is_unitary: bool

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
