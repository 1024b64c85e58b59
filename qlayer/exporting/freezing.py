"""Freezing: while it lasts, quantum layers run with their weights as constants, and are noted down.

Weights that are constants can be calculated with once and for all, when a model is exported; variables cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from qlayer.layer_function import LayerFunction
from qlayer.shots.randomness import Randomness

if TYPE_CHECKING:
    from qlayer.host import HostFunction


@dataclass(frozen=True)
class FrozenLayer:
    """A quantum layer that ran while it was frozen.

    Args:
        name: its name.
        compiled: its circuit.
        values: the values of its weights, in the order of the angle graph's arguments.
        function: from a batch (rows, *sample_shape) and a key for finite shots, or None, to (rows, *output_shape).
    """

    name: str
    compiled: LayerFunction
    values: tuple[np.ndarray, ...]
    function: Callable[[tf.Tensor, tf.Tensor | None], tf.Tensor]


class Freezing:
    """What is frozen, and what it draws from. Mutable: `layers` grows while the model is traced.

    Args:
        key: what all finite shots are drawn from, as `Randomness` takes it; None for new draws at every run.
    """

    def __init__(self, key: tf.Tensor | None = None) -> None:
        self.layers: dict[int, FrozenLayer] = {}  # by the identity of the compiled circuit, in the order of the calls
        self._key = key
        self._calls = count()

    def run(self, name: str, compiled: LayerFunction | HostFunction, flat: tf.Tensor, weights: Sequence[Any]) -> Any:
        """As the function `run`, with constants for weights. Every call of a layer draws for itself."""
        if id(compiled) not in self.layers:
            self.layers[id(compiled)] = _frozen(name, compiled, weights)
        key = None if self._key is None else Randomness(self._key).fold(next(self._calls)).key
        return self.layers[id(compiled)].function(flat, key)


_CURRENT: ContextVar[Freezing | None] = ContextVar("freezing", default=None)


@contextmanager
def freezing(key: tf.Tensor | None = None) -> Iterator[Freezing]:
    """Freeze every quantum layer that is called inside.

    Args:
        key: what all finite shots are drawn from, as `Randomness` takes it; None for new draws at every run.

    Yields:
        What was frozen, complete when the block ends.
    """
    found = Freezing(key)
    token = _CURRENT.set(found)
    try:
        yield found
    finally:
        _CURRENT.reset(token)


@tf.autograph.experimental.do_not_convert  # Keras 2 converts what layers call, and this calls the whole compiler
def run(name: str, compiled: LayerFunction | HostFunction, flat: tf.Tensor, weights: Sequence[Any]) -> tf.Tensor:
    """Run a layer's circuit.

    Args:
        name: name of the layer.
        compiled: its circuit.
        flat: shape (rows, *sample_shape).
        weights: the layer's variables, in the order of the angle graph's arguments.

    Returns:
        Shape (rows, *output_shape).

    Raises:
        UnsupportedError: if the layer is to be frozen and runs on the host.
    """
    current = _CURRENT.get()
    if current is None:
        return compiled.function(flat, *(tf.cast(weight, flat.dtype) for weight in weights))
    return current.run(name, compiled, flat, weights)


def _frozen(name: str, compiled: LayerFunction | HostFunction, weights: Sequence[Any]) -> FrozenLayer:
    if not isinstance(compiled, LayerFunction):
        return compiled.program  # raises: there is none
    with tf.init_scope():  # out of the graph that is being traced
        values = tuple(np.asarray(weight.numpy(), compiled.dtype.as_numpy_dtype) for weight in weights)
    return FrozenLayer(name, compiled, values, compiled.frozen(values))
