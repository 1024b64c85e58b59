"""Consumers: the nodes in which other layers take a layer's complex outputs, each checked when it is made.

Keras' own layers compute in reals: they cast complex inputs, and the imaginary part is gone without an error. Keras
tells a layer of each symbolic call on its outputs by a node that is appended to a list of the layer; this is that list.
A call on values (in a subclassed model, or by hand) leaves no node, and cannot be seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from qlayer.errors import ShapeError
from qlayer.keras_compat import calling_sequence, is_own_layer, is_symbolic, keras, node_inputs, node_layer


@dataclass
class Source:
    """A quantum layer that complex numbers come from, by its name. Mutable: `refused` is the last refused layer."""

    name: str
    refused: Any = None


class Consumers(list[Any]):
    """The outbound nodes of a layer whose outputs are complex.

    Args:
        nodes: those it has already.
        source: the quantum layer that the complex numbers come from; other layers may be between.
    """

    def __init__(self, nodes: list[Any], source: Source) -> None:
        super().__init__(nodes)
        self.source = source

    def append(self, node: Any) -> None:
        """Add a node; the outputs of a layer that leaves them complex are watched too.

        Raises:
            ShapeError: if its layer would cast complex inputs to reals.
        """
        layer = node_layer(node)
        if any(map(_is_complex, node_inputs(node))):
            if _takes_reals(layer):
                self.source.refused = layer
                raise ShapeError(_text(self.source))
            watch(layer, node.outputs, self.source)
        super().append(node)

    def __reduce__(self) -> tuple[type[list[Any]], tuple[list[Any]]]:
        """Copied as a plain list: nodes of a copy are not checked before they are complete."""
        return list, (list(self),)


def watch(layer: Any, outputs: Any, source: Source) -> None:
    """Check all layers that will be called on a layer's symbolic outputs, if these are complex.

    Args:
        layer: a layer or an operation of Keras.
        outputs: what it returned.
        source: the quantum layer that the complex numbers come from.
    """
    is_watched = isinstance(layer._outbound_nodes, Consumers)  # noqa: SLF001 - Keras gives it no public name
    if not is_watched and any(is_symbolic(leaf) and _is_complex(leaf) for leaf in tf.nest.flatten(outputs)):
        # past Keras' own setters, which would wrap the list
        object.__setattr__(layer, "_outbound_nodes", Consumers(layer._outbound_nodes, source))  # noqa: SLF001


def check_sequence(layer: Any, arguments: Any) -> None:
    """Refuse again what was refused while Keras 2 gave a Sequential model its shape: it swallows every error there.

    Args:
        layer: the quantum layer, which is about to be called.
        arguments: what it is called with: symbolic tensors begin another model, and are not refused.

    Raises:
        ShapeError: if it is called on values by a model that holds the refused layer too.
    """
    nodes = layer._outbound_nodes  # noqa: SLF001 - Keras gives it no public name
    if not isinstance(nodes, Consumers):
        return
    if any(map(is_symbolic, tf.nest.flatten(arguments))):
        nodes.source.refused = None
    elif any(other is nodes.source.refused for other in calling_sequence()):
        raise ShapeError(_text(nodes.source))


def check_real(name: str, inputs: Any) -> None:
    """Refuse complex inputs of a quantum layer.

    Raises:
        ShapeError: naming the layer and the cast to insert.
    """
    if _is_complex(inputs):
        raise ShapeError(
            f"the inputs of the layer {name!r} are {tf.as_dtype(inputs.dtype).name}, and angles are real. Put "
            "tf.keras.layers.Lambda(tf.abs) in front of it, or another function that casts to reals, such as "
            "tf.math.real."
        )


def _is_complex(tensor: Any) -> bool:
    return bool(tf.as_dtype(tensor.dtype).is_complex)


def _takes_reals(layer: Any) -> bool:
    """Whether a layer would cast complex inputs: a model of real inputs, or a layer of Keras with real weights."""
    if isinstance(layer, keras.Model):
        inputs = tf.nest.flatten(getattr(layer, "inputs", None) or [])
        return bool(inputs) and not any(map(_is_complex, inputs))
    return is_own_layer(layer) and any(tf.as_dtype(weight.dtype).is_floating for weight in layer.weights)


def _text(source: Source) -> str:
    layer = source.refused
    return (
        f"the layer {source.name!r} returns complex numbers, but {layer.name!r} ({type(layer).__name__}), which takes "
        "them, computes in reals: the imaginary part would be lost. Put a layer between them that casts, such as "
        "tf.keras.layers.Lambda(tf.abs), or with tf.math.real."
    )
