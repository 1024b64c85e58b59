"""Row order: the rows of a register in another order, in little memory.

TensorFlow keeps what a gradient needs as long as the graph exists, and a deep circuit has hundreds of orders. Those
that CNOTs and moves of bits make are affine: a row's source is known from the two halves of its number. Signs are eight
times smaller than the numbers they stand for (20 wires, 100 layers: 1.5 GiB in all, 2.5 with these).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from qlayer.circuits.permutations import inverted
from qlayer.simulation.constants import constant, reshaped

# above this size, the indices of an affine order are calculated from its halves, to keep graphs small
TABLE_MAX_ROWS = 2**13


@dataclass(frozen=True, eq=False)
class RowOrder:
    """A permutation of rows.

    Args:
        tables: the source of each row; or those of the upper and of the lower halves of its number, whose exclusive or
            is the source.
    """

    tables: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, sources: np.ndarray) -> RowOrder:
        """The order whose rows come from these: shape (rows,), integers."""
        low = 2 ** ((len(sources).bit_length() - 1) // 2)
        upper, lower = sources[::low], sources[:low] ^ sources[0]
        if len(sources) <= TABLE_MAX_ROWS or not np.array_equal(np.bitwise_xor.outer(upper, lower).ravel(), sources):
            return cls((sources.astype(np.int32),))
        return cls((upper.astype(np.int32), lower.astype(np.int32)))

    @property
    def sources(self) -> np.ndarray:
        """The source of each row: (rows,)."""
        return self.tables[0] if len(self.tables) == 1 else np.bitwise_xor.outer(*self.tables).ravel()

    @property
    def inverse(self) -> RowOrder:
        """The order that undoes it."""
        return RowOrder.of(inverted(self.sources))

    def indices(self, rows: tf.Tensor) -> tf.Tensor:
        """The sources as a tensor; those of halves are calculated when the rows are there, and given up again.

        Bit i of a source is (1 - u l) / 2, with the signs u and l that the upper and the lower half give it.
        """
        if len(self.tables) == 1:
            return constant(self.tables[0])
        upper, lower = self.tables
        bits = np.arange((len(upper) * len(lower)).bit_length() - 1)
        signs = [(1 - 2 * (half[:, np.newaxis] >> bits & 1)).astype(np.int8) for half in (upper, lower)]
        nothing = tf.cast(tf.minimum(tf.size(rows, tf.int64), 0), tf.float64)  # a zero that is known when the rows are
        left = tf.cast(constant(signs[0]), tf.float64) * constant(2.0 ** (bits - 1))
        right = tf.cast(constant(signs[1]), tf.float64) + nothing
        found = constant(np.array((2.0 ** len(bits) - 1) / 2)) - tf.matmul(left, right, transpose_b=True)
        return reshaped(tf.cast(found, tf.int32), [-1])
