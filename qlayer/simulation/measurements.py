"""The measurement table: from the final state to each result, on tensors.

A row tells the shape of a result without running anything, and computes the results of all its readouts at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np
import tensorflow as tf

from qlayer.circuits.circuit import Measurement
from qlayer.circuits.plan import Readout, Word
from qlayer.simulation.axes import to_end
from qlayer.simulation.states import PureState, State, absolute_square

Results = Callable[[State, Sequence[Readout]], list[tf.Tensor]]


@dataclass(frozen=True)
class MeasurementRule:
    """A row of the measurement table.

    Args:
        shape: from a measurement to the shape of its result for one sample.
        results: from the final state and the readouts to one tensor (b, *shape) for each.
        is_complex: whether the result is complex.
    """

    shape: Callable[[Measurement], tuple[int, ...]]
    results: Results
    is_complex: bool = False


# -------------------------------------------------------------------------------------------------------- observables


def _expectation_values(state: State, readouts: Sequence[Readout]) -> list[tf.Tensor]:
    """All expectation values out of one matrix product for each set of flipped bits.

    <P> is the sum over x of sign(x) * phase * rho[x, x ^ flips].
    """
    columns = [
        (column, coefficient, word) for column, readout in enumerate(readouts) for coefficient, word in readout.words
    ]
    if not columns:
        return [tf.zeros([1], state.dtype.real_dtype)] * len(readouts)
    groups = {
        flips: [entry for entry in columns if entry[2].x == flips] for flips in {word.x for _, _, word in columns}
    }
    total = tf.add_n([_flipped_values(state, flips, group, len(readouts)) for flips, group in sorted(groups.items())])
    return tf.unstack(total, axis=1)


def word_means(state: State, readout: Readout) -> tf.Tensor:
    """The exact mean of each Pauli word of an observable: (b, words)."""
    words = [replace(readout, words=((1.0, word),)) for _, word in readout.words]
    return tf.stack(_expectation_values(state, words), axis=1)


def weighted_words(means: tf.Tensor, readout: Readout) -> tf.Tensor:
    """The sum of an observable's words with their coefficients: (b, words) -> (b,)."""
    coefficients = tf.constant([coefficient for coefficient, _ in readout.words], means.dtype)
    return tf.linalg.matvec(means, coefficients)


def _flipped_values(state: State, flips: int, group: list[tuple[int, float, Word]], count: int) -> tf.Tensor:
    """What the words with the same flipped bits add to each expectation value: shape (b, count)."""
    real = [(*entry, entry[2].phase.real) for entry in group if entry[2].phase.real]
    imaginary = [(*entry, -entry[2].phase.imag) for entry in group if entry[2].phase.imag]
    return tf.add_n([_signed_values(state, flips, found, count) for found in (real, imaginary) if found])


def _signed_values(state: State, flips: int, group: list[tuple[int, float, Word, float]], count: int) -> tf.Tensor:
    """The same for words that see one part of the density matrix, with the factor of each: shape (b, count)."""
    masks = list(dict.fromkeys(word.z for _, _, word, _ in group))
    coefficients = np.zeros((len(masks), count))
    for column, coefficient, word, factor in group:
        coefficients[masks.index(word.z), column] += coefficient * factor
    is_imaginary = bool(group[0][2].phase.imag)
    sums = state.parity_sums(flips, masks, is_imaginary=is_imaginary)
    return tf.matmul(sums, tf.constant(coefficients, sums.dtype), transpose_a=True)


def _variances(state: State, readouts: Sequence[Readout]) -> list[tf.Tensor]:
    values = _expectation_values(state, [*(readout.squared() for readout in readouts), *readouts])
    pairs = zip(values[: len(readouts)], values[len(readouts) :], strict=True)
    return [square - tf.square(mean) for square, mean in pairs]


def matrix_of(measurement: Measurement) -> np.ndarray:
    """The measurement's matrix, of shape (2 ** k, 2 ** k)."""
    assert measurement.matrix is not None, "a row with a matrix was used without one: this is a bug"
    return np.reshape(measurement.matrix.values, measurement.matrix.shape)


def _matrix_expectation_value(state: State, measurement: Measurement) -> tf.Tensor:
    return state.expectation_value(measurement.wires, matrix_of(measurement))


def _matrix_variance(state: State, measurement: Measurement) -> tf.Tensor:
    matrix = matrix_of(measurement)
    square = state.expectation_value(measurement.wires, matrix @ matrix)
    return square - tf.square(state.expectation_value(measurement.wires, matrix))


# ------------------------------------------------------------------------------------------------------ probabilities


def _marginal_probabilities(state: State, readouts: Sequence[Readout]) -> list[tf.Tensor]:
    everything = state.probabilities()
    return [marginal(everything, readout.measurement.wires) for readout in readouts]


def marginal(everything: tf.Tensor, wires: tuple[int, ...]) -> tf.Tensor:
    """Probabilities of some wires, in their order: (b, 2 ** n) -> (b, 2 ** len(wires))."""
    if wires == tuple(range(everything.shape[1].bit_length() - 1)):
        return everything
    moved, order = to_end(everything, wires)
    rest = list(range(1, len(order) - len(wires)))
    return tf.reshape(tf.reduce_sum(moved, axis=rest), [-1, 2 ** len(wires)])


def _basis_probabilities(state: State, measurement: Measurement) -> tf.Tensor:
    rotated = state.rotated(measurement.wires, matrix_of(measurement))
    return marginal(rotated.probabilities(), measurement.wires)


# ----------------------------------------------------------------------------------------------------- reduced states


def _statevector(state: State, _measurement: Measurement) -> tf.Tensor:
    assert isinstance(state, PureState), "a mixed circuit returns its density matrix: this is a bug"
    return state.amplitudes


def _density_matrix(state: State, measurement: Measurement) -> tf.Tensor:
    """The reduced density matrix of some wires, in their order: (b, 2 ** k, 2 ** k)."""
    return state.reduced(measurement.wires)


def _purity(state: State, measurement: Measurement) -> tf.Tensor:
    return tf.reduce_sum(absolute_square(state.reduced(measurement.wires)), axis=[1, 2])


def _entropy(state: State, wires: tuple[int, ...]) -> tf.Tensor:
    """The von Neumann entropy of some wires in nats; eigenvalues that are 0 add nothing, and no gradient."""
    eigenvalues = tf.linalg.eigvalsh(state.reduced(wires))
    eigenvalues = tf.math.real(eigenvalues)
    logarithms = tf.math.log(tf.where(eigenvalues > 0, eigenvalues, tf.ones_like(eigenvalues)))
    return -tf.reduce_sum(eigenvalues * logarithms, axis=1)


def _vn_entropy(state: State, measurement: Measurement) -> tf.Tensor:
    return _entropy(state, measurement.wires) / _nats(measurement)


def _mutual_information(state: State, measurement: Measurement) -> tf.Tensor:
    first, second = measurement.wires, measurement.other_wires
    total = _entropy(state, first) + _entropy(state, second) - _entropy(state, (*first, *second))
    return total / _nats(measurement)


def _nats(measurement: Measurement) -> float:
    return log(measurement.log_base) if measurement.log_base else 1.0


# ---------------------------------------------------------------------------------------------------------- the table


def _each(result: Callable[[State, Measurement], tf.Tensor]) -> Results:
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
    "state": MeasurementRule(_states, _each(_statevector), is_complex=True),
    "density_matrix": MeasurementRule(_square, _each(_density_matrix), is_complex=True),
    "purity": MeasurementRule(_scalar, _each(_purity)),
    "vn_entropy": MeasurementRule(_scalar, _each(_vn_entropy)),
    "mutual_info": MeasurementRule(_scalar, _each(_mutual_information)),
}


def measure(state: State, readouts: Sequence[Readout]) -> list[tf.Tensor]:
    """Every exact result of a final state.

    Args:
        state: the state.
        readouts: the measurements.

    Returns:
        For each readout, a tensor of shape (b, *result shape).
    """
    results: dict[int, tf.Tensor] = {}
    for kind in {readout.measurement.kind for readout in readouts}:
        places = [place for place, readout in enumerate(readouts) if readout.measurement.kind == kind]
        values = MEASUREMENTS[kind].results(state, [readouts[place] for place in places])
        results |= zip(places, values, strict=True)
    return [results[place] for place in range(len(readouts))]
