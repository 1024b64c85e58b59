"""The bare work of circuit (a): only the matrix products, or only the passes over memory, of `required_work`.

A large batch is worked on in pieces that stay in the cache, one after the other, as long as each has a sample.
"""

from __future__ import annotations

import sys

import tensorflow as tf

from benchmarks.contestants.worker import Call, main
from benchmarks.kinds import Arrays
from benchmarks.required_work import Work, required_work
from benchmarks.task import Task

_PIECE_NUMBERS = 2**20  # 4 MB


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
    work, pieces = _piece(task)
    products = work.products
    matrices = {(m, k): tf.random.uniform([m, k], -1, 1) / k for m, k, _ in products}
    start = tf.random.uniform(products[0][1:])

    @tf.function
    def multiply(numbers: tf.Tensor) -> tf.Tensor:
        for m, k, n in products:
            numbers = tf.linalg.matmul(matrices[m, k], tf.reshape(numbers, [k, n]))
        return numbers

    return lambda: [multiply(start) for _ in range(pieces)]


def _passes(task: Task) -> Call:
    """Every pass: read and write. A difference from a variable: TensorFlow would join factors."""
    work, pieces = _piece(task)
    offset, start = tf.Variable(1.0), tf.random.uniform([work.numbers])

    @tf.function
    def copy(numbers: tf.Tensor) -> tf.Tensor:
        for _ in range(work.passes):
            numbers = offset - numbers
        return numbers

    return lambda: [copy(start) for _ in range(pieces)]


def _piece(task: Task) -> tuple[Work, int]:
    """The work for a piece of the batch, and the number of pieces, a power of two as the batches are."""
    whole, pieces = required_work(task.wires, task.layers, task.batch), 1
    while pieces < task.batch and whole.numbers // pieces > _PIECE_NUMBERS:
        pieces *= 2
    return required_work(task.wires, task.layers, task.batch // pieces), pieces


if __name__ == "__main__":
    main(lambda: BareWork(sys.argv[1]))
