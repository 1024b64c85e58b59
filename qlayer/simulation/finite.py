"""Finite: angles that are NaN or infinite end the run where they are used, instead of turning every result into NaN."""

from __future__ import annotations

from collections.abc import Iterable

import tensorflow as tf

from qlayer.circuits.circuit import Circuit, Parameter

_NAMES_MAX = 5
# From so many columns on, sums of rows are checked: TensorFlow looks at single numbers on one core (1,024 columns and
# rows: 2.9 ms, their sums 0.4).
_SUMMED_MIN_COLUMNS = 64
_TINY = 1e-30  # times any finite number of single precision, summed over a row, is finite
_FROM_INPUTS = (
    "which depend on the inputs, are not finite. Look for NaN or infinity in the inputs, and for a division by zero, a "
    "logarithm or a root in what the QNode calculates from them. Found"
)
_FROM_WEIGHTS = (
    "which depend on weights only, are not finite. Either training has diverged: start again from finite weights, with "
    "a lower learning rate or clipped gradients; or the QNode divides by zero, or takes a logarithm or a root. Found"
)


def finite(values: tf.Tensor, circuit: Circuit, elements: Iterable[tuple[int, int]]) -> tf.Tensor:
    """The values as they are; running it raises InvalidArgumentError where one of them is NaN or infinite.

    XLA leaves the check out. Gradients are not checked: they pass by.

    Args:
        values: angles, elements of matrices or coefficients of observables, real or complex: (b, elements).
        circuit: the circuit they belong to.
        elements: (output, position) in the angle graph of each of them.
    """
    text = _text(circuit, set(elements))
    sizes = tf.abs(values) if values.dtype.is_complex else values
    if sizes.shape[1] >= _SUMMED_MIN_COLUMNS:
        sizes = tf.matmul(sizes, tf.fill([sizes.shape[1], 1], tf.constant(_TINY, sizes.dtype)))
    checked = tf.debugging.check_numerics(tf.stop_gradient(sizes), text)  # TensorFlow adds what it found
    with tf.control_dependencies([checked]):
        return tf.identity(values)


def _text(circuit: Circuit, elements: set[tuple[int, int]]) -> str:
    def uses(parameter: Parameter) -> bool:
        return any((parameter.output, position) in elements for position in parameter.positions)

    names = [operation.name for operation in circuit.operations if any(map(uses, operation.parameters))]
    if circuit.preparation and uses(circuit.preparation.amplitudes):
        names.insert(0, "StatePrep")
    if any(measurement.weights and uses(measurement.weights) for measurement in circuit.measurements):
        names.append("expval")  # as the coefficients of its observable
    different = list(dict.fromkeys(names))
    named = ", ".join(different[:_NAMES_MAX]) + (", ..." if len(different) > _NAMES_MAX else "")
    varies = any(circuit.angle_outputs[output].is_input_dependent for output, _ in elements)
    return f"the numbers given to {named}, {_FROM_INPUTS if varies else _FROM_WEIGHTS}"
