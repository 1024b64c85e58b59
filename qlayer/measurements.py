"""The measurement table: from the final state to each result, on tensors.

A row tells the shape of a result without running anything, and computes the results of all its readouts at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from qlayer.circuit import Measurement
from qlayer.kernels import parities
from qlayer.plan import Readout, Word
from qlayer.register import flip, to_end


@dataclass(frozen=True)
class MeasurementRule:
    """A row of the measurement table.

    Args:
        shape: from a measurement and the number of wires to the shape of its result for one sample.
        results: from the final state, of shape (b, 2 ** n), and the readouts to one tensor (b, *shape) for each.
        is_complex: whether the result is complex.
    """

    shape: Callable[[Measurement, int], tuple[int, ...]]
    results: Callable[[tf.Tensor, Sequence[Readout]], list[tf.Tensor]]
    is_complex: bool = False


def _expectation_values(state: tf.Tensor, readouts: Sequence[Readout]) -> list[tf.Tensor]:
    """All expectation values out of one matrix product for each set of flipped bits.

    <P> is the sum over x of conj(state[x ^ flips]) * sign(x) * phase * state[x].
    """
    columns = [
        (column, coefficient, word) for column, readout in enumerate(readouts) for coefficient, word in readout.words
    ]
    total = tf.zeros([1, len(readouts)], state.dtype.real_dtype)
    for flips in sorted({word.x for _, _, word in columns}):
        group = [entry for entry in columns if entry[2].x == flips]
        total += _flipped_values(state, flips, group, len(readouts))
    return tf.unstack(total, axis=1)


def _flipped_values(state: tf.Tensor, flips: int, group: list[tuple[int, float, Word]], count: int) -> tf.Tensor:
    """What the words with the same flipped bits add to each expectation value: shape (b, count)."""
    if not flips:
        return tf.matmul(probabilities(state), _sign_table(state, [(*entry, 1.0) for entry in group], count))
    overlap = tf.math.conj(flip(state, flips)) * state
    real = [(*entry, entry[2].phase.real) for entry in group if entry[2].phase.real]
    imaginary = [(*entry, -entry[2].phase.imag) for entry in group if entry[2].phase.imag]
    parts = [(tf.math.real, real), (tf.math.imag, imaginary)]
    return tf.add_n([tf.matmul(part(overlap), _sign_table(state, found, count)) for part, found in parts if found])


def _sign_table(state: tf.Tensor, group: list[tuple[int, float, Word, float]], count: int) -> tf.Tensor:
    """The signed coefficients of some words, summed for each expectation value: shape (2 ** n, count)."""
    masks = sorted({word.z for _, _, word, _ in group})
    coefficients = np.zeros((len(masks), count))
    for column, coefficient, word, factor in group:
        coefficients[masks.index(word.z), column] += coefficient * factor
    signs = parities(masks, state.shape[1].bit_length() - 1, state.dtype.real_dtype)
    return tf.matmul(signs, tf.constant(coefficients, signs.dtype), transpose_a=True)


def probabilities(state: tf.Tensor) -> tf.Tensor:
    """|amplitude| ** 2, elementwise."""
    return tf.square(tf.math.real(state)) + tf.square(tf.math.imag(state))


def _marginal_probabilities(state: tf.Tensor, readouts: Sequence[Readout]) -> list[tf.Tensor]:
    everything = probabilities(state)
    return [_marginal(everything, readout.wires) for readout in readouts]


def _marginal(everything: tf.Tensor, wires: tuple[int, ...]) -> tf.Tensor:
    """Probabilities of some wires, in their order: (b, 2 ** n) -> (b, 2 ** len(wires))."""
    if wires == tuple(range(everything.shape[1].bit_length() - 1)):
        return everything
    moved, order = to_end(everything, wires)
    rest = list(range(1, len(order) - len(wires)))
    return tf.reshape(tf.reduce_sum(moved, axis=rest), [-1, 2 ** len(wires)])


MEASUREMENTS: dict[str, MeasurementRule] = {
    "expval": MeasurementRule(lambda _measurement, _wires: (), _expectation_values),
    "probs": MeasurementRule(lambda measurement, _wires: (2 ** len(measurement.wires),), _marginal_probabilities),
    "state": MeasurementRule(
        lambda _measurement, wires: (2**wires,), lambda state, readouts: [state] * len(readouts), is_complex=True
    ),
}


def measure(state: tf.Tensor, readouts: Sequence[Readout]) -> list[tf.Tensor]:
    """Every result of a final state.

    Args:
        state: shape (b, 2 ** n).
        readouts: the measurements.

    Returns:
        For each readout, a tensor of shape (b, *result shape).
    """
    results: dict[int, tf.Tensor] = {}
    for kind in {readout.kind for readout in readouts}:
        places = [place for place, readout in enumerate(readouts) if readout.kind == kind]
        results |= zip(places, MEASUREMENTS[kind].results(state, [readouts[place] for place in places]), strict=True)
    return [results[place] for place in range(len(readouts))]
