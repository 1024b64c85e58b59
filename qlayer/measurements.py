"""The measurement table: from the final state to each result, on tensors.

A row tells the shape of a result without running anything, and computes the results of all its readouts at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
import tensorflow as tf

from qlayer.circuit import Measurement
from qlayer.kernels import apply_matrix, parities
from qlayer.plan import Readout, Word
from qlayer.register import flip, to_end

Results = Callable[[tf.Tensor, Sequence[Readout]], list[tf.Tensor]]


@dataclass(frozen=True)
class MeasurementRule:
    """A row of the measurement table.

    Args:
        shape: from a measurement to the shape of its result for one sample.
        results: from the final state, of shape (b, 2 ** n), and the readouts to one tensor (b, *shape) for each.
        is_complex: whether the result is complex.
    """

    shape: Callable[[Measurement], tuple[int, ...]]
    results: Results
    is_complex: bool = False


# -------------------------------------------------------------------------------------------------------- observables


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
    real = [(*entry, entry[2].phase.real) for entry in group if entry[2].phase.real]
    imaginary = [(*entry, -entry[2].phase.imag) for entry in group if entry[2].phase.imag]
    if not flips:
        return tf.matmul(probabilities(state), _sign_table(state, real, count))
    overlap = tf.math.conj(flip(state, flips)) * state
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


def _variances(state: tf.Tensor, readouts: Sequence[Readout]) -> list[tf.Tensor]:
    values = _expectation_values(state, [*(readout.squared() for readout in readouts), *readouts])
    pairs = zip(values[: len(readouts)], values[len(readouts) :], strict=True)
    return [square - tf.square(mean) for square, mean in pairs]


def _matrix_expectation_value(state: tf.Tensor, measurement: Measurement) -> tf.Tensor:
    applied = _applied(state, measurement)
    return tf.reduce_sum(tf.math.real(tf.math.conj(state) * applied), axis=1)


def _matrix_variance(state: tf.Tensor, measurement: Measurement) -> tf.Tensor:
    applied = _applied(state, measurement)
    mean = tf.reduce_sum(tf.math.real(tf.math.conj(state) * applied), axis=1)
    return tf.reduce_sum(probabilities(applied), axis=1) - tf.square(mean)


def _applied(state: tf.Tensor, measurement: Measurement) -> tf.Tensor:
    """The measurement's matrix times the state: (b, 2 ** n) -> (b, 2 ** n)."""
    assert measurement.matrix is not None, "a row with a matrix was used without one: this is a bug"
    return applied(state, measurement.wires, np.reshape(measurement.matrix.values, measurement.matrix.shape))


def applied(state: tf.Tensor, wires: tuple[int, ...], matrix: np.ndarray) -> tf.Tensor:
    """A constant matrix on some wires times the state: (b, 2 ** n) -> (b, 2 ** n)."""
    return apply_matrix(state, wires, tf.constant(matrix, state.dtype))


# ------------------------------------------------------------------------------------------------------ probabilities


def probabilities(state: tf.Tensor) -> tf.Tensor:
    """|amplitude| ** 2, elementwise."""
    return tf.square(tf.math.real(state)) + tf.square(tf.math.imag(state))


def _marginal_probabilities(state: tf.Tensor, readouts: Sequence[Readout]) -> list[tf.Tensor]:
    everything = probabilities(state)
    return [marginal(everything, readout.measurement.wires) for readout in readouts]


def marginal(everything: tf.Tensor, wires: tuple[int, ...]) -> tf.Tensor:
    """Probabilities of some wires, in their order: (b, 2 ** n) -> (b, 2 ** len(wires))."""
    if wires == tuple(range(everything.shape[1].bit_length() - 1)):
        return everything
    moved, order = to_end(everything, wires)
    rest = list(range(1, len(order) - len(wires)))
    return tf.reshape(tf.reduce_sum(moved, axis=rest), [-1, 2 ** len(wires)])


def _basis_probabilities(state: tf.Tensor, measurement: Measurement) -> tf.Tensor:
    return marginal(probabilities(_applied(state, measurement)), measurement.wires)


# ----------------------------------------------------------------------------------------------------- reduced states


def _density_matrix(state: tf.Tensor, measurement: Measurement) -> tf.Tensor:
    """The reduced density matrix of some wires, in their order: (b, 2 ** n) -> (b, 2 ** k, 2 ** k)."""
    return _reduced(state, measurement.wires)


def _reduced(state: tf.Tensor, wires: tuple[int, ...]) -> tf.Tensor:
    moved, _ = to_end(state, wires)
    size = 2 ** len(wires)
    amplitudes = tf.reshape(moved, [-1, state.shape[1] // size, size])
    return tf.matmul(amplitudes, tf.math.conj(amplitudes), transpose_a=True)


def _purity(state: tf.Tensor, measurement: Measurement) -> tf.Tensor:
    return tf.reduce_sum(probabilities(_reduced(state, measurement.wires)), axis=[1, 2])


def _entropy(state: tf.Tensor, wires: tuple[int, ...]) -> tf.Tensor:
    """The von Neumann entropy of some wires in nats; eigenvalues that are 0 add nothing, and no gradient."""
    eigenvalues = tf.linalg.eigvalsh(_reduced(state, wires))
    eigenvalues = tf.math.real(eigenvalues)
    logarithms = tf.math.log(tf.where(eigenvalues > 0, eigenvalues, tf.ones_like(eigenvalues)))
    return -tf.reduce_sum(eigenvalues * logarithms, axis=1)


def _vn_entropy(state: tf.Tensor, measurement: Measurement) -> tf.Tensor:
    return _entropy(state, measurement.wires) / _nats(measurement)


def _mutual_information(state: tf.Tensor, measurement: Measurement) -> tf.Tensor:
    first, second = measurement.wires, measurement.other_wires
    total = _entropy(state, first) + _entropy(state, second) - _entropy(state, (*first, *second))
    return total / _nats(measurement)


def _nats(measurement: Measurement) -> float:
    return log(measurement.log_base) if measurement.log_base else 1.0


# ---------------------------------------------------------------------------------------------------------- the table


def _each(result: Callable[[tf.Tensor, Measurement], tf.Tensor]) -> Results:
    """The results of readouts that share no work."""
    return lambda state, readouts: [result(state, readout.measurement) for readout in readouts]


def _scalar(_measurement: Measurement) -> tuple[int, ...]:
    return ()


def _states(measurement: Measurement) -> tuple[int, ...]:
    return (2 ** len(measurement.wires),)


def _square(measurement: Measurement) -> tuple[int, ...]:
    return _states(measurement) * 2


MEASUREMENTS: dict[str, MeasurementRule] = {
    "expval": MeasurementRule(_scalar, _expectation_values),
    "var": MeasurementRule(_scalar, _variances),
    "matrix_expval": MeasurementRule(_scalar, _each(_matrix_expectation_value)),
    "matrix_var": MeasurementRule(_scalar, _each(_matrix_variance)),
    "probs": MeasurementRule(_states, _marginal_probabilities),
    "basis_probs": MeasurementRule(_states, _each(_basis_probabilities)),
    "state": MeasurementRule(_states, _each(lambda state, _measurement: state), is_complex=True),
    "density_matrix": MeasurementRule(_square, _each(_density_matrix), is_complex=True),
    "purity": MeasurementRule(_scalar, _each(_purity)),
    "vn_entropy": MeasurementRule(_scalar, _each(_vn_entropy)),
    "mutual_info": MeasurementRule(_scalar, _each(_mutual_information)),
}
