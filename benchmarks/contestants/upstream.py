"""PennyLane's own KerasLayer, in the last release that had it. It is served as the SavedModel that Keras writes."""

from typing import Any

import pennylane as qml

from benchmarks.contestants.keras_model import KerasModel
from benchmarks.contestants.worker import main


def _export(model: Any, folder: str) -> None:
    model.save(folder)


if __name__ == "__main__":
    main(lambda: KerasModel(qml.qnn.KerasLayer, _export, "pennylane"))
