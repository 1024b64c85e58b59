"""The four circuits as a table: their shapes and their numbers, without any simulator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.task import Task

_SEED = 7


@dataclass(frozen=True)
class Kind:
    """What the contestants agree on about a circuit.

    Args:
        title: the circuit in words.
        layers: number of layers where a point says nothing else.
        features: from the number of wires to the features of one sample.
        weights: from the numbers of layers and wires to the shape of the weights.
        outputs: from the number of wires to the numbers that one sample gives.
    """

    title: str
    layers: int
    features: Callable[[int], int]
    weights: Callable[[int, int], tuple[int, ...]]
    outputs: Callable[[int], int]


def _wires(wires: int) -> int:
    return wires


def _amplitudes(wires: int) -> int:
    return 2**wires


def _one(_wires: int) -> int:
    return 1


def _rotations(layers: int, wires: int) -> tuple[int, ...]:
    return (layers, wires, 3)


def _angles(layers: int, wires: int) -> tuple[int, ...]:
    return (layers, wires)


KINDS: dict[str, Kind] = {
    "a": Kind("AngleEmbedding, StronglyEntanglingLayers, ⟨Z⟩ of every wire", 3, _wires, _rotations, _wires),
    "b": Kind("four times AngleEmbedding, StronglyEntanglingLayers; ⟨Z₀⟩", 4, _wires, _rotations, _one),
    "c": Kind("AmplitudeEmbedding, BasicEntanglerLayers, probabilities", 5, _amplitudes, _angles, _amplitudes),
    "d": Kind("IQPEmbedding (2 repeats), BasicEntanglerLayers, ⟨10 Pauli words⟩", 3, _wires, _angles, _one),
}


@dataclass(frozen=True)
class Arrays:
    """The numbers of a task, the same for all contestants.

    Args:
        inputs: shape (batch, features), float32.
        weights: shape of the kind, float32.
    """

    inputs: np.ndarray
    weights: np.ndarray


def features(task: Task) -> int:
    """The features of one sample."""
    return KINDS[task.circuit].features(task.wires)


def weights_shape(task: Task) -> tuple[int, ...]:
    """The shape of the circuit's only weight."""
    return KINDS[task.circuit].weights(task.layers, task.wires)


def output_size(task: Task) -> int:
    """The numbers that one sample gives."""
    return KINDS[task.circuit].outputs(task.wires)


def make_arrays(task: Task) -> Arrays:
    """Inputs in [-1, 1) and weights in [0, 2 pi) from a fixed seed; the weights are the same for each batch."""
    generator = np.random.default_rng([_SEED, task.wires, task.layers])
    weights = generator.random(weights_shape(task), dtype=np.float32)
    inputs = generator.random((task.batch, features(task)), dtype=np.float32)
    inputs *= 2
    inputs -= 1
    return Arrays(inputs, weights * np.float32(2 * np.pi))
