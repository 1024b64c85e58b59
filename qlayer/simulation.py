"""Simulation: a plan on TensorFlow, from the numbers of a batch to the state before the readout and to its results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from qlayer import kernels
from qlayer.chunks import in_chunks
from qlayer.kernels import Angles, complex_dtype
from qlayer.measurements import MEASUREMENTS, measure
from qlayer.phases import Phases, apply_phase_to_wires
from qlayer.plan import Layer, MatrixStep, PhaseStep, Plan, VariableStep
from qlayer.register import Register, join, place
from qlayer.states import MixedState, PureState, State

Blocks = tuple[list[tf.Tensor], list[list[tf.Tensor]]]

# Registers from this size on run in chunks. Smaller ones are done before a loop has started.
CHUNKED_MIN_WIRES = 10
# The states of a chunk take at most this, if one sample leaves the choice: measured from 1 to 32 MiB, 4 was the fastest
# (10 to 14 wires, 2 cores with 2 MiB of cache each).
CHUNK_STATE_BYTES = 2**22


@dataclass(frozen=True)
class Numbers:
    """What a run computes with.

    Args:
        angles: the values of the plan's angles.
        elements: the preparation's amplitudes, if there is one, then the elements of each calculated matrix: complex,
            (b, elements).
    """

    angles: Angles
    elements: tuple[tf.Tensor, ...]


@dataclass(frozen=True)
class Simulation:
    """How a plan runs.

    Args:
        plan: the plan.
        is_mixed: whether its register is a density matrix.
        is_postselected: whether the final state is to be normalized.
        dtype: real data type.
    """

    plan: Plan
    is_mixed: bool
    is_postselected: bool
    dtype: tf.DType

    @property
    def chunk_rows(self) -> int:
        """How many samples run at once at most."""
        return max(1, CHUNK_STATE_BYTES // (2 * self.dtype.size * 2**self.plan.wire_count))

    def results(self, numbers: Numbers) -> list[tf.Tensor]:
        """The exact result of every readout: (b, *shape) each."""
        structure = (numbers.angles.shared, numbers.angles.varying, numbers.elements, self.blocks(numbers.angles))
        tensors = tf.nest.flatten(structure)
        places = self._batched_places(numbers)
        if self.plan.wire_count < CHUNKED_MIN_WIRES or not places:
            return self._run(structure)

        def run(batched: list[tf.Tensor], shared: list[tf.Tensor]) -> list[tf.Tensor]:
            remaining = {True: iter(batched), False: iter(shared)}
            part = [next(remaining[place in places]) for place in range(len(tensors))]
            results = self._run(tf.nest.pack_sequence_as(structure, part))
            rows = tf.shape(batched[0])[0]
            return [tf.broadcast_to(result, [rows, *result.shape[1:]]) for result in results]

        batched = [tensor for place, tensor in enumerate(tensors) if place in places]
        shared = [tensor for place, tensor in enumerate(tensors) if place not in places]
        return in_chunks(run, batched, shared, self.result_specs(), self.chunk_rows)

    def state(self, numbers: Numbers) -> State:
        """The state before the readout."""
        return self._state(numbers, self.blocks(numbers.angles))

    def _batched_places(self, numbers: Numbers) -> set[int]:
        """Which of the tensors that a run takes have the batch as their first axis."""
        varying = {1} if self.plan.input_angles else set()
        return varying | {2 + place for place, value in enumerate(numbers.elements) if value.shape[0] != 1}

    def _run(self, structure: tuple[tf.Tensor, tf.Tensor, tuple[tf.Tensor, ...], Blocks]) -> list[tf.Tensor]:
        shared, varying, elements, blocks = structure
        return measure(self._state(Numbers(Angles(shared, varying), elements), blocks), self.plan.readouts)

    def result_specs(self) -> list[tf.TensorSpec]:
        """The shape and the data type of every result, for an unknown batch."""
        rules = [(MEASUREMENTS[readout.measurement.kind], readout.measurement) for readout in self.plan.readouts]
        return [
            tf.TensorSpec(
                [None, *rule.shape(measurement)], complex_dtype(self.dtype) if rule.is_complex else self.dtype
            )
            for rule, measurement in rules
        ]

    def blocks(self, angles: Angles) -> Blocks:
        """The matrices of all layers: the 2 x 2 ones of those in the prefix, then the blocks of the others."""
        plan = self.plan
        layers = tuple(step for step in (*plan.prefix, *plan.steps) if isinstance(step, Layer))
        if not layers:
            return [], []
        if not any(chain.phases for layer in layers for _, chain in layer.chains):
            return _evaluated(lambda: self._blocks_of(layers, no_angles(tf.float64)), self.dtype)
        return self._blocks_of(layers, angles)

    def _blocks_of(self, layers: tuple[Layer, ...], angles: Angles) -> Blocks:
        matrices = kernels.layer_matrices(layers, self.plan.wire_count, angles)
        split = sum(isinstance(step, Layer) for step in self.plan.prefix)
        return tf.unstack(matrices[:split]), kernels.block_matrices(matrices[split:])

    def _state(self, numbers: Numbers, blocks: Blocks) -> State:
        elements = iter(numbers.elements)
        single, joined = blocks
        if self.plan.preparation is None:
            start = self._unentangled(single, numbers.angles)
        else:
            start = place(next(elements), self.plan.preparation.wires, self.plan.wire_count)
        final = self.joined(start, numbers.angles, joined, list(elements))
        state = MixedState(final) if self.is_mixed else PureState(final)
        return state.normalized() if self.is_postselected else state

    def _unentangled(self, matrices: list[tf.Tensor], angles: Angles) -> Register:
        """Run the prefix, one vector for each wire, and join the register."""
        vectors = tf.constant([[[1], [0]]] * self.plan.wire_count, complex_dtype(self.dtype))
        remaining = iter(matrices)
        for step in self.plan.prefix:
            if isinstance(step, Layer):
                vectors = kernels.apply_layer_to_wires(vectors, next(remaining))
            else:
                vectors = apply_phase_to_wires(vectors, step, angles)
        return join(vectors)

    def joined(
        self, register: Register, angles: Angles, blocks: list[list[tf.Tensor]], elements: list[tf.Tensor]
    ) -> Register:
        """Run the steps on the joined register."""
        layers, matrices = iter(blocks), iter(elements)
        phases = Phases(angles, self.plan.wire_count)
        for step in self.plan.steps:
            match step:
                case Layer():
                    register = kernels.apply_layer(register, next(layers))
                case PhaseStep():
                    register = phases.apply(register, step.terms) if step.terms else register
                    register = register if step.sources is None else register.permuted(step.sources)
                case MatrixStep():
                    matrix = tf.constant(step.matrix[np.newaxis], complex_dtype(self.dtype))
                    register = kernels.apply_matrix(register, step.wires, matrix)
                case VariableStep():
                    matrix = kernels.variable_matrix(step, next(matrices))
                    register = kernels.apply_matrix(register, step.wires, matrix)
        return register


def no_angles(dtype: tf.DType) -> Angles:
    """The values of no angles."""
    return Angles(tf.zeros([1, 0], dtype), tf.zeros([1, 0], dtype))


def _evaluated(compute: Callable[[], Any], dtype: tf.DType) -> Any:
    """Constants of double precision, computed while a function is traced, in the precision of a data type."""
    with tf.init_scope():
        values = tf.nest.map_structure(lambda tensor: tensor.numpy(), tf.function(compute, autograph=False)())
    return tf.nest.map_structure(
        lambda value: tf.constant(value, complex_dtype(dtype) if np.iscomplexobj(value) else dtype), values
    )
