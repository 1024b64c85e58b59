"""LayerFunction: what a layer calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from qlayer.compiler import CompiledCircuit
from qlayer.drawing import draw
from qlayer.errors import ShapeError
from qlayer.frozen.frozen import FrozenCircuit
from qlayer.layer_spec import LayerSpec
from qlayer.program import Program
from qlayer.shots.randomness import random_key

if TYPE_CHECKING:
    from qlayer.host import HostFunction


def make_function(
    spec: LayerSpec, sample_shape: tuple[int, ...], dtype: str, name: str
) -> LayerFunction | HostFunction:
    """What a layer calls: its compiled circuit, or PennyLane where the device is not compiled.

    Args:
        spec: what the layer is made of.
        sample_shape: shape of one sample.
        dtype: "float32" or "float64".
        name: name of the layer, for errors.
    """
    if not spec.runs_on_host:
        return LayerFunction(spec, spec.program(sample_shape, dtype))
    from qlayer.host import HostFunction  # noqa: PLC0415 - a loaded layer needs no PennyLane

    return HostFunction(spec, sample_shape, dtype, name)


class LayerFunction:
    """A layer's circuit for one shape of samples, as a single TensorFlow function that is traced once.

    Args:
        spec: what the layer is made of.
        program: its recorded circuit.

    Not a trackable object on purpose: the function reaches a SavedModel through the layer's own call, once.
    """

    def __init__(self, spec: LayerSpec, program: Program) -> None:
        self.dtype = dtype = tf.as_dtype(program.dtype)
        self.program = program
        self.argument_names = (spec.input_argument, *spec.weight_shapes)
        self.sample_shape = program.sample_shape
        self._seed = spec.seed
        circuit = CompiledCircuit(program.circuit, program.angle_graph, dtype)
        self.output_shape = _checked_output_shape(spec.output_dim, circuit.output_shape)
        self.output_dtype = circuit.output_dtype
        self.function = self._function(spec, circuit)

    def _function(self, spec: LayerSpec, circuit: CompiledCircuit) -> tf.types.experimental.PolymorphicFunction:
        """The circuit as a function of a batch and the weights; finite shots are drawn anew at every call."""
        signature = [
            tf.TensorSpec([None, *self.sample_shape], self.dtype),
            *(tf.TensorSpec(shape, self.dtype) for shape in spec.weight_shapes.values()),
        ]
        jit_compile = spec.jit_compile or None
        if not circuit.has_shots:
            return tf.function(circuit, input_signature=signature, autograph=False, jit_compile=jit_compile)
        compiled = tf.function(circuit, autograph=False, jit_compile=jit_compile)
        return tf.function(_NewDraws(compiled, spec.seed), input_signature=signature, autograph=False)

    def frozen(self, values: Sequence[np.ndarray]) -> Callable[[tf.Tensor, tf.Tensor | None], tf.Tensor]:
        """The circuit with constants for weights, to be called while a TensorFlow function is traced.

        Args:
            values: the values of the weights, in the order of the angle graph's arguments.

        Returns:
            From a batch (rows, *sample_shape), and a key for finite shots or None for new draws at every run, to
            (rows, *output_shape).
        """
        circuit = FrozenCircuit(self.program.circuit, self.program.angle_graph, self.dtype, values)

        def run(flat: tf.Tensor, key: tf.Tensor | None = None) -> tf.Tensor:
            return circuit(flat, key=random_key(self._seed) if key is None and circuit.has_shots else key)

        return run

    def draw(self) -> str:
        """The circuit as text."""
        return draw(self.program.circuit, self.program.angle_graph.argument_names(self.argument_names))


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
