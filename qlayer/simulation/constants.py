"""Constants that a graph holds once: the indices and shapes of a deep circuit would be most of its graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
import tensorflow as tf

_KNOWN: ContextVar[dict[tuple[str, tuple[int, ...], bytes], tf.Tensor] | None] = ContextVar("known", default=None)


@contextmanager
def shared_constants() -> Iterator[None]:
    """Within it, which has to be one graph, constants that are alike are one."""
    token = _KNOWN.set({})
    try:
        yield
    finally:
        _KNOWN.reset(token)


def constant(values: np.ndarray) -> tf.Tensor:
    """An array as a tensor."""
    known = _KNOWN.get()
    if known is None:
        return tf.constant(values)
    key = values.dtype.str, values.shape, values.tobytes()
    if key not in known:
        known[key] = tf.constant(values)
    return known[key]


def reshaped(tensor: tf.Tensor, shape: Sequence[int]) -> tf.Tensor:
    """A tensor in another shape, one of whose axes may be -1."""
    return tf.reshape(tensor, constant(np.array(shape, np.int32)))


def gathered(rows: tf.Tensor, indices: tf.Tensor) -> tf.Tensor:
    """Rows by their indices."""
    return tf.raw_ops.GatherV2(params=rows, indices=indices, axis=constant(np.array(0, np.int32)))
