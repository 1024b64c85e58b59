"""Randomness: numbers drawn from a key, so that the same key gives the same draws, in a saved model too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

_KEY_MAX = 2**31 - 1
_PAIR = 2  # integers that a stateless operation draws from


def random_key(seed: int | None) -> tf.Tensor:
    """A new key at every run; with a seed, the same sequence of keys after every start."""
    return tf.random.uniform([2], maxval=_KEY_MAX, dtype=tf.int32, seed=seed)


@dataclass(frozen=True)
class Randomness:
    """A source of independent draws.

    Args:
        key: two integers, shape (2,), tf.int32; or three, the last one being how many shots are drawn, whatever a
            measurement says. The number of shots is a part of the key so that it reaches every draw.
    """

    key: tf.Tensor

    def fold(self, number: int | tf.Tensor) -> Randomness:
        """The source for one of several independent purposes, by a linear congruence of 32 bits (Press et al. 1992)."""
        pair, shots = self._split
        first, second = tf.unstack(1664525 * pair + 1013904223)
        return Randomness(tf.stack([first, second + number, *shots]))

    def shots(self, measured: int) -> int | tf.Tensor:
        """How many shots are drawn of a measurement that says `measured`."""
        _, shots = self._split
        return shots[0] if shots else measured

    def uniform(self, shape: Sequence[int | tf.Tensor], dtype: tf.DType) -> tf.Tensor:
        """Numbers from 0 up to, but not including, 1."""
        pair, _ = self._split
        return tf.random.stateless_uniform(shape, pair, dtype=dtype)

    @property
    def _split(self) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """The two integers that numbers are drawn from, and the number of shots if there is one."""
        return (self.key, []) if self.key.shape[0] == _PAIR else (self.key[:_PAIR], [self.key[_PAIR]])


def seeded_key(seed: tf.Tensor, shots: tf.Tensor | None) -> tf.Tensor:
    """A key that gives the same draws for the same seed.

    Args:
        seed: scalar, tf.int64.
        shots: how many shots are drawn, whatever the measurements say: scalar, tf.int32; None for what they say.
    """
    pair = tf.bitcast(seed, tf.int32)
    return pair if shots is None else tf.concat([pair, shots[tf.newaxis]], axis=0)


def draw_outcomes(probabilities: tf.Tensor, shots: int | tf.Tensor, randomness: Randomness) -> tf.Tensor:
    """Outcomes by their probabilities, by descent in the binary tree of their sums.

    Args:
        probabilities: shape (b, 2 ** k); they need not sum to 1.
        shots: how many outcomes are drawn for each row.
        randomness: what they are drawn from.

    Returns:
        Integers of shape (b, shots).
    """
    levels = [tf.maximum(probabilities, 0)]  # rounding can leave a probability of -1e-17
    while levels[-1].shape[1] > 1:
        levels.append(tf.reduce_sum(_pairs(levels[-1]), axis=2))
    total = levels.pop()
    rest = randomness.uniform([tf.shape(probabilities)[0], shots], probabilities.dtype) * total
    outcome = tf.zeros_like(rest, tf.int32)
    for level in reversed(levels):
        left, right = tf.unstack(tf.gather(_pairs(level), outcome, batch_dims=1), axis=2)
        is_right = tf.logical_and(rest >= left, right > 0)
        rest = tf.where(is_right, rest - left, rest)
        outcome = 2 * outcome + tf.cast(is_right, tf.int32)
    return outcome


def _pairs(level: tf.Tensor) -> tf.Tensor:
    """The two children of every node: (b, 2 ** k) -> (b, 2 ** (k - 1), 2)."""
    return tf.reshape(level, [-1, level.shape[1] // 2, 2])


def drawn_around(exact: tf.Tensor, drawn: tf.Tensor) -> tf.Tensor:
    """What was drawn, with the gradient of the exact values that it is drawn around; all of one shape."""
    return exact + tf.stop_gradient(drawn - exact)


def frequencies(outcomes: tf.Tensor, count: int, dtype: tf.DType) -> tf.Tensor:
    """How often each of `count` outcomes was drawn: integers (b, shots) -> (b, count), of sum 1."""
    rows = tf.shape(outcomes)[0]
    numbers = outcomes + count * tf.range(rows)[:, tf.newaxis]
    share = tf.fill(tf.shape(outcomes), 1 / tf.cast(tf.shape(outcomes)[1], dtype))
    return tf.reshape(tf.math.unsorted_segment_sum(share, numbers, count * rows), [rows, count])
