"""Casts from real to complex numbers whose gradients are silent.

TensorFlow's gradient of such a cast is a cast back, which warns that it discards the imaginary part. The gradient of
`tf.complex` takes the real part without a word.
"""

from __future__ import annotations

import tensorflow as tf

_PARTS = {tf.complex64.as_datatype_enum: tf.float32, tf.complex128.as_datatype_enum: tf.float64}


def to_complex(values: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """Real or complex numbers in a complex data type."""
    if values.dtype.is_complex:
        return tf.cast(values, dtype)
    real = tf.cast(values, dtype.real_dtype)
    return tf.complex(real, tf.zeros_like(real))


def with_silent_casts(graph_def: tf.compat.v1.GraphDef) -> tf.compat.v1.GraphDef:
    """The same graph with its casts from real to complex numbers made of `Complex`; every node keeps its name."""
    nodes = [part for node in graph_def.node for part in _silent(node)]
    return tf.compat.v1.GraphDef(node=nodes, library=graph_def.library, versions=graph_def.versions)


def _silent(node: tf.compat.v1.NodeDef) -> list[tf.compat.v1.NodeDef]:
    if node.op != "Cast" or node.attr["DstT"].type not in _PARTS or tf.as_dtype(node.attr["SrcT"].type).is_complex:
        return [node]
    dtype = _PARTS[node.attr["DstT"].type]
    real = tf.compat.v1.NodeDef(name=f"{node.name}/real", op="Cast", input=node.input, attr=node.attr)
    real.attr["DstT"].type = dtype.as_datatype_enum
    zeros = tf.compat.v1.NodeDef(name=f"{node.name}/imaginary", op="ZerosLike", input=[real.name])
    zeros.attr["T"].type = dtype.as_datatype_enum
    whole = tf.compat.v1.NodeDef(name=node.name, op="Complex", input=[real.name, zeros.name])
    whole.attr["T"].type = dtype.as_datatype_enum
    whole.attr["Tout"].type = node.attr["DstT"].type
    return [real, zeros, whole]
