"""Simulation: a plan on TensorFlow, from the numbers of a batch to the state before the readout and to its results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf

from qlayer.circuits.plan import Layer, MaskTerm, MatrixStep, PhaseStep, Plan, Step, VariableStep
from qlayer.circuits.product import is_real_product
from qlayer.simulation.adjoint import applied_reversibly
from qlayer.simulation.chunks import PARALLEL_PARTS, in_chunks
from qlayer.simulation.constants import shared_constants
from qlayer.simulation.kernels import (
    Angles,
    Blocks,
    apply_layer_to_wires,
    begin_with_layer,
    block_matrices,
    block_stacks,
    blocks_of,
    complex_dtype,
    layer_matrices,
    variable_matrix,
)
from qlayer.simulation.measurements import MEASUREMENTS, measure
from qlayer.simulation.moves import LayerMove, MatrixMove, Move, PermutationMove, PhaseMove, applied
from qlayer.simulation.orders import is_input_dependent, orders, placed
from qlayer.simulation.phases import apply_phase_to_wires, phase_factors
from qlayer.simulation.register import PART, Bits, Register, is_differentiated, join, place
from qlayer.simulation.states import MixedState, PureState, State

# Backpropagation may keep this much of the states on the way: beyond, gradients are computed by the adjoint method.
GRADIENT_BYTES = 2**30
STATES_PER_STEP = 6  # that backpropagation keeps, on average of layers and phases
USUAL_BATCH = 1024  # of circuits that do not run in chunks

LayerMatrices = tuple[list[tf.Tensor], list[tf.Tensor]]
"""Those of the layers in the prefix, (n, 2, 2) each, then the stacks of the blocks of the others."""

PhaseKey = tuple[tuple[MaskTerm, ...], Bits]
"""A phase polynomial and the order of bits in which it acts."""

PhaseFactors = tuple[tf.Tensor, tf.Tensor]
"""Of the rows of a register, and of the exchanged ones."""

# Registers from this size on run in chunks. Smaller ones are done before a loop has started.
CHUNKED_MIN_WIRES = 10
# The states of a chunk take at most this, if one sample leaves the choice: measured from 1 to 32 MiB, 4 was the fastest
# (10 to 14 wires, 2 cores with 2 MiB of cache each).
CHUNK_STATE_BYTES = 2**22
# Deep circuits run in smaller chunks before they are differentiated by the adjoint method: those of 1 MiB take half as
# long again, smaller ones more.
CHUNK_STATE_MIN_BYTES = 2**20


# Diagonals of weights are made in one expression up to this many numbers.
SHARED_FACTORS_MAX = 2**20


@dataclass(frozen=True)
class Numbers:
    """What a run computes with.

    Args:
        angles: the values of the plan's angles.
        elements: the preparation's amplitudes, if there is one, then the elements of each calculated matrix: real or
            complex, (b, elements).
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
        """How many samples run at once at most: fewer in a deep circuit, of which backpropagation keeps more states."""
        kept = PARALLEL_PARTS * STATES_PER_STEP * max(1, len(self.plan.steps))
        chunk = min(CHUNK_STATE_BYTES, max(CHUNK_STATE_MIN_BYTES, GRADIENT_BYTES // kept))
        return max(1, chunk // (2 * self.dtype.size * 2**self.plan.wire_count))

    @property
    def keeps_last_state(self) -> bool:
        """Whether backpropagation would take too much memory, so that gradients are computed by the adjoint method."""
        samples = PARALLEL_PARTS * self.chunk_rows if self.plan.wire_count >= CHUNKED_MIN_WIRES else USUAL_BATCH
        state = 2 * self.dtype.size * 2**self.plan.wire_count
        return samples * state * STATES_PER_STEP * len(self.plan.steps) > GRADIENT_BYTES

    def results(self, numbers: Numbers) -> list[tf.Tensor]:
        """The exact result of every readout: (b, *shape) each."""
        angles = numbers.angles
        structure = (angles.shared, angles.varying, numbers.elements, self.layer_matrices(angles))
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
        return self._state(numbers, self.layer_matrices(numbers.angles))

    def _batched_places(self, numbers: Numbers) -> set[int]:
        """Which of the tensors that a run takes have the batch as their first axis."""
        varying = {1} if self.plan.input_angles else set()
        return varying | {2 + place for place, value in enumerate(numbers.elements) if value.shape[0] != 1}

    def _run(self, structure: tuple[tf.Tensor, tf.Tensor, tuple[tf.Tensor, ...], LayerMatrices]) -> list[tf.Tensor]:
        shared, varying, elements, matrices = structure
        return measure(self._state(Numbers(Angles(shared, varying), elements), matrices), self.plan.readouts)

    def result_specs(self) -> list[tf.TensorSpec]:
        """The shape and the data type of every result, for an unknown batch."""
        rules = [(MEASUREMENTS[readout.measurement.kind], readout.measurement) for readout in self.plan.readouts]
        return [
            tf.TensorSpec(
                [None, *rule.shape(measurement)], complex_dtype(self.dtype) if rule.is_complex else self.dtype
            )
            for rule, measurement in rules
        ]

    @cached_property
    def layer_blocks(self) -> tuple[list[Blocks], list[bool]]:
        """For each layer on the joined register, its blocks of wires, and whether it is real."""
        layers = [step for step in self.plan.steps if isinstance(step, Layer)]
        return [blocks_of(layer, self.plan.wire_count) for layer in layers], [layer.is_real for layer in layers]

    def layer_matrices(self, angles: Angles) -> LayerMatrices:
        """The matrices of all layers."""
        plan = self.plan
        layers = tuple(step for step in (*plan.prefix, *plan.steps) if isinstance(step, Layer))
        if not layers:
            return [], []
        if not any(chain.phases for layer in layers for _, chain in layer.chains):
            return _evaluated(lambda: self._layer_matrices(layers, no_angles(tf.float64)), self.dtype)
        return self._layer_matrices(layers, angles)

    def _layer_matrices(self, layers: tuple[Layer, ...], angles: Angles) -> LayerMatrices:
        matrices = layer_matrices(layers, self.plan.wire_count, angles)
        split = sum(isinstance(step, Layer) for step in self.plan.prefix)
        first, others = tf.split(matrices, [split, len(layers) - split])
        return tf.unstack(first), block_stacks(others, *self.layer_blocks)

    def _state(self, numbers: Numbers, matrices: LayerMatrices) -> State:
        elements = iter(numbers.elements)
        single, stacks = matrices
        if self.plan.preparation is None:
            start = self._unentangled(single, numbers.angles)
        else:
            start = place(next(elements), self.plan.preparation.wires, self.plan.wire_count)
        final = self.joined(start, numbers.angles, stacks, list(elements))
        state = MixedState(final) if self.is_mixed else PureState(final)
        return state.normalized() if self.is_postselected else state

    def _unentangled(self, matrices: list[tf.Tensor], angles: Angles) -> Register:
        """Run the prefix, one vector for each wire, and join the register."""
        vectors = zero = tf.constant([[[1], [0]]] * self.plan.wire_count, complex_dtype(self.dtype))
        remaining = iter(matrices)
        for step in self.plan.prefix:
            if isinstance(step, Layer):
                matrix = next(remaining)
                vectors = begin_with_layer(matrix) if vectors is zero else apply_layer_to_wires(vectors, matrix)
            else:
                vectors = apply_phase_to_wires(vectors, step, angles)
        return join(tf.math.real(vectors) if is_real_product(self.plan.prefix, self.plan.wire_count) else vectors)

    def joined(
        self, register: Register, angles: Angles, stacks: list[tf.Tensor], elements: list[tf.Tensor]
    ) -> Register:
        """Run the steps on the joined register."""
        is_adjoint = is_differentiated() and self.keeps_last_state and all(map(_is_unitary, self.plan.steps))
        with shared_constants():
            if is_adjoint:  # which ends with the gradient by what it began with, undone: that has both parts
                register = register.with_part
            places = orders(self.plan.steps, register.bits)
            moves = list(self._moves(places, angles, stacks, iter(elements)))
            final = applied_reversibly(register, moves, places[-1][1]) if is_adjoint else applied(register, moves)
            return final.with_part

    def _moves(
        self, places: list[tuple[Bits, Bits]], angles: Angles, stacks: list[tf.Tensor], elements: Iterator[tf.Tensor]
    ) -> Iterator[Move]:
        """What the steps do. A phase polynomial is computed once for each order of bits in which it acts."""
        factors = self._phase_factors([bits for bits, _ in places], angles)
        layers = zip(self.layer_blocks[0], block_matrices(stacks, *self.layer_blocks), strict=True)
        for step, (bits, after) in zip(self.plan.steps, places, strict=True):
            match step:
                case Layer():
                    yield LayerMove(*next(layers))
                case PhaseStep():
                    if step.terms:
                        yield PhaseMove(bits, factors[step.terms, bits])
                    if step.sources is not None:
                        yield PermutationMove(step.sources, bits, after)
                case MatrixStep():
                    matrix = tf.constant(step.matrix[np.newaxis], complex_dtype(self.dtype))
                    yield MatrixMove(step.wires, (matrix,))
                case VariableStep():
                    yield MatrixMove(step.wires, (variable_matrix(step, next(elements)),))

    def _phase_factors(self, places: list[Bits], angles: Angles) -> dict[PhaseKey, PhaseFactors]:
        """The factors of every diagonal, for the order of bits in which it acts."""
        steps = zip(self.plan.steps, places, strict=True)
        keys = dict.fromkeys((step.terms, bits) for step, bits in steps if isinstance(step, PhaseStep) and step.terms)
        factors: dict[PhaseKey, PhaseFactors] = {}
        for part, group in self._made_together(list(keys)):
            polynomials = [placed(terms, bits) for terms, bits in group]
            factors |= zip(group, phase_factors(polynomials, self.plan.wire_count, angles, part), strict=True)
        return factors

    def _made_together(self, keys: list[PhaseKey]) -> Iterator[tuple[int, list[PhaseKey]]]:
        """Diagonals that are made at once, with the place of the part: several only where they depend on no input."""
        yield from ((bits.index(PART), [(terms, bits)]) for terms, bits in keys if is_input_dependent(terms))
        shared = [key for key in keys if not is_input_dependent(key[0])]
        for part in sorted({bits.index(PART) for _, bits in shared}):
            alike = [key for key in shared if key[1].index(PART) == part]
            size = max(1, SHARED_FACTORS_MAX >> self.plan.wire_count)
            yield from ((part, alike[start : start + size]) for start in range(0, len(alike), size))


def _is_unitary(step: Step) -> bool:
    """Whether a step is known to be unitary."""
    match step:
        case MatrixStep():
            return _is_unitary_matrix(step.matrix)
        case Layer():  # a projection is a matrix of one wire
            return all(_is_unitary_matrix(matrix) for _, chain in step.chains for matrix in chain.matrices)
    return isinstance(step, PhaseStep)


def _is_unitary_matrix(matrix: np.ndarray) -> bool:
    return np.allclose(matrix @ matrix.conj().T, np.eye(len(matrix)))


def no_angles(dtype: tf.DType) -> Angles:
    """The values of no angles."""
    return Angles(tf.zeros([1, 0], dtype), tf.zeros([1, 0], dtype))


def _evaluated(compute: Callable[[], Any], dtype: tf.DType) -> Any:
    """Constants of double precision, computed while a function is traced, in the precision of a data type."""
    with tf.init_scope():
        run = tf.function(compute, autograph=False).get_concrete_function()  # a call would count as one more retracing
        values = tf.nest.map_structure(lambda tensor: tensor.numpy(), run())
    return tf.nest.map_structure(
        lambda value: tf.constant(value, complex_dtype(dtype) if np.iscomplexobj(value) else dtype), values
    )
