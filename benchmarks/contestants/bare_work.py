"""The bare work of circuit (a): only the matrix products, or only the passes over memory, of `required_work`."""

from __future__ import annotations

import tensorflow as tf

from benchmarks.contestants.worker import Call
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
    """Every product with a real matrix, one after the other."""
    products = required_work(task.wires, task.layers, task.batch).products
    shapes = {shape for m, k, n in products for shape in ((m, k), (k, n))}
    numbers = {shape: tf.random.uniform(shape, -1, 1) for shape in shapes}

    @tf.function
    def multiply(numbers: dict[tuple[int, int], tf.Tensor]) -> list[tf.Tensor]:
        return [tf.linalg.matmul(numbers[m, k], numbers[k, n])[0, 0] for m, k, n in products]

    return lambda: multiply(numbers)


def _passes(task: Task) -> Call:
    """Every pass: read and write. The factor is no constant: TensorFlow would join the passes."""
    work = required_work(task.wires, task.layers, task.batch)
    factor, start = tf.Variable(1.0), tf.random.uniform([work.numbers])

    @tf.function
    def copy(numbers: tf.Tensor) -> tf.Tensor:
        for _ in range(work.passes):
            numbers = factor * numbers
        return numbers

    return lambda: [copy(start)]
