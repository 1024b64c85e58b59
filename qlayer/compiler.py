"""Compiler: a captured circuit as one TensorFlow function of a batch and the weights."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import prod

import tensorflow as tf

from qlayer import kernels, register
from qlayer.angles import AngleGraph
from qlayer.circuit import Circuit, Parameter, Preparation
from qlayer.finite import finite
from qlayer.kernels import Angles
from qlayer.light_cone import light_cone
from qlayer.plan import Layer, MatrixStep, PhaseStep, VariableStep
from qlayer.sampling import RULES, measure
from qlayer.scheduler import plan_circuit


class CompiledCircuit:
    """A circuit that runs on TensorFlow; to be called while a TensorFlow function is traced.

    Args:
        circuit: the circuit.
        angle_graph: what computes its angles.
        dtype: real data type: tf.float32 computes in complex64, tf.float64 in complex128.
    """

    def __init__(self, circuit: Circuit, angle_graph: AngleGraph, dtype: tf.DType) -> None:
        self.circuit = circuit
        self.angle_graph = angle_graph
        self.dtype = dtype
        self.plan = plan_circuit(light_cone(circuit))

    @property
    def result_shapes(self) -> list[tuple[int, ...]]:
        """The shape of each measurement's result for one sample."""
        return [RULES[m.kind].shape(m) for m in self.circuit.measurements]

    @property
    def output_shape(self) -> tuple[int, ...]:
        """The shape of the output for one sample: one bare result as it is, several flattened and concatenated."""
        shapes = self.result_shapes
        return shapes[0] if self.circuit.is_bare else (sum(prod(shape) for shape in shapes),)

    @property
    def output_dtype(self) -> tf.DType:
        """The data type of the output: complex if one of the results is."""
        is_complex = any(RULES[measurement.kind].is_complex for measurement in self.circuit.measurements)
        return kernels.complex_dtype(self.dtype) if is_complex else self.dtype

    def __call__(self, inputs: tf.Tensor, *weights: tf.Tensor) -> tf.Tensor:
        """Run the circuit.

        Args:
            inputs: shape (batch, *sample_shape).
            *weights: the weights, in the order of the angle graph's arguments.

        Returns:
            Shape (batch, *output_shape).
        """
        batch = tf.shape(inputs)[0]
        outputs = self.angle_graph(inputs, weights)
        state = self._final_state(outputs)
        if any(measurement.shots for measurement in self.circuit.measurements):  # every sample draws its own shots
            state = tf.broadcast_to(state, [batch, state.shape[1]])
        results = measure(state, self.plan.readouts)
        if not self.circuit.is_bare:
            results = [tf.concat([tf.cast(register.flatten(result), self.output_dtype) for result in results], axis=1)]
        output = tf.broadcast_to(results[0], [batch, *self.output_shape])
        for weight in self._unseen(weights):  # a zero, so that its gradient is zero and not missing
            zero = tf.reduce_sum(tf.math.multiply_no_nan(weight, tf.zeros([], weight.dtype)))
            output += tf.cast(zero, self.output_dtype)
        return output

    def _unseen(self, weights: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """The weights that no measurement depends on."""
        seen = self.angle_graph.arguments_of(self.plan.outputs)
        return [weight for position, weight in enumerate(weights, start=1) if position not in seen]

    def _final_state(self, outputs: Sequence[tf.Tensor]) -> tf.Tensor:
        """The amplitudes before the readout: shape (b, 2 ** n)."""
        plan = self.plan
        angles = Angles(self._angles(outputs, plan.weight_angles), self._angles(outputs, plan.input_angles))
        layers = tuple(step for step in (*plan.prefix, *plan.steps) if isinstance(step, Layer))
        matrices = (
            kernels.layer_matrices(layers, plan.wire_count, angles) if layers else tf.zeros([0, plan.wire_count, 2, 2])
        )
        split = sum(isinstance(step, Layer) for step in plan.prefix)
        if plan.preparation is None:
            state = self._unentangled(tf.unstack(matrices[:split]), angles)
        else:
            state = self._prepared(plan.preparation, outputs)
        return self._joined(state, matrices[split:], angles, outputs)

    def _unentangled(self, matrices: list[tf.Tensor], angles: Angles) -> tf.Tensor:
        """Run the prefix, one vector for each wire, and join the register."""
        zeros = tf.constant([[[1, 0]] * self.plan.wire_count], kernels.complex_dtype(self.dtype))
        vectors, remaining = zeros, iter(matrices)
        for step in self.plan.prefix:
            if isinstance(step, Layer):
                vectors = kernels.apply_layer_to_wires(vectors, next(remaining))
            else:
                vectors = kernels.apply_phase_to_wires(vectors, step, angles)
        return register.join(vectors)

    def _prepared(self, preparation: Preparation, outputs: Sequence[tf.Tensor]) -> tf.Tensor:
        """The register with given amplitudes on some wires and 0 on all others."""
        amplitudes = self._elements(preparation.amplitudes, outputs)
        return register.place(amplitudes, preparation.wires, self.plan.wire_count)

    def _elements(self, parameter: Parameter, outputs: Sequence[tf.Tensor]) -> tf.Tensor:
        """The elements of an argument that is no angle, complex: shape (b, elements)."""
        dtype = kernels.complex_dtype(self.dtype)
        if parameter.output is None:
            return tf.constant([parameter.values], dtype)
        flat = register.flatten(outputs[parameter.output])
        elements = kernels.pick_columns(flat, list(parameter.positions))
        checked = finite(elements, self.circuit, [(parameter.output, position) for position in parameter.positions])
        return tf.cast(checked, dtype)

    def _joined(self, state: tf.Tensor, matrices: tf.Tensor, angles: Angles, outputs: Sequence[tf.Tensor]) -> tf.Tensor:
        """Run the steps on the joined register."""
        remaining = iter(kernels.block_matrices(matrices))
        for step in self.plan.steps:
            match step:
                case Layer():
                    state = kernels.apply_layer(state, next(remaining))
                case PhaseStep():
                    state = kernels.apply_phase(state, step, angles)
                case MatrixStep():
                    state = kernels.apply_matrix(state, step.wires, tf.constant(step.matrix, state.dtype))
                case VariableStep():
                    matrix = kernels.variable_matrix(step, self._elements(step.elements, outputs))
                    state = kernels.apply_matrix(state, step.wires, matrix)
        return state

    def _angles(self, outputs: Sequence[tf.Tensor], wanted: tuple[tuple[int, int], ...]) -> tf.Tensor:
        """Some elements of the angle graph's outputs, one column each: shape (b, len(wanted))."""
        if not wanted:
            return tf.zeros([1, 0], self.dtype)
        used = sorted({output for output, _ in wanted})
        sizes = [prod(self.circuit.angle_outputs[output].shape) for output in used]
        starts = dict(zip(used, accumulate(sizes, initial=0), strict=False))
        columns = tf.concat([register.real(register.flatten(outputs[output]), self.dtype) for output in used], axis=1)
        angles = kernels.pick_columns(columns, [starts[output] + position for output, position in wanted])
        return finite(angles, self.circuit, wanted)
