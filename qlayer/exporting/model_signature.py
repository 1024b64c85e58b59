"""ModelSignature: what a Keras model takes and returns, by names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from qlayer.errors import ExportError
from qlayer.keras_compat import call_specs, output_names


@dataclass(frozen=True)
class ModelSignature:
    """A built model as a function of named tensors.

    Args:
        model: the Keras model.
        arguments: what it is called with, (positional, by keyword), with a TensorSpec for each tensor.
        inputs: these specifications in one row, each with a name of its own.
    """

    model: Any
    arguments: tuple[tuple[Any, ...], dict[str, Any]]
    inputs: tuple[tf.TensorSpec, ...]

    def predict(self, tensors: Sequence[tf.Tensor]) -> dict[str, tf.Tensor]:
        """The model's outputs by name, in inference mode.

        Args:
            tensors: one for each input.

        Raises:
            ExportError: if an output is no dense tensor.
        """
        positional, by_keyword = tf.nest.pack_sequence_as(self.arguments, tensors)
        outputs = self.model(*positional, training=False, **by_keyword)
        flat = tf.nest.flatten(outputs)
        names = _output_names(self.model, outputs, len(flat))
        return {name: _dense(self.model, name, output) for name, output in zip(names, flat, strict=True)}


def model_signature(model: Any) -> ModelSignature:
    """What a model takes and returns.

    Args:
        model: a Keras model.

    Raises:
        ExportError: if the model is not built, or an input is no dense tensor.
    """
    arguments = call_specs(model)
    if arguments is None:
        raise ExportError(
            f"the model {model.name!r} is not built, so that the shape of its inputs is not known. Call it on inputs, "
            "fit it, or make it with an Input layer; then export it."
        )
    flat = tf.nest.flatten(arguments)
    names = _unique(_input_names(arguments, flat))
    specs = tuple(_named(model, name, spec) for name, spec in zip(names, flat, strict=True))
    return ModelSignature(model, arguments, specs)


def _named(model: Any, name: str, spec: Any) -> tf.TensorSpec:
    if not isinstance(spec, tf.TensorSpec) or spec.shape.rank is None:
        raise ExportError(
            f"the input {name!r} of the model {model.name!r} is {spec}, and an exported model takes dense tensors of "
            "known rank. Export a model that makes one of it, such as of tf.sparse.to_dense or to_tensor()."
        )
    return tf.TensorSpec(spec.shape, spec.dtype, name)


def _dense(model: Any, name: str, output: Any) -> tf.Tensor:
    if not tf.is_tensor(output) or isinstance(output, tf.RaggedTensor | tf.SparseTensor):
        raise ExportError(
            f"the output {name!r} of the model {model.name!r} is {output!r}, and an exported model returns dense "
            "tensors. Make the model return one."
        )
    return tf.convert_to_tensor(output)


def _input_names(arguments: tuple[tuple[Any, ...], dict[str, Any]], flat: list[Any]) -> list[str]:
    """The keys of a dict of inputs, else the names that Keras gave the inputs, else `input_1`, `input_2`, ..."""
    keys = _keys(arguments[0][0] if len(arguments[0]) == 1 and not arguments[1] else None)
    if keys:
        return keys
    return [getattr(spec, "name", None) or f"input_{number}" for number, spec in enumerate(flat, 1)]


def _output_names(model: Any, outputs: Any, count: int) -> list[str]:
    """The keys of a dict of outputs, else the names that a functional model gives, else `output_1`, `output_2`, ..."""
    if keys := _keys(outputs):
        return keys
    names = output_names(model)
    return _unique(names) if len(names) == count else [f"output_{number}" for number in range(1, count + 1)]


def _keys(structure: Any) -> list[str]:
    """The keys of a flat dict in the order in which TensorFlow flattens it; none for everything else."""
    is_flat = isinstance(structure, Mapping) and not any(map(tf.nest.is_nested, structure.values()))
    return sorted(map(str, structure)) if is_flat else []


def _unique(names: Iterable[str]) -> list[str]:
    """The names, those that were there before with a number."""
    found: list[str] = []
    for name in names:
        others = sum(other == name or other.startswith(f"{name}_") for other in found)
        found.append(f"{name}_{others}" if name in found else name)
    return found
