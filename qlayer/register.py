"""Register: the shapes a batch of states takes.

A joined register has the shape (b, 2 ** n), with b the batch (or 1) and wire 0 the most significant bit of the state's
index. Unentangled wires have the shape (b, n, 2).
"""

from __future__ import annotations

from itertools import groupby

import tensorflow as tf

from qlayer.plan import wire_bit

# TensorFlow reverses tensors of at most 8 axes: the batch, and for each run of wires itself and what is before it
_REVERSED_AT_ONCE = 3


def flatten(values: tf.Tensor) -> tf.Tensor:
    """All axes but the first as one: (b, ...) -> (b, elements)."""
    return tf.reshape(values, [tf.shape(values)[0], values.shape[1:].num_elements()])


def real(values: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """The real part in a real data type."""
    return tf.cast(tf.math.real(values), dtype)


def length_of(state: tf.Tensor) -> int:
    """The number of amplitudes of a state, whatever its shape behind the batch axis."""
    return state.shape[1:].num_elements()


def join(vectors: tf.Tensor) -> tf.Tensor:
    """The register of unentangled wires, by a tree of outer products: (b, n, 2) -> (b, 2 ** n)."""
    tail = None
    while vectors.shape[1] > 1:
        if vectors.shape[1] % 2:
            tail = vectors[:, -1] if tail is None else _outer(vectors[:, -1], tail)
            vectors = vectors[:, :-1]
        vectors = _outer(vectors[:, 0::2], vectors[:, 1::2])
    return vectors[:, 0] if tail is None else _outer(vectors[:, 0], tail)


def _outer(left: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """The outer product over the last axis: (..., p), (..., q) -> (..., p * q)."""
    product = left[..., :, tf.newaxis] * right[..., tf.newaxis, :]
    return tf.reshape(product, [-1, *left.shape[1:-1], left.shape[-1] * right.shape[-1]])


def place(amplitudes: tf.Tensor, wires: tuple[int, ...], wire_count: int) -> tf.Tensor:
    """The register with some wires in a given state and the others in 0: (b, 2 ** len(wires)) -> (b, 2 ** n)."""
    others = [wire for wire in range(wire_count) if wire not in wires]
    padding = [[0, 0], [0, 0], [0, 2 ** len(others) - 1]]
    state = tf.reshape(tf.pad(amplitudes[:, :, tf.newaxis], padding), [-1, *[2] * wire_count])
    order = [*wires, *others]
    return tf.reshape(tf.transpose(state, [0, *(1 + order.index(w) for w in range(wire_count))]), [-1, 2**wire_count])


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


def to_end(state: tf.Tensor, wires: tuple[int, ...]) -> tuple[tf.Tensor, list[int]]:
    """Bring some wires to the end of a register, in their order.

    Returns:
        Shape (b, *rest, 2, ..., 2), and the order of axes that was used.
    """
    shape, axes = split_axes(wires, length_of(state).bit_length() - 1)
    last = [axes[wire] for wire in wires]
    order = [axis for axis in range(len(shape)) if axis not in last] + last
    return tf.transpose(tf.reshape(state, shape), order), order


def flip(state: tf.Tensor, mask: int) -> tf.Tensor:
    """The amplitudes of the states with some bits flipped: shape (b, 2 ** n)."""
    wire_count = length_of(state).bit_length() - 1
    wires = (wire for wire in range(wire_count) if mask & wire_bit(wire, wire_count))
    # neighbours are one axis: all their bits are flipped by counting it backwards
    runs = [[wire for _, wire in run] for _, run in groupby(enumerate(wires), lambda entry: entry[1] - entry[0])]
    while runs:
        shape, axes, done = [-1], [], 0
        for run in runs[:_REVERSED_AT_ONCE]:
            shape += [2 ** (run[0] - done), 2 ** len(run)]
            axes.append(len(shape) - 1)
            done = run[-1] + 1
        state = tf.reshape(tf.reverse(tf.reshape(state, [*shape, 2 ** (wire_count - done)]), axes), [-1, 2**wire_count])
        runs = runs[_REVERSED_AT_ONCE:]
    return state
