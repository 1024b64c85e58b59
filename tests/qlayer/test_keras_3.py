"""Keras 3: the same tests as for Keras 2, in an interpreter where it is the active one; and its other backends."""

import os
import subprocess
import sys

import processes
import pytest

LAYERS = (
    "tests/qlayer/test_layer.py",
    "tests/qlayer/test_layer_qnode.py",
    "tests/qlayer/test_keras.py",
    "tests/qlayer/test_consumers.py",
    "tests/qlayer/test_freezing.py",
    "tests/qlayer/test_model_signature.py",
    "tests/qlayer/test_serving.py",
    "tests/qlayer/test_host.py",
    "tests/qlayer/test_host_models.py",
)
FILES = (
    "tests/end_to_end/test_export.py",
    "tests/end_to_end/test_export_refusals.py",
    "tests/end_to_end/test_export_shots.py",
    "tests/end_to_end/test_saving_formats.py",
    "tests/end_to_end/keras_3_export.py",
)
# Keras 3 converts its variables the way NumPy 1 did
NUMPY_1 = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"


@pytest.mark.parametrize("tests", [LAYERS, FILES], ids=["layers", "files"])
def test_keras_3(tests):
    """Everything that holds on Keras 2 holds on Keras 3, and what it exports runs everywhere."""
    processes.run_pytest(*tests, "-W", NUMPY_1, environment={"TF_USE_LEGACY_KERAS": "0"})


def test_other_backends_are_refused():
    """On a backend without TensorFlow, the import of qlayer says which setting to change."""
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "0", "KERAS_BACKEND": "jax"}
    done = subprocess.run(
        [sys.executable, "-c", "import qlayer"], env=environment, capture_output=True, text=True, check=False
    )
    assert "UnsupportedError: Keras runs on jax, and a KerasLayer is made of TensorFlow" in done.stderr
    assert "Set KERAS_BACKEND=tensorflow before the first import of keras." in done.stderr
