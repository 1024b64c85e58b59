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

Call = Callable[[Arrays], tuple[dict[str, np.ndarray[Any, Any]], int]]
"""From inputs by name to outputs by name, and the nanoseconds that the model took of that."""


def call_of(function: Any, threads: int) -> Call:
    """How to call a signature.

    Args:
        function: a concrete function of a loaded SavedModel's `signatures`.
        threads: that may compute one call.
    """
    return _function_call(function) if function.captured_inputs else _session_call(function, threads)


def _session_call(function: Any, threads: int) -> Call:
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(function.graph.as_graph_def(), name="")
    config = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads)
    session = tf.compat.v1.Session(graph=graph, config=config)
    # TensorFlow flattens dictionaries by their keys
    inputs = dict(zip(sorted(function.structured_input_signature[1]), function.inputs, strict=True))
    outputs = dict(zip(sorted(function.structured_outputs), function.outputs, strict=True))
    run = session.make_callable([output.name for output in outputs.values()], [item.name for item in inputs.values()])

    def call(arrays: Arrays) -> tuple[dict[str, np.ndarray[Any, Any]], int]:
        start_ns = time.perf_counter_ns()
        results = run(*(arrays[name] for name in inputs))
        return dict(zip(outputs, results, strict=True)), time.perf_counter_ns() - start_ns

    return call


def _function_call(function: Any) -> Call:
    def call(arrays: Arrays) -> tuple[dict[str, np.ndarray[Any, Any]], int]:
        tensors = {name: tf.constant(array) for name, array in arrays.items()}
        start_ns = time.perf_counter_ns()
        outputs = function(**tensors)
        infer_ns = time.perf_counter_ns() - start_ns
        return {name: np.asarray(output.numpy()) for name, output in outputs.items()}, infer_ns

    return call
