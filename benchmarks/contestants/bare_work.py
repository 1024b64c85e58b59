"""The bare work of circuit (a): only the matrix products, or only the passes over memory, of `required_work`."""

from __future__ import annotations

import sys

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
    """Every product with a real matrix, each with what the one before made: TensorFlow would join equal ones."""
    products = required_work(task.wires, task.layers, task.batch).products
    matrices = {(m, k): tf.random.uniform([m, k], -1, 1) / k for m, k, _ in products}
    start = tf.random.uniform(products[0][1:])

    @tf.function
    def multiply(numbers: tf.Tensor) -> tf.Tensor:
        for m, k, n in products:
            numbers = tf.linalg.matmul(matrices[m, k], tf.reshape(numbers, [k, n]))
        return numbers

    return lambda: [multiply(start)]


def _passes(task: Task) -> Call:
    """Every pass: read and write. A difference from a variable: TensorFlow would join factors."""
    work = required_work(task.wires, task.layers, task.batch)
    offset, start = tf.Variable(1.0), tf.random.uniform([work.numbers])

    @tf.function
    def copy(numbers: tf.Tensor) -> tf.Tensor:
        for _ in range(work.passes):
            numbers = offset - numbers
        return numbers

    return lambda: [copy(start)]


if __name__ == "__main__":
    main(lambda: BareWork(sys.argv[1]))
