"""The sampled rows of the measurement table: what a circuit with finite shots returns.

Every result is drawn from its exact distribution, and independently of the other results. A row first draws means over
the shots that are linear in the density matrix, so that the parameter-shift rule holds for them, and then makes the
result of these means.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from qlayer.circuits.circuit import Measurement
from qlayer.circuits.plan import Readout
from qlayer.shots.randomness import Randomness, draw_outcomes, drawn_around, frequencies
from qlayer.shots.shadows import group_means, median_of_groups, shadow
from qlayer.simulation.measurements import MEASUREMENTS, marginal, matrix_of, weighted_words, word_means
from qlayer.simulation.states import State

Draw = Callable[[State, Readout, Randomness], tf.Tensor]
Finish = Callable[[tf.Tensor, Readout], tf.Tensor]


def _as_it_is(drawn: tf.Tensor, _readout: Readout) -> tf.Tensor:
    return drawn


@dataclass(frozen=True)
class SampledRule:
    """A row of the sampled part of the measurement table.

    Args:
        shape: from a measurement to the shape of its result for one sample.
        draw: from the final state, with a row for each sample, to what is drawn: shape (b, ...).
        finish: from what was drawn to the result: shape (b, *shape).
        is_differentiable: whether what is drawn has an expectation value to differentiate.
        takes_shots: whether the number of shots may be a part of the key, as `Randomness` says: where the shape of
            the result does not depend on it.
        is_complex: whether the result is complex; none is.
    """

    shape: Callable[[Measurement], tuple[int, ...]]
    draw: Draw
    finish: Finish = _as_it_is
    is_differentiable: bool = True
    takes_shots: bool = True
    is_complex: bool = False


# ------------------------------------------------------------------------------------------------------- Pauli words


def _word_means(state: State, readout: Readout, randomness: Randomness) -> tf.Tensor:
    """The mean of each Pauli word over the shots, the identity being exact: (b, words)."""
    exact = word_means(state, readout)
    signs = _drawn_signs(exact, randomness.shots(readout.measurement.shots), randomness)
    is_drawn = tf.constant([[bool(word.x or word.z) for _, word in readout.words]])
    return drawn_around(exact, tf.where(is_drawn, tf.reduce_mean(signs, axis=2), exact))


def _drawn_signs(means: tf.Tensor, shots: int | tf.Tensor, randomness: Randomness) -> tf.Tensor:
    """+1 and -1 of some means: (b, ...) -> (b, ..., shots)."""
    chances = randomness.uniform([tf.shape(means)[0], *means.shape[1:], shots], means.dtype)
    return tf.where(2 * chances < 1 + means[..., tf.newaxis], tf.ones_like(chances), -tf.ones_like(chances))


def _square_and_word_means(state: State, readout: Readout, randomness: Randomness) -> tf.Tensor:
    """The means of the words of the squared observable, then of its own words."""
    squares = _word_means(state, readout.squared(), randomness.fold(0))
    return tf.concat([squares, _word_means(state, readout, randomness.fold(1))], axis=1)


def _variance(means: tf.Tensor, readout: Readout) -> tf.Tensor:
    squared = readout.squared()
    squares, words = means[:, : len(squared.words)], means[:, len(squared.words) :]
    return weighted_words(squares, squared) - tf.square(weighted_words(words, readout))


def _signs(state: State, readout: Readout, randomness: Randomness) -> tf.Tensor:
    """The outcomes +1 and -1 of a Pauli word in each shot: (b, shots)."""
    (exact,) = MEASUREMENTS["expval"].results(state, [readout])
    return _drawn_signs(exact, readout.measurement.shots, randomness)


# ---------------------------------------------------------------------------------------------------------- matrices


def _spectrum(measurement: Measurement) -> tuple[np.ndarray, np.ndarray]:
    """The eigenvalues and eigenvectors of a matrix observable."""
    return np.linalg.eigh(matrix_of(measurement))


def _eigenstate_probabilities(state: State, measurement: Measurement) -> tf.Tensor:
    _, basis = _spectrum(measurement)
    return marginal(state.rotated(measurement.wires, basis.conj().T).probabilities(), measurement.wires)


def _eigenstate_frequencies(state: State, readout: Readout, randomness: Randomness) -> tf.Tensor:
    return _frequencies(_eigenstate_probabilities(state, readout.measurement), readout, randomness)


def _frequencies(exact: tf.Tensor, readout: Readout, randomness: Randomness) -> tf.Tensor:
    drawn = draw_outcomes(exact, randomness.shots(readout.measurement.shots), randomness)
    return drawn_around(exact, frequencies(drawn, exact.shape[1], exact.dtype))


def _eigenvalue_mean(shares: tf.Tensor, readout: Readout) -> tf.Tensor:
    eigenvalues, _ = _spectrum(readout.measurement)
    return tf.linalg.matvec(shares, tf.constant(eigenvalues, shares.dtype))


def _eigenvalue_variance(shares: tf.Tensor, readout: Readout) -> tf.Tensor:
    eigenvalues, _ = _spectrum(readout.measurement)
    square = tf.linalg.matvec(shares, tf.constant(eigenvalues**2, shares.dtype))
    return square - tf.square(_eigenvalue_mean(shares, readout))


def _eigenvalues(state: State, readout: Readout, randomness: Randomness) -> tf.Tensor:
    """The outcome of a matrix observable in each shot: (b, shots)."""
    eigenvalues, _ = _spectrum(readout.measurement)
    exact = _eigenstate_probabilities(state, readout.measurement)
    return tf.gather(tf.constant(eigenvalues, exact.dtype), draw_outcomes(exact, readout.measurement.shots, randomness))


# ------------------------------------------------------------------------------------------------------------- states


def _state_frequencies(state: State, readout: Readout, randomness: Randomness) -> tf.Tensor:
    return _frequencies(marginal(state.probabilities(), readout.measurement.wires), readout, randomness)


def _basis_frequencies(state: State, readout: Readout, randomness: Randomness) -> tf.Tensor:
    (exact,) = MEASUREMENTS["basis_probs"].results(state, [readout])
    return _frequencies(exact, readout, randomness)


def _bits(state: State, readout: Readout, randomness: Randomness) -> tf.Tensor:
    """The bits of each wire in each shot: (b, shots, wires)."""
    measurement = readout.measurement
    drawn = draw_outcomes(marginal(state.probabilities(), measurement.wires), measurement.shots, randomness)
    count = len(measurement.wires)
    states = np.arange(2**count)
    bits = np.stack([states >> (count - 1 - wire) & 1 for wire in range(count)], axis=1)
    return tf.gather(tf.constant(bits, state.dtype.real_dtype), drawn)


# ---------------------------------------------------------------------------------------------------------- the table


def _row(kind: str, draw: Draw, finish: Finish = _as_it_is, *, takes_shots: bool = True) -> SampledRule:
    """The sampled version of an exact row."""
    return SampledRule(MEASUREMENTS[kind].shape, draw, finish, takes_shots=takes_shots)


def _each_shot(shape: Callable[[Measurement], tuple[int, ...]], draw: Draw) -> SampledRule:
    """A row that returns what every single shot gave."""
    return SampledRule(shape, draw, is_differentiable=False, takes_shots=False)


def _shots(measurement: Measurement) -> tuple[int, ...]:
    return (measurement.shots,)


SAMPLED: dict[str, SampledRule] = {
    "sampled_expval": _row("expval", _word_means, weighted_words),
    "sampled_var": _row("var", _square_and_word_means, _variance),
    "sampled_matrix_expval": _row("matrix_expval", _eigenstate_frequencies, _eigenvalue_mean),
    "sampled_matrix_var": _row("matrix_var", _eigenstate_frequencies, _eigenvalue_variance),
    "sampled_probs": _row("probs", _state_frequencies),
    "sampled_basis_probs": _row("basis_probs", _basis_frequencies),
    "sampled_states": _each_shot(lambda m: (m.shots, len(m.wires)), _bits),
    "sampled_outcomes": _each_shot(_shots, _signs),
    "sampled_eigenvalues": _each_shot(_shots, _eigenvalues),
    "classical_shadow": _each_shot(lambda m: (2, m.shots, len(m.wires)), shadow),
    "shadow_expval": _row("expval", group_means, median_of_groups, takes_shots=False),  # in groups of a fixed size
}

RULES = MEASUREMENTS | SAMPLED


def draw_all(state: State, readouts: Sequence[Readout], randomness: Randomness) -> list[tf.Tensor]:
    """What is drawn for every readout of a final state with a row for each sample of the batch."""
    return [
        SAMPLED[readout.measurement.kind].draw(state, readout, randomness.fold(number))
        for number, readout in enumerate(readouts)
    ]
