"""Classical shadows: each shot measures every wire in a random Pauli basis (Huang, Kueng, Preskill 2020).

A shot is drawn wire by wire: the wire is turned into its basis, its bit is drawn, and the state collapses to half its
size, so that a shot costs as much as one pass over the statevector.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from qlayer.circuits.gates import HADAMARD
from qlayer.circuits.plan import Readout, wire_bit
from qlayer.shots.randomness import Randomness, drawn_around
from qlayer.simulation.axes import to_end
from qlayer.simulation.measurements import weighted_words, word_means
from qlayer.simulation.states import PureState, State, absolute_square

_TO_BASES = np.stack([HADAMARD, HADAMARD @ np.diag([1, -1j]), np.eye(2)])  # recipes 0, 1, 2: X, Y, Z


def shadow(state: State, readout: Readout, randomness: Randomness) -> tf.Tensor:
    """The bits and the recipes (0, 1, 2 for X, Y, Z) of some wires in each shot: (b, 2, shots, wires)."""
    assert isinstance(state, PureState), "the shadow of a mixed state is refused when it is recorded: this is a bug"
    wires, real = readout.measurement.wires, state.dtype.real_dtype
    moved, _ = to_end(state.amplitudes, wires)
    shape = [tf.shape(moved)[0], readout.measurement.shots, len(wires)]
    recipes = tf.cast(3 * randomness.fold(0).uniform(shape, real), tf.int32)
    chances = randomness.fold(1).uniform(shape, real)
    collapsing = tf.reshape(moved, [shape[0], 1, 2 ** (state.wire_count - 1), 2])
    bits: list[tf.Tensor] = []
    for wire in reversed(range(len(wires))):  # the last wire is the last axis
        turns = tf.gather(tf.constant(_TO_BASES, state.dtype), recipes[:, :, wire])
        turned = tf.matmul(collapsing, turns, transpose_b=True)
        chance = tf.reduce_sum(absolute_square(turned), axis=2)
        is_one = chances[:, :, wire] * (chance[:, :, 0] + chance[:, :, 1]) < chance[:, :, 1]
        bits.insert(0, is_one)
        left = tf.where(is_one[:, :, tf.newaxis], turned[:, :, :, 1], turned[:, :, :, 0])
        collapsing = tf.reshape(left, [*shape[:2], -1, 2]) if wire else left
    return tf.cast(tf.stack([tf.cast(tf.stack(bits, axis=2), tf.int32), recipes], axis=1), real)


def group_means(state: State, readout: Readout, randomness: Randomness) -> tf.Tensor:
    """An estimate of each Pauli word from each group of shots: (b, groups * words)."""
    drawn = estimates(shadow(state, readout, randomness), readout, state.wire_count)
    exact = tf.tile(word_means(state, readout), [1, drawn.shape[1] // len(readout.words)])
    return drawn_around(exact, drawn)


def estimates(snapshots: tf.Tensor, readout: Readout, wire_count: int) -> tf.Tensor:
    """The mean of each word over each group of shots: bits and recipes (b, 2, shots, wires) -> (b, groups * words)."""
    groups = tf.split(_word_estimates(snapshots, readout, wire_count), _group_sizes(readout), axis=1)
    return tf.concat([tf.reduce_mean(group, axis=1) for group in groups], axis=1)


def _word_estimates(snapshots: tf.Tensor, readout: Readout, wire_count: int) -> tf.Tensor:
    """What each shot says of each word: 0 if a recipe differs, else the product of 3 (-1) ** bit: (b, shots, words)."""
    signs, recipes = 1 - 2 * snapshots[:, 0], snapshots[:, 1]
    estimates = []
    for _, word in readout.words:
        estimate = tf.ones_like(signs[:, :, 0])
        for place, wire in enumerate(readout.measurement.wires):
            bit = wire_bit(wire, wire_count)
            recipe = {(True, False): 0, (True, True): 1, (False, True): 2}.get((bool(word.x & bit), bool(word.z & bit)))
            if recipe is not None:
                is_same = tf.cast(tf.equal(recipes[:, :, place], float(recipe)), signs.dtype)
                estimate *= 3 * signs[:, :, place] * is_same
        estimates.append(estimate)
    return tf.stack(estimates, axis=2)


def _group_sizes(readout: Readout) -> list[int]:
    """The shots of each group: equal, but for the last one."""
    shots, groups = readout.measurement.shots, readout.measurement.groups
    size = -(-shots // groups)
    return [min(size, shots - start) for start in range(0, shots, size)]


def median_of_groups(means: tf.Tensor, readout: Readout) -> tf.Tensor:
    """The median over the groups of each word, summed with their coefficients: (b, groups * words) -> (b,)."""
    groups = len(_group_sizes(readout))
    ordered = tf.sort(tf.reshape(means, [-1, groups, len(readout.words)]), axis=1)
    median = (ordered[:, (groups - 1) // 2] + ordered[:, groups // 2]) / 2
    return weighted_words(median, readout)
