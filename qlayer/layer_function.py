"""LayerFunction: what a layer calls."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import tensorflow as tf

from qlayer.compiler import CompiledCircuit
from qlayer.errors import ShapeError
from qlayer.layer_spec import LayerSpec
from qlayer.program import Program
from qlayer.randomness import random_key


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
        self.function = self._function(spec, dtype)

    def _function(self, spec: LayerSpec, dtype: tf.DType) -> tf.types.experimental.PolymorphicFunction:
        """The circuit as a function of a batch and the weights; finite shots are drawn anew at every call."""
        signature = [
            tf.TensorSpec([None, *self.program.sample_shape], dtype),
            *(tf.TensorSpec(shape, dtype) for shape in spec.weight_shapes.values()),
        ]
        jit_compile = spec.jit_compile or None
        if not self.circuit.has_shots:
            return tf.function(self.circuit, input_signature=signature, autograph=False, jit_compile=jit_compile)
        compiled = tf.function(self.circuit, autograph=False, jit_compile=jit_compile)
        return tf.function(_NewDraws(compiled, spec.seed), input_signature=signature, autograph=False)


@dataclass(frozen=True)
class _NewDraws:
    """A compiled circuit with finite shots that draws a key for each call.

    The key is drawn outside of what XLA compiles, where random numbers know no seed. An object and no closure, because
    TensorFlow takes all closures of a function for the same one that is traced again and again.
    """

    compiled: tf.types.experimental.PolymorphicFunction
    seed: int | None

    def __call__(self, inputs: tf.Tensor, *weights: tf.Tensor) -> tf.Tensor:
        return self.compiled(inputs, *weights, key=random_key(self.seed))


def _checked_output_shape(given: tuple[int, ...] | None, computed: tuple[int, ...]) -> tuple[int, ...]:
    if given is None:
        return computed
    if prod(given) != prod(computed):
        raise ShapeError(
            f"output_dim says {given} for one sample, but the QNode returns {prod(computed)} numbers, of shape "
            f"{computed}. Correct it, or leave it to the circuit with output_dim=None."
        )
    return given
