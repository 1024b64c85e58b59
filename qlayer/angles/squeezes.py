"""Squeezes that name their axes.

TensorFlow's vectorized map gives every tensor an axis for the batch. A squeeze that names no axes would take this one
too, for a batch of one.
"""

from __future__ import annotations

import tensorflow as tf


def with_named_axes(graph_def: tf.compat.v1.GraphDef, graph: tf.Graph) -> tf.compat.v1.GraphDef:
    """The same graph with the axes of size 1 named in its squeezes.

    Args:
        graph_def: the nodes of the graph.
        graph: the graph, whose tensors have known shapes.
    """
    named = tf.compat.v1.GraphDef.FromString(graph_def.SerializeToString())
    for node in named.node:
        if node.op == "Squeeze" and not node.attr["squeeze_dims"].list.i:
            (squeezed,) = graph.get_operation_by_name(node.name).inputs
            axes = [axis for axis, size in enumerate(squeezed.shape) if size == 1]
            if axes:
                node.attr["squeeze_dims"].list.i.extend(axes)
            else:
                node.op = "Identity"
                del node.attr["squeeze_dims"]
    return named
