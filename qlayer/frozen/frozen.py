"""Frozen: a circuit whose weights are constants, for serving. What does not depend on the inputs is computed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import tensorflow as tf

from qlayer.angles.angles import AngleGraph
from qlayer.circuits.circuit import Circuit, Measurement, Operation, Parameter
from qlayer.compiler import CompiledCircuit
from qlayer.errors import ExportError
from qlayer.frozen.folding import folded
from qlayer.frozen.quadratic import QuadraticForm, quadratic_form_of
from qlayer.frozen.trigonometric import TrigonometricPolynomial, polynomial_of
from qlayer.simulation.register import not_differentiated


class FrozenCircuit(CompiledCircuit):
    """A circuit with constant weights, on the plan that the cost model chooses; without gradients.

    Args:
        circuit: the circuit.
        angle_graph: what computes its angles.
        dtype: real data type.
        weights: the values of the weights, in the order of the angle graph's arguments.

    Raises:
        ExportError: if numbers that the weights determine are not finite.
    """

    def __init__(
        self, circuit: Circuit, angle_graph: AngleGraph, dtype: tf.DType, weights: Sequence[np.ndarray]
    ) -> None:
        super().__init__(bound(circuit, _values(angle_graph, weights)), angle_graph, dtype)
        self.weights = weights
        self.polynomial: TrigonometricPolynomial | None = None
        self.quadratic: QuadraticForm | None = None
        if not self.has_shots:
            self.simulation = replace(self.simulation, plan=folded(self.plan))
        if not self.has_shots and not any(measurement.parts for measurement in circuit.measurements):
            self.polynomial = polynomial_of(self.simulation)
            self.quadratic = quadratic_form_of(self.simulation)

    def __call__(self, inputs: tf.Tensor, *_: tf.Tensor, key: tf.Tensor | None = None) -> tf.Tensor:
        """Run the circuit: (batch, *sample_shape) -> (batch, *output_shape)."""
        weights = (tf.constant(weight, self.dtype) for weight in self.weights)
        with not_differentiated():
            return super().__call__(inputs, *weights, key=key)

    def _exact(self, outputs: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        if self.polynomial is not None:
            results = self.polynomial(self._angle_values(outputs).varying)
        elif self.quadratic is not None:
            results = self.quadratic(self._elements(self.plan.elements[0], outputs))
        else:
            return super()._exact(outputs)
        return [tf.reshape(results, [-1, *self.output_shape])]


def _values(angle_graph: AngleGraph, weights: Sequence[np.ndarray]) -> dict[int, np.ndarray]:
    """The outputs of the angle graph that depend on weights only, flat."""
    with tf.init_scope():
        values = {output: np.ravel(value) for output, value in angle_graph.known_values(weights).items()}
    if not all(np.all(np.isfinite(value)) for value in values.values()):
        raise ExportError(
            "the weights, or what the QNode calculates from them, are not finite, so that the model has no results to "
            "serve. Train it again from finite weights, with a lower learning rate or clipped gradients."
        )
    return values


def bound(circuit: Circuit, values: Mapping[int, np.ndarray]) -> Circuit:
    """The circuit with constants in the place of some outputs of its angle graph, and without gradients.

    Args:
        circuit: the circuit.
        values: from the number of an output to its elements, flat.
    """

    def constant(parameter: Parameter) -> Parameter:
        if parameter.output is None or parameter.output not in values:
            return parameter
        elements = values[parameter.output][list(parameter.positions)]
        return Parameter(parameter.shape, tuple(elements.astype(complex).tolist()))

    def operation(old: Operation) -> Operation:
        return replace(old, parameters=tuple(constant(parameter) for parameter in old.parameters))

    def measurement(old: Measurement) -> Measurement:
        return replace(old, weights=old.weights and constant(old.weights))

    preparation = circuit.preparation
    return replace(
        circuit,
        operations=tuple(map(operation, circuit.operations)),
        measurements=tuple(map(measurement, circuit.measurements)),
        preparation=preparation and replace(preparation, amplitudes=constant(preparation.amplitudes)),
        gradient="none",
    )
