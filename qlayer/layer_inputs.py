"""What a layer is called with: one dense tensor of numbers, whose shape is known."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from qlayer.errors import ShapeError

_SPARSE = (tf.SparseTensor, tf.SparseTensorSpec)
_RAGGED = (tf.RaggedTensor, tf.RaggedTensorSpec)
_CONTAINERS = (list, tuple, dict, str, type(None))


def check_inputs(name: str, inputs: Any) -> None:
    """Refuse what is no dense tensor of numbers.

    Args:
        name: name of the layer.
        inputs: what it is called with: a value, or a symbolic tensor of Keras.

    Raises:
        ShapeError: naming what was found and how to make a tensor of it.
    """
    kind = getattr(inputs, "type_spec", inputs)  # of a symbolic tensor of Keras 2
    for found, is_found, advice in (
        (
            type(inputs).__name__,
            isinstance(inputs, _CONTAINERS),
            "Make one of it with tf.constant, tf.stack or Concatenate",
        ),
        ("sparse", isinstance(kind, _SPARSE) or getattr(inputs, "sparse", False), "Give it tf.sparse.to_dense(inputs)"),
        ("ragged", isinstance(kind, _RAGGED) or getattr(inputs, "ragged", False), "Give it inputs.to_tensor()"),
        (
            "of strings or objects",
            getattr(inputs, "dtype", None) in (tf.string, "string"),
            "Turn them into numbers first",
        ),
    ):
        if is_found:
            raise ShapeError(
                f"the inputs of the layer {name!r} are {found}, and it takes one dense tensor of numbers. {advice}."
            )


def known_shape(name: str, input_shape: Any) -> tuple[int | None, ...]:
    """A shape of inputs as a tuple.

    Args:
        name: name of the layer.
        input_shape: the shape, as Keras gives it to `build`.

    Raises:
        ShapeError: if it is not the shape of one tensor, or its rank is not known.
    """
    try:
        return tuple(tf.TensorShape(input_shape))
    except (TypeError, ValueError) as exc:
        raise ShapeError(
            f"the layer {name!r} is given the shape {input_shape!r}, and its inputs are one tensor of known rank, of "
            "shape (*batch, features). Give the model an input shape, or reshape the inputs."
        ) from exc


def as_rows(inputs: tf.Tensor, sample_shape: tuple[int, ...]) -> tf.Tensor:
    """Inputs of any batch as one sample after the other: (*batch, *sample_shape) -> (rows, *sample_shape).

    Where the shape of a sample is not known before the run, it is checked then: samples of another one would be mixed.
    """
    axes = inputs.shape.rank - len(sample_shape)
    if not inputs.shape[axes:].is_fully_defined():
        inputs = tf.ensure_shape(inputs, [*inputs.shape[:axes], *sample_shape])
    return tf.reshape(inputs, [-1, *sample_shape])
