"""The bare work of circuit (a): only the matrix products, or only the passes over memory, of `required_work`."""

from __future__ import annotations

import sys
from collections.abc import Callable

import tensorflow as tf

from benchmarks.contestants.worker import Call, main
from benchmarks.kinds import Arrays
from benchmarks.required_work import required_work
from benchmarks.task import Task


class BareWork:
    """Products or passes.

    Args:
        part: "products" or "passes".
    """

    packages: tuple[str, ...] = ("tensorflow", "numpy")

    def __init__(self, part: str) -> None:
        self._part = part

    def prepare(self, task: Task, arrays: Arrays) -> Call:  # noqa: ARG002 - the work depends on the sizes only
        """Build what the task needs; see `Contestant`."""
        return {"products": _products, "passes": _passes}[self._part](task)


def _products(task: Task) -> Call:
    """Every product with a real matrix, one after the other, on a state of the task's size."""
    products = required_work(task.wires, task.layers, task.batch).products
    matrices = {size: tf.random.uniform([size, size], -1, 1) / size for _, size in products}

    @tf.function
    def multiply(state: tf.Tensor) -> tf.Tensor:
        for rows, size in products:
            state = tf.linalg.matmul(tf.reshape(state, [rows, size]), matrices[size])
        return state

    return _on_a_state(multiply, task)


def _passes(task: Task) -> Call:
    """Every pass: read the state and write another. The factor is no constant: TensorFlow would join the passes."""
    passes = required_work(task.wires, task.layers, task.batch).passes
    factor = tf.Variable(1.0)

    @tf.function
    def copy(state: tf.Tensor) -> tf.Tensor:
        for _ in range(passes):
            state = factor * state
        return state

    return _on_a_state(copy, task)


def _on_a_state(function: Callable[[tf.Tensor], tf.Tensor], task: Task) -> Call:
    state = tf.random.uniform([2 * task.batch * 2**task.wires])
    return lambda: [function(state)]


if __name__ == "__main__":
    main(lambda: BareWork(sys.argv[1]))
