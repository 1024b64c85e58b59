"""The parameter-shift rule: gradients of what is drawn with finite shots, from draws.

In one place of a circuit an angle theta turns a diagonal exp(i c theta Z) on a parity, so that every expectation value
is a sinusoid of frequency 2 c in it, and its derivative is c (f(theta + pi / (4 c)) - f(theta - pi / (4 c))) (Schuld et
al. 2019). Gates with more than two eigenvalues are several such places.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from qlayer.shots.randomness import Randomness
from qlayer.simulation.kernels import Angles

# from the values of the angles, the source of randomness and other tensors to tensors of shape (b, ...)
Draws = Callable[[Angles, Randomness, list[tf.Tensor]], list[tf.Tensor]]


@dataclass(frozen=True)
class ShiftRule:
    """How to draw, and how to shift.

    Args:
        draws: what is drawn: means that are linear in the density matrix, and single shots.
        coefficients: the factor c of each angle: of those that the batch shares, then of those that vary.
        is_differentiable: for each tensor that is drawn, whether it is a mean.
    """

    draws: Draws
    coefficients: tuple[float, ...]
    is_differentiable: tuple[bool, ...]

    def __call__(self, angles: Angles, randomness: Randomness, context: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Draw, with gradients of any order by the angles.

        Args:
            angles: their values, each of an angle in a single place of the circuit.
            randomness: what is drawn from; every shifted circuit draws for itself.
            context: other tensors that `draws` needs. They get no gradient.

        Returns:
            What `draws` returns.
        """
        if not self.coefficients or not any(self.is_differentiable):
            return [tf.stop_gradient(value) for value in self.draws(angles, randomness, list(context))]
        # Every tensor is an argument, and a fresh one: TensorFlow runs gradients of a higher order in a graph where it
        # finds nothing that a custom gradient only knows from elsewhere.
        arguments = [tf.identity(value) for value in (angles.shared, angles.varying, randomness.key, *context)]
        found: list[tf.Tensor] = self._drawn(*arguments)
        return found

    @tf.custom_gradient
    def _drawn(self, shared: tf.Tensor, varying: tf.Tensor, key: tf.Tensor, *context: tf.Tensor) -> Any:
        angles, randomness = Angles(shared, varying), Randomness(key)

        def gradient(*upstream: tf.Tensor) -> tuple[tf.Tensor | None, ...]:
            by_place = self._derivatives(angles, randomness, context, upstream)
            split = shared.shape[1]
            by_weight = tf.reduce_sum(by_place[:split], axis=1)[tf.newaxis]
            by_input = tf.transpose(by_place[split:]) if varying.shape[1] else tf.zeros_like(varying)
            return by_weight, by_input, *[None] * (1 + len(context))

        return self.draws(angles, randomness, list(context)), gradient

    def _derivatives(
        self, angles: Angles, randomness: Randomness, context: Sequence[tf.Tensor], upstream: Sequence[tf.Tensor]
    ) -> tf.Tensor:
        """The derivative by the angle in each place, for each row: (places, b)."""
        factors = tf.constant(self.coefficients, angles.dtype)
        shifts = tf.constant(np.pi / 4 / np.asarray(self.coefficients), angles.dtype)

        @tf.autograph.experimental.do_not_convert
        def derivative(place: tf.Tensor) -> tf.Tensor:
            plus, minus = (
                self(_moved(angles, place, sign * shifts), randomness.fold(2 * place + number), context)
                for number, sign in ((1, 1), (2, -1))
            )
            pairs = zip(upstream, plus, minus, self.is_differentiable, strict=True)
            return factors[place] * tf.add_n([_inner(up, p - m) for up, p, m, is_mean in pairs if is_mean])

        places = tf.range(len(self.coefficients))
        return tf.map_fn(derivative, places, fn_output_signature=tf.TensorSpec([None], angles.dtype))


def _moved(angles: Angles, place: tf.Tensor, shifts: tf.Tensor) -> Angles:
    """The angles with one of them shifted."""
    row = tf.one_hot(place, shifts.shape[0], dtype=shifts.dtype) * shifts
    split = angles.shared.shape[1]
    return Angles(angles.shared + row[:split], angles.varying + row[split:])


def _inner(left: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """The sum over all axes but the batch: (b, ...) -> (b,)."""
    return tf.reduce_sum(left * right, axis=list(range(1, left.shape.rank)))
