"""Writes the files that test_saving_formats loads: run once for each format of saved circuits and each Keras.

Usage: python tests/data/write.py tests/data/keras_2 (with TF_USE_LEGACY_KERAS=1; tests/data/keras_3 without)
"""

import sys
from pathlib import Path

import numpy as np
import pennylane as qml

from qlayer import KerasLayer
from qlayer.keras_compat import keras


@qml.qnode(qml.device("default.qubit", wires=["a", "b"]))
def circuit(inputs, weights, angle):
    """One of everything that a file holds: amplitudes, calculated angles, matrices, controls, sums, probabilities."""
    qml.StatePrep(np.array([0.6, 0, 0, 0.8j]), wires=["a", "b"])
    qml.AngleEmbedding(np.pi * np.tanh(inputs), wires=["a", "b"])
    qml.Rot(*weights, wires="b")
    qml.ctrl(qml.RX(2 * angle, "a"), "b", control_values=0)
    qml.adjoint(qml.S("a"))
    qml.QubitUnitary(np.diag([1, 1j]), "b")
    return qml.expval(qml.Z("a") + 0.5 * qml.X("b")), qml.probs(wires=["a", "b"])


folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
keras.utils.set_random_seed(1)
specs = {"angle": {"initializer": keras.initializers.Constant(0.5), "regularizer": "l2", "constraint": "non_neg"}}
layer = KerasLayer(circuit, {"weights": 3, "angle": 1}, output_dim=5, weight_specs=specs)
model = keras.Sequential([keras.Input((2,)), layer, keras.layers.Dense(1)])
model.compile("adam", keras.losses.MeanSquaredError())
inputs = np.random.default_rng(1).uniform(-1, 1, (6, 2)).astype(np.float32)
model.fit(inputs, inputs[:, :1], verbose=0)
for suffix in (".keras", ".h5"):
    model.save(str(folder / f"model{suffix}"))
np.savez(folder / "numbers.npz", inputs=inputs, outputs=model.predict(inputs, verbose=0))
