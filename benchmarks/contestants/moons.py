"""The moons example of the former KerasLayer as one call: build, trace and train for eight epochs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sklearn.datasets
import tensorflow as tf

from benchmarks.contestants.worker import Call

EPOCHS = 8
BATCH = 5
_SEED = 7


def moons(make_layer: Callable[[], Any], weights: np.ndarray | None) -> Call:
    """Train a new model in every call, from the same weights and with the samples in the same order.

    Args:
        make_layer: makes the layer in the middle of the model, of two features and two outputs.
        weights: its first weights; None for a layer that draws its own.
    """
    points, labels = sklearn.datasets.make_moons(random_state=_SEED)
    features, targets = tf.constant(points, tf.float32), tf.one_hot(labels, depth=2)

    def call() -> list[Any]:
        model = _model(make_layer(), weights)
        history = model.fit(features, targets, epochs=EPOCHS, batch_size=BATCH, shuffle=False, verbose=0)
        return [np.array(history.history["loss"])]

    return call


def _model(layer: Any, weights: np.ndarray | None) -> Any:
    model = tf.keras.Sequential(
        [tf.keras.layers.Dense(2, input_shape=(2,)), layer, tf.keras.layers.Dense(2, activation="softmax")]
    )
    model.layers[0].set_weights(_dense_weights(0))
    model.layers[2].set_weights(_dense_weights(2))
    if weights is not None:
        layer.qnode_weights["weights"].assign(weights)
    model.compile(tf.keras.optimizers.SGD(learning_rate=0.5), loss="mae", metrics=["accuracy"])
    return model


def _dense_weights(place: int) -> list[np.ndarray]:
    """Kernel and bias of the Dense layer at a place in the model."""
    kernel = np.random.default_rng([_SEED, place]).uniform(-1, 1, (2, 2))
    return [kernel.astype(np.float32), np.zeros(2, np.float32)]
