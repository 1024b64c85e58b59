"""Compiler: a captured circuit as one TensorFlow function of a batch and the weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from math import prod

import numpy as np
import tensorflow as tf

from qlayer.angles.angles import AngleGraph
from qlayer.angles.casts import to_complex
from qlayer.circuits.circuit import Circuit, Parameter
from qlayer.circuits.light_cone import light_cone
from qlayer.circuits.plan import AngleSource, is_real
from qlayer.circuits.scheduler import plans_of
from qlayer.shots.parameter_shift import ShiftRule
from qlayer.shots.randomness import Randomness, random_key
from qlayer.shots.sampling import RULES, SAMPLED, draw_all
from qlayer.simulation.axes import flatten, real
from qlayer.simulation.costs import plan_cost
from qlayer.simulation.finite import finite
from qlayer.simulation.kernels import Angles, complex_dtype
from qlayer.simulation.phases import pick_columns
from qlayer.simulation.simulation import Numbers, Simulation
from qlayer.simulation.weighted import contracted, expanded


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
        seen = light_cone(replace(circuit, measurements=expanded(circuit.measurements)))
        self.plan = min(plans_of(seen), key=plan_cost)
        self.simulation = Simulation(self.plan, circuit.is_mixed, circuit.is_postselected, dtype)

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
        return complex_dtype(self.dtype) if is_complex else self.dtype

    @property
    def has_shots(self) -> bool:
        """Whether its results are drawn."""
        return any(measurement.shots for measurement in self.circuit.measurements)

    def __call__(self, inputs: tf.Tensor, *weights: tf.Tensor, key: tf.Tensor | None = None) -> tf.Tensor:
        """Run the circuit.

        Args:
            inputs: shape (batch, *sample_shape).
            *weights: the weights, in the order of the angle graph's arguments.
            key: what finite shots are drawn from, as `Randomness` takes it; None for new draws at every run.

        Returns:
            Shape (batch, *output_shape).
        """
        batch = tf.shape(inputs)[0]
        outputs = self.angle_graph(inputs, weights)
        if self.circuit.gradient == "none":
            outputs = [tf.stop_gradient(output) for output in outputs]
        if self.has_shots:
            drawn = self._sampled(outputs, batch, Randomness(random_key(None) if key is None else key))
            results = self._contracted(drawn, outputs)
        else:
            results = self._exact(outputs)
        if not self.circuit.is_bare:
            results = [tf.concat([self._output(flatten(result)) for result in _of_one_batch(results, batch)], axis=1)]
        output = results[0]
        if output.shape[0] is not None:  # one result for all samples, or as many as the batch
            output = tf.broadcast_to(output, [batch, *self.output_shape])
        if self.circuit.gradient != "none":
            for argument in self._unseen(inputs, *weights):  # a zero, so that its gradient is zero and not missing
                zero = tf.reduce_sum(tf.math.multiply_no_nan(argument, tf.zeros([], argument.dtype)))
                output += self._output(zero)
        return output

    def _exact(self, outputs: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Every exact result."""
        results = self.simulation.results(self._numbers(self._angle_values(outputs), outputs))
        return self._contracted(results, outputs)

    def _contracted(self, results: list[tf.Tensor], outputs: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """The results with those of each weighted sum added up."""
        return contracted(results, self.circuit.measurements, lambda weights: self._elements(weights, outputs))

    def _sampled(self, outputs: list[tf.Tensor], batch: tf.Tensor, randomness: Randomness) -> list[tf.Tensor]:
        """Every result drawn with finite shots, each sample of the batch drawing its own."""
        rules = [SAMPLED[readout.measurement.kind] for readout in self.plan.readouts]
        drawn = self._drawn(self._angle_values(outputs), [batch, *outputs], randomness)
        return [rule.finish(d, readout) for rule, d, readout in zip(rules, drawn, self.plan.readouts, strict=True)]

    def _drawn(self, angles: Angles, context: list[tf.Tensor], randomness: Randomness) -> list[tf.Tensor]:
        """What the measurements draw; `context` is the size of the batch and the outputs of the angle graph."""
        if self.circuit.gradient != "parameter-shift":
            return self._draws(angles, randomness, context)
        drawn = self.shift_rule(angles, randomness, context)
        if not self.plan.has_calculated_elements:
            return drawn
        # no rule shifts the elements of a matrix or a state: their gradient is that of the exact means
        fixed = Angles(tf.stop_gradient(angles.shared), tf.stop_gradient(angles.varying))
        straight = self._draws(fixed, randomness, context)
        return [value + (other - tf.stop_gradient(other)) for value, other in zip(drawn, straight, strict=True)]

    def _draws(self, angles: Angles, randomness: Randomness, context: list[tf.Tensor]) -> list[tf.Tensor]:
        batch, *outputs = context
        state = self.simulation.state(self._numbers(angles, outputs))
        return draw_all(state.for_batch(batch), self.plan.readouts, randomness)

    @property
    def shift_rule(self) -> ShiftRule:
        """The parameter-shift rule for what is drawn."""
        angles = (*self.plan.weight_angles, *self.plan.input_angles)
        return ShiftRule(
            self._draws,
            tuple(angle.coefficient for angle in angles),
            tuple(SAMPLED[readout.measurement.kind].is_differentiable for readout in self.plan.readouts),
        )

    def _output(self, values: tf.Tensor) -> tf.Tensor:
        """Values in the data type of the output."""
        return to_complex(values, self.output_dtype) if self.output_dtype.is_complex else tf.cast(values, self.dtype)

    def _unseen(self, *arguments: tf.Tensor) -> list[tf.Tensor]:
        """The inputs and weights that no measurement depends on."""
        weights = {measurement.weights.output for measurement in self.circuit.measurements if measurement.weights}
        seen = self.angle_graph.arguments_of(
            {*self.plan.outputs, *(output for output in weights if output is not None)}
        )
        return [argument for position, argument in enumerate(arguments) if position not in seen]

    def _angle_values(self, outputs: Sequence[tf.Tensor]) -> Angles:
        """The values of the plan's angles."""
        return Angles(self._angles(outputs, self.plan.weight_angles), self._angles(outputs, self.plan.input_angles))

    def _numbers(self, angles: Angles, outputs: Sequence[tf.Tensor]) -> Numbers:
        """What the plan is run with, for some values of its angles."""
        return Numbers(angles, tuple(self._elements(parameter, outputs) for parameter in self.plan.elements))

    def _elements(self, parameter: Parameter, outputs: Sequence[tf.Tensor]) -> tf.Tensor:
        """The elements of an argument that is no angle, real where they are: shape (b, elements)."""
        if parameter.output is None:
            values = np.array([parameter.values])
            return self._precise(tf.constant(values.real if is_real(values) else values))
        elements = pick_columns(flatten(outputs[parameter.output]), list(parameter.positions))
        places = [(parameter.output, position) for position in parameter.positions]
        return finite(self._precise(elements), self.circuit, places)

    def _precise(self, values: tf.Tensor) -> tf.Tensor:
        """Real or complex values in the circuit's precision."""
        return tf.cast(values, complex_dtype(self.dtype) if values.dtype.is_complex else self.dtype)

    def _angles(self, outputs: Sequence[tf.Tensor], wanted: tuple[AngleSource, ...]) -> tf.Tensor:
        """Some elements of the angle graph's outputs, one column each: shape (b, len(wanted))."""
        if not wanted:
            return tf.zeros([1, 0], self.dtype)
        used = sorted({angle.output for angle in wanted})
        sizes = [prod(self.circuit.angle_outputs[output].shape) for output in used]
        starts = dict(zip(used, accumulate(sizes, initial=0), strict=False))
        columns = tf.concat([real(flatten(outputs[output]), self.dtype) for output in used], axis=1)
        angles = pick_columns(columns, [starts[angle.output] + angle.position for angle in wanted])
        return finite(angles, self.circuit, [(angle.output, angle.position) for angle in wanted])


def _of_one_batch(results: list[tf.Tensor], batch: tf.Tensor) -> list[tf.Tensor]:
    """Results for all samples at once, of shape (1, ...), as those of each, where there are others of each."""
    if len({result.shape[0] for result in results}) == 1:
        return results
    return [
        tf.broadcast_to(result, [batch, *result.shape[1:]]) if result.shape[0] == 1 else result for result in results
    ]
