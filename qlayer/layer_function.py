"""LayerFunction: what a layer calls."""

from __future__ import annotations

from math import prod

import tensorflow as tf

from qlayer.compiler import CompiledCircuit
from qlayer.errors import ShapeError
from qlayer.layer_spec import LayerSpec
from qlayer.program import Program


class LayerFunction:
    """A layer's circuit for one shape of samples, as a single TensorFlow function that is traced once.

    Args:
        spec: what the layer is made of.
        program: its recorded circuit.

    Not a trackable object on purpose: the function reaches a SavedModel through the layer's own call, once.
    """

    def __init__(self, spec: LayerSpec, program: Program) -> None:
        dtype = tf.as_dtype(program.dtype)
        self.program = program
        self.sample_shape = program.sample_shape
        self.circuit = CompiledCircuit(program.circuit, program.angle_graph, dtype)
        self.output_shape = _checked_output_shape(spec.output_dim, self.circuit.output_shape)
        self.function = tf.function(
            self.circuit,
            input_signature=[
                tf.TensorSpec([None, *program.sample_shape], dtype),
                *(tf.TensorSpec(shape, dtype) for shape in spec.weight_shapes.values()),
            ],
            autograph=False,
            jit_compile=spec.jit_compile or None,
        )


def _checked_output_shape(given: tuple[int, ...] | None, computed: tuple[int, ...]) -> tuple[int, ...]:
    if given is None:
        return computed
    if prod(given) != prod(computed):
        raise ShapeError(
            f"output_dim says {given} for one sample, but the QNode returns {prod(computed)} numbers, of shape "
            f"{computed}. Correct it, or leave it to the circuit with output_dim=None."
        )
    return given
