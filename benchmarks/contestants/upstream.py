"""PennyLane's own KerasLayer, in the last release that had it. It is served as the SavedModel that Keras writes."""

import pennylane as qml

from benchmarks.contestants.keras_model import KerasModel
from benchmarks.contestants.worker import main

if __name__ == "__main__":
    main(lambda: KerasModel(qml.qnn.KerasLayer, lambda model, folder: model.save(folder)))
