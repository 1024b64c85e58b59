"""Writes the files that test_old_files loads: a SavedModel of PennyLane's own KerasLayer, the last it had.

Needs an environment of its own: pip install "pennylane==0.41.1" "tensorflow-cpu==2.17.*" "tf-keras==2.17.*"
Usage: TF_USE_LEGACY_KERAS=1 python tests/data/write_upstream.py tests/data/upstream
"""

import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import pennylane as qml
import tensorflow as tf


@qml.qnode(qml.device("default.qubit", wires=2))
def qnode(inputs, weights_0, weight_1):
    """The example of PennyLane's documentation, without the unpacking that kept it from being saved."""
    qml.RX(inputs[..., 0], wires=0)
    qml.RX(inputs[..., 1], wires=1)
    qml.Rot(weights_0[0], weights_0[1], weights_0[2], wires=0)
    qml.RY(weight_1, wires=1)
    qml.CNOT(wires=[0, 1])
    return qml.expval(qml.Z(0)), qml.expval(qml.Z(1))


folder = Path(sys.argv[1])
tf.keras.utils.set_random_seed(1)
layer = qml.qnn.KerasLayer(qnode, {"weights_0": 3, "weight_1": 1}, output_dim=2)
model = tf.keras.Sequential([layer, tf.keras.layers.Dense(2)])
model.compile("adam", "mse")
inputs = np.random.default_rng(1).uniform(-1, 1, (6, 2)).astype(np.float32)
model.fit(inputs, inputs[:, ::-1], epochs=2, verbose=0)
with tempfile.TemporaryDirectory() as saved:
    model.save(saved)
    with tarfile.open(folder / "model.tar.xz", "w:xz") as archive:
        archive.add(saved, arcname=".")
np.savez(folder / "numbers.npz", inputs=inputs, outputs=model.predict(inputs, verbose=0))
