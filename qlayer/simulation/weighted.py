"""Weighted sums: observables whose coefficients are calculated from inputs or weights.

Their terms are measured one by one, and the expectation values are added up with the coefficients afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

from qlayer.circuits.circuit import Measurement, Parameter
from qlayer.simulation.axes import real


def expanded(measurements: Sequence[Measurement]) -> tuple[Measurement, ...]:
    """The measurements with the parts of each weighted sum in its place."""
    return tuple(part for measurement in measurements for part in measurement.parts or (measurement,))


def contracted(
    results: Sequence[tf.Tensor],
    measurements: Sequence[Measurement],
    elements: Callable[[Parameter], tf.Tensor],
) -> list[tf.Tensor]:
    """The results of measurements from those of `expanded(measurements)`.

    Args:
        results: for each expanded measurement, a tensor of shape (b, ...).
        measurements: the measurements.
        elements: from a parameter to its values, of shape (b, elements).
    """
    remaining, found = iter(results), []
    for measurement in measurements:
        if measurement.weights is None:
            found.append(next(remaining))
        else:
            values = tf.stack([next(remaining) for _ in measurement.parts], axis=1)
            found.append(tf.reduce_sum(values * real(elements(measurement.weights), values.dtype), axis=1))
    return found
