"""Sampled rows of the measurement table: what a circuit with finite shots returns.

Every result is drawn from its exact distribution: basis states from the probabilities, the outcomes of a Pauli word
from its expectation value. Expectation values, variances and probabilities are differentiable with the exact gradient:
the noise of the shots is added to the exact value as a constant. Measurements are drawn independently of each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import tensorflow as tf

from qlayer.circuit import Measurement
from qlayer.measurements import MEASUREMENTS, MeasurementRule, Results, applied, marginal, probabilities
from qlayer.plan import Readout


def _frequencies(exact: tf.Tensor, shots: int) -> tf.Tensor:
    """How often each outcome is drawn: probabilities (b, outcomes) -> (b, outcomes), with the gradient of the exact."""
    drawn = tf.one_hot(_draw(exact, shots), exact.shape[1], dtype=exact.dtype)
    return exact + tf.stop_gradient(tf.reduce_mean(drawn, axis=1) - exact)


def _draw(exact: tf.Tensor, shots: int) -> tf.Tensor:
    """Outcomes by their probabilities: (b, outcomes) -> integers of shape (b, shots)."""
    positive = tf.maximum(exact, tf.constant(np.finfo(exact.dtype.as_numpy_dtype).tiny, exact.dtype))
    return tf.random.categorical(tf.math.log(positive), shots, dtype=tf.int32)


def _signs(exact: tf.Tensor) -> tf.Tensor:
    """The probabilities of +1 and -1 for a mean: (...) -> (elements, 2)."""
    mean = tf.clip_by_value(tf.reshape(exact, [-1, 1]), -1, 1)
    return tf.concat([1 + mean, 1 - mean], axis=1) / 2


def _sampled_words(state: tf.Tensor, readout: Readout) -> list[tf.Tensor]:
    """The mean of each Pauli word of an observable over the shots, the identity being exact: each of shape (b,)."""
    words = [replace(readout, words=((1.0, word),)) for _, word in readout.words]
    means = []
    for single, exact in zip(words, MEASUREMENTS["expval"].results(state, words), strict=True):
        ((_, word),) = single.words
        frequencies = _frequencies(_signs(exact), readout.measurement.shots)
        means.append(frequencies[:, 0] - frequencies[:, 1] if word.x or word.z else exact)
    return means


def _expectation_value(state: tf.Tensor, readout: Readout) -> tf.Tensor:
    means = _sampled_words(state, readout)
    return tf.add_n([coefficient * mean for (coefficient, _), mean in zip(readout.words, means, strict=True)])


def _variance(state: tf.Tensor, readout: Readout) -> tf.Tensor:
    return _expectation_value(state, readout.squared()) - tf.square(_expectation_value(state, readout))


def _spectrum(state: tf.Tensor, measurement: Measurement) -> tuple[np.ndarray, tf.Tensor]:
    """The eigenvalues of a matrix observable, and how often each is drawn: (K,) and (b, K)."""
    assert measurement.matrix is not None, "a row with a matrix was used without one: this is a bug"
    matrix = np.reshape(measurement.matrix.values, measurement.matrix.shape)
    eigenvalues, basis = np.linalg.eigh(matrix)
    exact = marginal(probabilities(applied(state, measurement.wires, basis.conj().T)), measurement.wires)
    return eigenvalues, _frequencies(exact, measurement.shots)


def _matrix_expectation_value(state: tf.Tensor, readout: Readout) -> tf.Tensor:
    eigenvalues, frequencies = _spectrum(state, readout.measurement)
    return tf.linalg.matvec(frequencies, tf.constant(eigenvalues, frequencies.dtype))


def _matrix_variance(state: tf.Tensor, readout: Readout) -> tf.Tensor:
    eigenvalues, frequencies = _spectrum(state, readout.measurement)
    mean, square = (tf.linalg.matvec(frequencies, tf.constant(eigenvalues**k, frequencies.dtype)) for k in (1, 2))
    return square - tf.square(mean)


def _probabilities(kind: str) -> Callable[[tf.Tensor, Readout], tf.Tensor]:
    def results(state: tf.Tensor, readout: Readout) -> tf.Tensor:
        (exact,) = MEASUREMENTS[kind].results(state, [readout])
        return _frequencies(exact, readout.measurement.shots)

    return results


def _samples(state: tf.Tensor, readout: Readout) -> tf.Tensor:
    """The bits of each wire in each shot: (b, 2 ** n) -> (b, shots, wires)."""
    measurement = readout.measurement
    drawn = _draw(marginal(probabilities(state), measurement.wires), measurement.shots)
    count = len(measurement.wires)
    states = np.arange(2**count)
    bits = np.stack([states >> (count - 1 - wire) & 1 for wire in range(count)], axis=1)
    return tf.gather(tf.constant(bits, state.dtype.real_dtype), drawn)


def _outcomes(state: tf.Tensor, readout: Readout) -> tf.Tensor:
    """The outcomes +1 and -1 of a Pauli word in each shot: (b, 2 ** n) -> (b, shots)."""
    (exact,) = MEASUREMENTS["expval"].results(state, [readout])
    return 1 - 2 * tf.cast(_draw(_signs(exact), readout.measurement.shots), state.dtype.real_dtype)


def _row(
    shape: Callable[[Measurement], tuple[int, ...]], result: Callable[[tf.Tensor, Readout], tf.Tensor]
) -> MeasurementRule:
    results: Results = lambda state, readouts: [result(state, readout) for readout in readouts]  # noqa: E731 - a row
    return MeasurementRule(shape, results)


def _of(kind: str, result: Callable[[tf.Tensor, Readout], tf.Tensor]) -> MeasurementRule:
    return _row(MEASUREMENTS[kind].shape, result)


SAMPLED: dict[str, MeasurementRule] = {
    "sampled_expval": _of("expval", _expectation_value),
    "sampled_var": _of("var", _variance),
    "sampled_matrix_expval": _of("matrix_expval", _matrix_expectation_value),
    "sampled_matrix_var": _of("matrix_var", _matrix_variance),
    "sampled_probs": _of("probs", _probabilities("probs")),
    "sampled_basis_probs": _of("basis_probs", _probabilities("basis_probs")),
    "sampled_states": _row(lambda m: (m.shots, len(m.wires)), _samples),
    "sampled_outcomes": _row(lambda m: (m.shots,), _outcomes),
}


def measure(state: tf.Tensor, readouts: Sequence[Readout]) -> list[tf.Tensor]:
    """Every result of a final state, exact or sampled.

    Args:
        state: shape (b, 2 ** n); with finite shots, one row for each sample of the batch.
        readouts: the measurements.

    Returns:
        For each readout, a tensor of shape (b, *result shape).
    """
    results: dict[int, tf.Tensor] = {}
    for kind in {readout.measurement.kind for readout in readouts}:
        places = [place for place, readout in enumerate(readouts) if readout.measurement.kind == kind]
        results |= zip(places, RULES[kind].results(state, [readouts[place] for place in places]), strict=True)
    return [results[place] for place in range(len(readouts))]


RULES = MEASUREMENTS | SAMPLED
