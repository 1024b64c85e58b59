"""Calls: the shortest way into a signature.

A signature of a model whose weights are constants needs nothing but its graph: it is run in the thread that asks, by a
session. Each hand-over to another thread costs some 50 us on a machine whose cores sleep (a model of four wires: 82 us;
198 through a pool of one thread; 246 by a function call). One that reads variables is called as TensorFlow loaded it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from service.engine.division import Call, Division, Outputs
from service.engine.specs import Arrays

_LOWERED = "_lower_using_switch_merge"  # on loops and branches
_IN_THE_CALLERS_THREAD = -1  # ConfigProto.inter_op_parallelism_threads


def call_of(function: Any, threads: int, *, has_rows: bool) -> Call:
    """How to call a signature.

    Args:
        function: a concrete function of a loaded SavedModel's `signatures`.
        threads: for calls that take long.
        has_rows: whether inputs and outputs have the batch first, so that a batch can be divided.
    """
    needs_function = function.captured_inputs or _has_compiled_loops(function.graph.as_graph_def().library)
    call = _function_call(function) if needs_function else _session_call(function)
    return Division(call, threads) if has_rows and threads > 1 else call


def _has_compiled_loops(library: Any) -> bool:
    """Whether XLA compiles a function with loops or branches: a session takes them apart before XLA sees them."""
    compiled = any("_XlaMustCompile" in function.attr for function in library.function)
    return compiled and any(_LOWERED in node.attr for function in library.function for node in function.node_def)


def _session_call(function: Any) -> Call:
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(function.graph.as_graph_def(), name="")
    options = tf.compat.v1.ConfigProto(inter_op_parallelism_threads=_IN_THE_CALLERS_THREAD)
    session = tf.compat.v1.Session(graph=graph, config=options)
    # TensorFlow flattens dictionaries by their keys
    inputs = dict(zip(sorted(function.structured_input_signature[1]), function.inputs, strict=True))
    outputs = dict(zip(sorted(function.structured_outputs), function.outputs, strict=True))
    run = session.make_callable([output.name for output in outputs.values()], [item.name for item in inputs.values()])
    return lambda arrays: _arrays(outputs, run(*(arrays[name] for name in inputs)))


def _function_call(function: Any) -> Call:
    def call(arrays: Arrays) -> Outputs:
        outputs = function(**{name: tf.constant(array) for name, array in arrays.items()})
        return _arrays(outputs, [output.numpy() for output in outputs.values()])

    return call


def _arrays(outputs: Any, values: list[Any]) -> Outputs:
    """The outputs' values as arrays; a single string is one of objects too, where TensorFlow gives bytes."""
    return {
        name: np.asarray(value, tensor.dtype.as_numpy_dtype)
        for (name, tensor), value in zip(outputs.items(), values, strict=True)
    }
