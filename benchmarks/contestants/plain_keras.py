"""No circuit: what TensorFlow and Keras take by themselves. An empty SavedModel, and a Dense layer for the circuit."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from benchmarks.contestants.moons import moons
from benchmarks.contestants.worker import Call, RefusedError, main
from benchmarks.kinds import Arrays
from benchmarks.task import Task


class PlainKeras:
    """The two questions that have a floor."""

    packages: tuple[str, ...] = ("tensorflow", "tf-keras", "numpy")

    def prepare(self, task: Task, arrays: Arrays) -> Call:
        """Build what the task needs; see `Contestant`."""
        if task.question not in _QUESTIONS:
            raise RefusedError(f"there is no floor of {task.question!r}")
        return _QUESTIONS[task.question](arrays)


def _empty(arrays: Arrays) -> Call:
    """The call of a SavedModel that returns its inputs."""
    module = tf.Module()
    module.identity = tf.function(tf.identity, input_signature=[tf.TensorSpec([None, None], tf.float32, "inputs")])
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures=module.identity)
        loaded: Any = tf.saved_model.load(folder)
    signature, inputs = loaded.signatures["serving_default"], tf.constant(arrays.inputs)
    return lambda: [*signature(inputs=inputs).values(), loaded][:1]  # `loaded` must live as long as its signature


def _dense(_arrays: Arrays) -> Call:
    """The moons with a Dense layer in place of the circuit."""
    return moons(lambda: tf.keras.layers.Dense(2), weights=None)


_QUESTIONS: dict[str, Callable[[Arrays], Call]] = {"exported": _empty, "moons": _dense}

if __name__ == "__main__":
    main(PlainKeras)
