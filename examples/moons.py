"""The moons example: a hybrid quantum-classical classifier, trained and exported as a SavedModel.

    python examples/moons.py [FOLDER]        the folder is models/moons/1 if none is given

Two Dense layers around a circuit of two qubits learn to tell two half moons apart (scikit-learn's make_moons).
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")  # Keras 2; before the first import of TensorFlow
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import pennylane as qml
import sklearn.datasets
import tensorflow as tf

import qlayer

WIRES = 2


@qml.qnode(qml.device("default.qubit", wires=WIRES))
def circuit(inputs, weights):
    """Encode two features as angles, and return one expectation value for each wire."""
    qml.AngleEmbedding(inputs, wires=range(WIRES))
    qml.StronglyEntanglingLayers(weights, wires=range(WIRES))
    return qml.expval(qml.Z(0)), qml.expval(qml.Z(1))


def train() -> tf.keras.Model:
    """Train the model on the two moons for eight epochs."""
    tf.keras.utils.set_random_seed(7)
    features, labels = sklearn.datasets.make_moons(random_state=7)
    model = tf.keras.models.Sequential(
        [
            tf.keras.layers.Dense(2),
            qlayer.KerasLayer(circuit, {"weights": (3, WIRES, 3)}, output_dim=2),
            tf.keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(tf.keras.optimizers.SGD(learning_rate=0.5), loss="mae", metrics=["accuracy"])
    model.fit(tf.constant(features), tf.one_hot(labels, depth=2), epochs=8, batch_size=5, verbose=2)
    return model


def main() -> None:
    """Train and export."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "models/moons/1")
    if folder.exists():
        sys.exit(f"{folder} is there already. Remove it, or name another folder.")
    print("Training the moons example: 8 epochs of 100 samples")
    qlayer.export(train(), folder)
    print(f"Exported as {folder}")


if __name__ == "__main__":
    main()
