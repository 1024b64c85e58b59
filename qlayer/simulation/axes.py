"""Axes: tensors with the batch first, seen as an axis for each wire or as one for all of them."""

from __future__ import annotations

import tensorflow as tf


def flatten(values: tf.Tensor) -> tf.Tensor:
    """All axes but the first as one: (b, ...) -> (b, elements)."""
    elements = values.shape[1:].num_elements()
    return tf.reshape(values, [-1 if elements else tf.shape(values)[0], elements])


def real(values: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """The real part in a real data type."""
    return tf.cast(tf.math.real(values), dtype)


def split_axes(wires: tuple[int, ...], wire_count: int) -> tuple[list[int], dict[int, int]]:
    """The shape that gives each of some wires an axis of its own and joins all others between them.

    Returns:
        The shape (with -1 for the batch), and the axis of each wire.
    """
    shape, axes, done = [-1], {}, 0
    for wire in sorted(wires):
        if wire > done:
            shape.append(2 ** (wire - done))
        axes[wire] = len(shape)
        shape.append(2)
        done = wire + 1
    if done < wire_count:
        shape.append(2 ** (wire_count - done))
    return shape, axes


def to_end(values: tf.Tensor, wires: tuple[int, ...]) -> tuple[tf.Tensor, list[int]]:
    """Bring some wires to the end: (b, 2 ** n).

    Returns:
        Shape (b, *rest, 2, ..., 2) with the wires in their order, and the order of axes that was used.
    """
    shape, axes = split_axes(wires, values.shape[1].bit_length() - 1)
    last = [axes[wire] for wire in wires]
    order = [axis for axis in range(len(shape)) if axis not in last] + last
    return tf.transpose(tf.reshape(values, shape), order), order


def transposed(values: tf.Tensor) -> tf.Tensor:
    """A real matrix with few rows, transposed: (k, b) -> (b, k).

    By a product with the identity: TensorFlow's transpose takes 0.1 ms to begin.
    """
    count = values.shape[0]
    if count == 1:
        return tf.reshape(values, [-1, 1])
    return tf.matmul(values, tf.eye(count, dtype=values.dtype), transpose_a=True)
