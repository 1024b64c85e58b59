"""Substitutes: functions that PennyLane or users call on traced arrays, where TensorFlow's own do not serve.

TensorFlow's matrix exponential branches on values, which a graph for a whole batch cannot; it turns PennyLane's Python
numbers into tensors of single precision, whatever the layer's is; and PennyLane's transforms compare angles to 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import autoray
import numpy as np
import tensorflow as tf

from qlayer.errors import CaptureError

# exp(A / 2 ** s) by a Taylor series that is exact in double precision for a norm of A / 2 ** s up to 1/2, then s times
# squared; the largest s allows any norm up to 2 ** 15
_TAYLOR_TERMS = 14
_MOST_SQUARINGS = 16

_precision: ContextVar[tf.DType | None] = ContextVar("_precision", default=None)
_unknown_differs: ContextVar[bool] = ContextVar("_unknown_differs", default=False)


def matrix_exponential(matrix: tf.Tensor) -> tf.Tensor:
    """exp(matrix) without branches and loops.

    Args:
        matrix: shape (..., n, n), of norm at most 2 ** 15.

    Returns:
        The same shape; NaN for matrices of a larger norm. A matrix needs as many squarings as its norm asks for, so
        small ones lose no precision.
    """
    norm = tf.reduce_max(tf.reduce_sum(tf.abs(tf.stop_gradient(matrix)), axis=-1), axis=-1)
    one = tf.ones([], norm.dtype)
    squarings = tf.maximum(tf.math.ceil(tf.math.log(tf.maximum(2 * norm, one)) / tf.math.log(2 * one)), 0)
    scaled = matrix / tf.cast(2**squarings, matrix.dtype)[..., tf.newaxis, tf.newaxis]
    identity = tf.eye(matrix.shape[-1], dtype=matrix.dtype)
    found = identity + scaled / _TAYLOR_TERMS
    for term in reversed(range(1, _TAYLOR_TERMS)):
        found = identity + tf.matmul(scaled, found) / term
    for step in range(_MOST_SQUARINGS):
        is_wanted = (squarings > step)[..., tf.newaxis, tf.newaxis]
        # the factor that is not wanted is the identity: squaring on would overflow
        found = tf.matmul(found, tf.where(is_wanted, found, identity))
    is_exact = (squarings <= _MOST_SQUARINGS)[..., tf.newaxis, tf.newaxis]
    return tf.where(is_exact, found, tf.cast(np.nan, matrix.dtype))


@contextmanager
def constants_as(dtype: tf.DType) -> Iterator[None]:
    """Within it, Python numbers that qml.math turns into tensors have a layer's precision.

    Args:
        dtype: the layer's real data type.
    """
    _register()
    token = _precision.set(dtype)
    try:
        yield
    finally:
        _precision.reset(token)


@contextmanager
def unknown_differs() -> Iterator[None]:
    """Within it, qml.math.allclose is False of values that depend on inputs or weights.

    What a transform may leave out where an angle is 0, it must keep where the angle is not known.
    """
    _register()
    token = _unknown_differs.set(True)
    try:
        yield
    finally:
        _unknown_differs.reset(token)


@cache
def _register() -> None:
    """Put our conversions before those PennyLane has registered; they only differ within the contexts of this file."""
    as_tensor = autoray.get_lib_fn("tensorflow", "asarray")
    is_close = autoray.get_lib_fn("tensorflow", "allclose")
    coerced: Callable[[Sequence[Any]], Any] = autoray.get_lib_fn("tensorflow", "coerce")

    def asarray(value: Any, **options: Any) -> Any:
        return as_tensor(_precise(value), **options)

    def coerce(values: Sequence[Any]) -> Any:
        return coerced([_precise(value) for value in values])

    def allclose(first: Any, second: Any, **options: Any) -> bool:
        try:
            return bool(is_close(first, second, **options))
        except CaptureError:
            if not _unknown_differs.get():
                raise
            return False

    autoray.register_function("tensorflow", "asarray", asarray)
    autoray.register_function("tensorflow", "allclose", allclose)
    autoray.register_function("tensorflow", "coerce", coerce)


def _precise(value: Any) -> Any:
    """Python's floats and complex numbers as a tensor of the layer's precision; anything else as it is."""
    real = _precision.get()
    leaves = tf.nest.flatten(value)
    if real is None or not leaves or not all(type(leaf) in {int, float, complex} for leaf in leaves):
        return value
    if all(type(leaf) is int for leaf in leaves):
        return value
    is_complex = any(type(leaf) is complex for leaf in leaves)
    return tf.convert_to_tensor(value, {"float64": "complex128"}.get(real.name, "complex64") if is_complex else real)
