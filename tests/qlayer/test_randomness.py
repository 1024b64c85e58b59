"""Randomness: the same key, the same numbers; outcomes as often as their probabilities say."""

import numpy as np
import pytest
import tensorflow as tf

from qlayer.shots.randomness import Randomness, draw_outcomes, drawn_around, frequencies, random_key, seeded_key

SHOTS = 100_000
SIGMAS = 5
RANDOMNESS = Randomness(tf.constant([3, 7]))


def numbers(randomness):
    """A thousand numbers of a source."""
    return randomness.uniform([1000], tf.float64).numpy()


def test_a_key_decides():
    """The same key gives the same numbers, from 0 to 1, at every call; another key gives others."""
    found = numbers(RANDOMNESS)
    np.testing.assert_array_equal(numbers(Randomness(tf.constant([3, 7]))), found)
    assert np.all((found >= 0) & (found < 1))
    assert np.all(numbers(Randomness(tf.constant([3, 8]))) != found)


def test_folds_are_independent():
    """Sources folded from one are different and uncorrelated, also with it, and folds of folds with folds."""
    sources = [RANDOMNESS, *(RANDOMNESS.fold(number) for number in range(5)), RANDOMNESS.fold(0).fold(1)]
    correlations = np.corrcoef([numbers(source) for source in sources])
    np.testing.assert_allclose(correlations, np.eye(len(sources)), atol=SIGMAS / np.sqrt(1000))


def test_folds_by_a_tensor():
    """A number that is known when the graph runs folds as the same Python number does."""
    folded = tf.function(lambda number: RANDOMNESS.fold(number).key)(tf.constant(3))
    np.testing.assert_array_equal(folded, RANDOMNESS.fold(3).key)


def test_a_key_with_shots():
    """A third integer says how many shots are drawn; it stays in every fold, and the numbers are those of the pair."""
    source = Randomness(tf.constant([3, 7, 50]))
    assert (RANDOMNESS.shots(20), source.shots(20).numpy(), source.fold(2).fold(1).shots(20).numpy()) == (20, 50, 50)
    np.testing.assert_array_equal(numbers(source), numbers(RANDOMNESS))
    np.testing.assert_array_equal(numbers(source.fold(2)), numbers(RANDOMNESS.fold(2)))


def test_seeded_keys():
    """The same seed makes the same key, another one another, also where it differs in its upper bits only."""
    keys = [seeded_key(tf.constant(seed, tf.int64), None).numpy().tolist() for seed in (0, 5, 5, 5 + 2**40, -1)]
    assert keys[1] == keys[2]
    assert len({tuple(key) for key in keys}) == 4
    assert seeded_key(tf.constant(5, tf.int64), tf.constant(30)).numpy().tolist() == [*keys[1], 30]


def test_keys_with_a_seed():
    """Keys are new at every run; with a seed their sequence starts anew with every function."""
    sequences = []
    for seed in (5, 5, 6):
        function = tf.function(lambda seed=seed: random_key(seed))
        sequences.append([tuple(function().numpy()) for _ in range(4)])
    assert sequences[0] == sequences[1]
    assert len({*sequences[0], *sequences[2]}) == 8


PROBABILITIES = {
    "one wire": [[0.3, 0.7]],
    "a batch": [[0.1, 0.2, 0.3, 0.4], [0.85, 0.05, 0.0, 0.1]],
    "not of sum 1": [[2.0, 1.0, 0.0, 1.0]],
    "rounded below 0": [[0.5, -1e-17, 0.5, -1e-17]],
    "three wires": [[0.0, 0.25, 0.0, 0.0, 0.05, 0.0, 0.7, 0.0]],
}


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
@pytest.mark.parametrize("name", PROBABILITIES)
def test_outcomes_follow_the_probabilities(name, dtype):
    """Outcomes come as often as their probabilities say, and those of probability 0 never."""
    probabilities = np.array(PROBABILITIES[name])
    drawn = draw_outcomes(tf.constant(probabilities, dtype), SHOTS, RANDOMNESS).numpy()
    assert drawn.shape == (len(probabilities), SHOTS)
    found = np.stack([np.bincount(row, minlength=probabilities.shape[1]) for row in drawn]) / SHOTS
    expected = np.maximum(probabilities, 0) / probabilities.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=SIGMAS * 0.5 / np.sqrt(SHOTS))
    assert np.all(found[expected == 0] == 0)


@pytest.mark.parametrize("outcome", range(8))
def test_certain_outcomes(outcome):
    """The only outcome with a probability is drawn in every shot, wherever it is."""
    drawn = draw_outcomes(tf.one_hot([outcome], 8), 1000, RANDOMNESS)
    np.testing.assert_array_equal(drawn, np.full((1, 1000), outcome))


def test_rows_draw_for_themselves():
    """Equal rows have different outcomes, and an empty batch has none."""
    first, second = draw_outcomes(tf.fill([2, 4], 0.25), 100, RANDOMNESS).numpy()
    assert np.any(first != second)
    assert draw_outcomes(tf.zeros([0, 4]), 100, RANDOMNESS).shape == (0, 100)


def test_frequencies():
    """Each row is counted for itself; outcomes that were not drawn have the frequency 0."""
    found = frequencies(tf.constant([[0, 3, 3, 0, 3], [1, 1, 1, 1, 1]]), 4, tf.float64)
    np.testing.assert_allclose(found, [[0.4, 0, 0, 0.6], [0, 1, 0, 0]], atol=1e-15)
    assert frequencies(tf.zeros([0, 5], tf.int32), 4, tf.float64).shape == (0, 4)


def test_drawn_around():
    """The value is the drawn one, the gradient the exact one's."""
    exact = tf.constant([0.3, 0.4])
    with tf.GradientTape() as tape:
        tape.watch(exact)
        found = drawn_around(exact**2, tf.constant([1.0, -1.0]) * exact)
    np.testing.assert_allclose(found, [0.3, -0.4], rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(found, exact), [0.6, 0.8], rtol=1e-6)
