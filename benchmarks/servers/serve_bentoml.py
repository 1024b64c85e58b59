"""BentoML with its adaptive batching, and one worker.

python serve_bentoml.py FOLDER PORT
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import bentoml
import numpy as np
import tensorflow as tf
from bentoml.validators import DType

FOLDER = "BENCHMARK_MODEL"  # the workers import this file anew, and have no command line


@bentoml.service(workers=1, traffic={"timeout": 60, "max_concurrency": 1024})
class SavedModel:
    """Serves a SavedModel."""

    def __init__(self) -> None:
        self._model = tf.saved_model.load(os.environ[FOLDER])
        self._signature = self._model.signatures["serving_default"]
        (self._input,) = self._signature.structured_input_signature[1]
        (self._output,) = self._signature.structured_outputs

    @bentoml.api(batchable=True, max_batch_size=1024, max_latency_ms=10_000)
    def predict(self, x: Annotated[np.ndarray, DType("float32")]) -> np.ndarray:
        """Call the model with the rows of a batch."""
        return self._signature(**{self._input: tf.constant(x)})[self._output].numpy()


if __name__ == "__main__":
    os.environ[FOLDER] = sys.argv[1]
    here = Path(__file__)
    arguments = ["serve", f"{here.stem}:SavedModel", "--host", "127.0.0.1", "--port", sys.argv[2]]
    os.chdir(here.parent)
    os.execv(sys.executable, [sys.executable, "-m", "bentoml", *arguments])  # noqa: S606 - no shell is wanted
