"""Calls: the shortest way into a signature.

A signature of a model whose weights are constants needs nothing but its graph: it is called through a session, which
takes arrays as they are and costs 60 us less than a function call (of 150, for a small model). One that reads variables
is called as TensorFlow loaded it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from service.engine.channel import Arrays

_LOWERED = "_lower_using_switch_merge"  # on loops and branches

Call = Callable[[Arrays], tuple[dict[str, np.ndarray[Any, Any]], dict[str, int]]]
"""From inputs by name to outputs by name, and the nanoseconds of the model (infer_ns) and of reading (output_ns)."""


def call_of(function: Any) -> Call:
    """How to call a signature: a concrete function of a loaded SavedModel's `signatures`."""
    needs_function = function.captured_inputs or _has_compiled_loops(function.graph.as_graph_def().library)
    return _function_call(function) if needs_function else _session_call(function)


def _has_compiled_loops(library: Any) -> bool:
    """Whether XLA compiles a function with loops or branches: a session takes them apart before XLA sees them."""
    compiled = any("_XlaMustCompile" in function.attr for function in library.function)
    return compiled and any(_LOWERED in node.attr for function in library.function for node in function.node_def)


def _session_call(function: Any) -> Call:
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(function.graph.as_graph_def(), name="")
    session = tf.compat.v1.Session(graph=graph, config=_session_options())
    # TensorFlow flattens dictionaries by their keys
    inputs = dict(zip(sorted(function.structured_input_signature[1]), function.inputs, strict=True))
    outputs = dict(zip(sorted(function.structured_outputs), function.outputs, strict=True))
    run = session.make_callable([output.name for output in outputs.values()], [item.name for item in inputs.values()])

    def call(arrays: Arrays) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, int]]:
        start_ns = time.perf_counter_ns()
        results = run(*(arrays[name] for name in inputs))
        end_ns = time.perf_counter_ns()
        return _arrays(outputs, results), _spans(start_ns, end_ns)

    return call


def _session_options() -> Any:
    """As many threads as functions have."""
    return tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=tf.config.threading.get_intra_op_parallelism_threads(),
        inter_op_parallelism_threads=tf.config.threading.get_inter_op_parallelism_threads(),
    )


def _function_call(function: Any) -> Call:
    def call(arrays: Arrays) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, int]]:
        tensors = {name: tf.constant(array) for name, array in arrays.items()}
        start_ns = time.perf_counter_ns()
        outputs = function(**tensors)
        end_ns = time.perf_counter_ns()
        return _arrays(outputs, [output.numpy() for output in outputs.values()]), _spans(start_ns, end_ns)

    return call


def _arrays(outputs: Any, values: list[Any]) -> dict[str, np.ndarray[Any, Any]]:
    """The outputs' values as arrays; a single string is one of objects too, where TensorFlow gives bytes."""
    return {
        name: np.asarray(value, tensor.dtype.as_numpy_dtype)
        for (name, tensor), value in zip(outputs.items(), values, strict=True)
    }


def _spans(start_ns: int, end_ns: int) -> dict[str, int]:
    return {"infer_ns": end_ns - start_ns, "output_ns": time.perf_counter_ns() - end_ns}
