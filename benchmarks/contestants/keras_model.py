"""What qlayer and PennyLane's old KerasLayer have in common: a circuit as a layer of a Keras 2 model."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

import pennylane as qml
import tensorflow as tf

from benchmarks.contestants.moons import moons
from benchmarks.contestants.worker import Call, RefusedError
from benchmarks.kinds import Arrays, features, output_size, weights_shape
from benchmarks.pennylane_circuits import qnode
from benchmarks.task import Task


class KerasModel:
    """The questions about a Keras model with a circuit in it.

    Args:
        layer_class: the KerasLayer.
        export: writes the model that is served, from a model and a folder; the ways are a contestant's own.
        package: the layer's, whose version is told as well.
    """

    def __init__(self, layer_class: Any, export: Callable[[Any, str], Any], package: str) -> None:
        self.packages: tuple[str, ...] = (package, "tensorflow", "tf-keras", "numpy")
        self._layer_class = layer_class
        self._export = export
        self._served: dict[Task, Any] = {}  # a model of a circuit is exported once, whatever the batch
        self._questions: dict[str, Callable[[Task, Arrays], Call]] = {
            "exported": self._exported,
            "training": self._training,
            "gradient": self._gradient,
            "save": self._save,
            "export": self._save_for_serving,
            "load": self._load,
            "load-exported": self._load_exported,
            "moons": self._moons,
        }

    def prepare(self, task: Task, arrays: Arrays) -> Call:
        """Build what the task needs; see `Contestant`."""
        if task.question not in self._questions:
            raise RefusedError(f"a Keras model does not answer {task.question!r}")
        return self._questions[task.question](task, arrays)

    def layer(self, task: Task) -> Any:
        """The circuit as a layer, not built yet."""
        circuit = qnode(task, qml.device("default.qubit", wires=task.wires))
        return self._layer_class(circuit, {"weights": weights_shape(task)}, output_dim=output_size(task))

    def model(self, task: Task, arrays: Arrays) -> Any:
        """A Keras model of the layer alone, with the task's weights."""
        layer = self.layer(task)
        model = tf.keras.Sequential([tf.keras.layers.InputLayer(input_shape=(features(task),)), layer])
        layer.qnode_weights["weights"].assign(arrays.weights)
        return model

    def _built_layer(self, task: Task, arrays: Arrays) -> Any:
        layer = self.layer(task)
        layer.build(tf.TensorShape([None, features(task)]))
        layer.qnode_weights["weights"].assign(arrays.weights)
        return layer

    def _exported(self, task: Task, arrays: Arrays) -> Call:
        signature = self._serving_signature(task, arrays)
        inputs = tf.constant(arrays.inputs)
        (name,) = signature.structured_input_signature[1]
        return lambda: list(signature(**{name: inputs}).values())

    def _serving_signature(self, task: Task, arrays: Arrays) -> Any:
        key = Task(task.question, task.circuit, task.wires, task.layers, batch=0)
        if key not in self._served:
            self._served.clear()  # one model in memory is enough: tasks come circuit by circuit
            with tempfile.TemporaryDirectory() as folder:
                path = f"{folder}/model"
                self._export(self.model(task, arrays), path)
                self._served[key] = tf.saved_model.load(path)
        return self._served[key].signatures["serving_default"]

    def _training(self, task: Task, arrays: Arrays) -> Call:
        layer = self._built_layer(task, arrays)
        inputs = tf.constant(arrays.inputs)

        @tf.function
        def forward(inputs: Any) -> Any:
            return layer(inputs)

        return lambda: [forward(inputs)]

    def _gradient(self, task: Task, arrays: Arrays) -> Call:
        layer = self._built_layer(task, arrays)
        inputs = tf.constant(arrays.inputs)

        @tf.function
        def step(inputs: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                loss = tf.reduce_sum(tf.square(layer(inputs)))
            return loss, *tape.gradient(loss, [layer.qnode_weights["weights"], inputs])

        return lambda: step(inputs)

    def _save(self, task: Task, arrays: Arrays) -> Call:
        return self._write(self.model(task, arrays), lambda model, folder: model.save(folder))

    def _save_for_serving(self, task: Task, arrays: Arrays) -> Call:
        return self._write(self.model(task, arrays), self._export)

    @staticmethod
    def _write(model: Any, write: Callable[[Any, str], Any]) -> Call:
        def call() -> list[Any]:
            with tempfile.TemporaryDirectory() as folder:
                write(model, f"{folder}/model")
            return []

        return call

    def _load(self, task: Task, arrays: Arrays) -> Call:
        model = self.model(task, arrays)
        return self._read(model, lambda model, folder: model.save(folder), tf.keras.models.load_model)

    def _load_exported(self, task: Task, arrays: Arrays) -> Call:
        return self._read(self.model(task, arrays), self._export, tf.saved_model.load)

    @staticmethod
    def _read(model: Any, write: Callable[[Any, str], Any], read: Callable[[str], Any]) -> Call:
        folder = tempfile.TemporaryDirectory()  # removed together with the call that refers to it
        write(model, f"{folder.name}/model")

        def call() -> list[Any]:
            read(f"{folder.name}/model")
            return []

        return call

    def _moons(self, task: Task, arrays: Arrays) -> Call:
        return moons(lambda: self.layer(task), weights=arrays.weights)
