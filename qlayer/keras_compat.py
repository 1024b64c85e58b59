"""The one place that knows which Keras is active.

It is `tf.keras`: Keras 2 where TF_USE_LEGACY_KERAS=1 was set before TensorFlow was imported, and Keras 3 elsewhere.
"""

from __future__ import annotations

import tensorflow as tf

from qlayer.errors import UnsupportedError

keras = tf.keras


def check_backend() -> None:
    """Refuse Keras 3 on another backend than TensorFlow.

    Raises:
        UnsupportedError: naming the backend and the setting that changes it.
    """
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise UnsupportedError(
            f"Keras runs on {backend}, and a KerasLayer is made of TensorFlow operations. Set KERAS_BACKEND=tensorflow "
            "before the first import of keras."
        )
