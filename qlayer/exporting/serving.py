"""Serving: the signatures of an exported model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import index
from typing import Any

import tensorflow as tf

from qlayer.errors import ExportError, UnsupportedError
from qlayer.exporting.freezing import FrozenLayer, freezing
from qlayer.exporting.frozen_graph import FrozenGraph, Predict, frozen_graph
from qlayer.exporting.model_signature import ModelSignature, model_signature
from qlayer.shots.randomness import seeded_key
from qlayer.shots.sampling import SAMPLED
from qlayer.simulation.weighted import expanded

DEFAULT = "serving_default"
SAMPLED_NAME = "sampled"

_SEED = tf.TensorSpec([], tf.int64, "seed")
_SHOTS = tf.TensorSpec([], tf.int32, "shots")


@dataclass(frozen=True)
class Serving:
    """What an exported model offers.

    Args:
        signatures: concrete functions by the names of the signatures.
        inputs: what all signatures take.
        layers: the quantum layers.
        batch_sizes: those with a signature of their own.
    """

    signatures: dict[str, tf.types.experimental.ConcreteFunction]
    inputs: tuple[tf.TensorSpec, ...]
    layers: tuple[FrozenLayer, ...]
    batch_sizes: tuple[int, ...]


def serving(model: Any, batch_sizes: Sequence[int]) -> Serving:
    """Make the signatures of a model.

    Args:
        model: a built Keras model.
        batch_sizes: sizes to compile with XLA, each as a signature of its own.

    Raises:
        ExportError: if the model is not built or cannot be frozen, or a batch size is none.
        UnsupportedError: if a quantum layer runs on the host, or XLA is to compile one with finite shots.
    """
    sizes = _checked_sizes(batch_sizes)
    signature = model_signature(model)
    _check_free(signature, sizes)
    default, layers = _frozen(signature)
    is_drawn = any(_has_shots(layer) for layer in layers)
    if sizes and is_drawn:
        raise UnsupportedError(
            f"batch_sizes={list(sizes)} compiles the model with XLA, whose random numbers know no seed, and the "
            "results of this model are drawn with finite shots. Leave batch_sizes out, or set the shots to None."
        )
    functions = {DEFAULT: _function(default, default.inputs)}
    functions |= {bucket_name(size): _bucket(default, size) for size in sizes}
    if is_drawn:
        functions[SAMPLED_NAME] = _sampled(signature, layers)
    return Serving(functions, signature.inputs, layers, sizes)


def bucket_name(size: int) -> str:
    """The name of the signature of a batch size."""
    return f"batch_{size}"


def _checked_sizes(batch_sizes: Sequence[int]) -> tuple[int, ...]:
    try:
        sizes = sorted({index(size) for size in batch_sizes})
    except TypeError as exc:
        raise ExportError(f"batch_sizes is {batch_sizes!r}. Give a list of integers, such as [1, 32].") from exc
    if any(size < 1 for size in sizes):
        raise ExportError(f"batch_sizes has {sizes[0]}, and a batch has at least one row. Leave it out.")
    return tuple(sizes)


def _check_free(signature: ModelSignature, sizes: Sequence[int]) -> None:
    """Refuse batch sizes where the model has a batch of its own."""
    fixed = next((spec for spec in signature.inputs if spec.shape.rank and spec.shape[0] is not None), None)
    if sizes and fixed is not None:
        raise ExportError(
            f"batch_sizes is {list(sizes)}, but the input {fixed.name!r} was made for a batch of {fixed.shape[0]} "
            "rows. Leave batch_sizes out, or make the Input layer without a batch size."
        )


def _frozen(signature: ModelSignature) -> tuple[FrozenGraph, tuple[FrozenLayer, ...]]:
    found: list[FrozenLayer] = []

    def predict(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        with freezing() as frozen:
            outputs = signature.predict(tensors)
        found[:] = frozen.layers.values()
        return outputs

    return frozen_graph(predict, signature.inputs), tuple(found)


def _function(graph: FrozenGraph, inputs: Sequence[tf.TensorSpec]) -> tf.types.experimental.ConcreteFunction:
    return tf.function(graph.__call__, autograph=False).get_concrete_function(*inputs)


def _bucket(graph: FrozenGraph, size: int) -> tf.types.experimental.ConcreteFunction:
    """The graph for one batch size, compiled by XLA: within a function that is not, as servers call it."""
    inputs = [tf.TensorSpec([size, *spec.shape[1:]], spec.dtype, spec.name) for spec in graph.inputs]
    compiled = tf.function(graph.__call__, autograph=False, jit_compile=True)
    return tf.function(partial(_call, compiled), autograph=False).get_concrete_function(*inputs)


def _call(function: Predict, *tensors: tf.Tensor) -> dict[str, tf.Tensor]:
    return function(*tensors)


def _sampled(signature: ModelSignature, layers: Sequence[FrozenLayer]) -> tf.types.experimental.ConcreteFunction:
    """The model with what its shots are drawn from as inputs: a seed, and how many they are."""
    extra = (_SEED, _SHOTS) if all(map(_takes_shots, layers)) else (_SEED,)
    if taken := {spec.name for spec in signature.inputs} & {spec.name for spec in extra}:
        raise ExportError(
            f"the model has an input named {min(taken)!r}, and so has its signature {SAMPLED_NAME!r}, for finite "
            "shots. Give the model's input another name."
        )

    def predict(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        count = len(signature.inputs)
        with freezing(_key(*tensors[count:])):
            return signature.predict(tensors[:count])

    inputs = (*signature.inputs, *extra)
    return _function(frozen_graph(predict, inputs), inputs)


def _key(seed: tf.Tensor, shots: tf.Tensor | None = None) -> tf.Tensor:
    if shots is None:
        return seeded_key(seed, None)
    is_some = tf.debugging.assert_positive(shots, "shots must be at least 1", summarize=1)
    with tf.control_dependencies([is_some]):
        return seeded_key(seed, tf.identity(shots))


def _kinds(layer: FrozenLayer) -> Iterator[str]:
    """The kinds of a layer's measurements that are drawn."""
    measurements = expanded(layer.compiled.program.circuit.measurements)
    return (measurement.kind for measurement in measurements if measurement.shots)


def _has_shots(layer: FrozenLayer) -> bool:
    return any(_kinds(layer))


def _takes_shots(layer: FrozenLayer) -> bool:
    return all(SAMPLED[kind].takes_shots for kind in _kinds(layer))
