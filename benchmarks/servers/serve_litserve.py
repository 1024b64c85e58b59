"""LitServe with its batching: up to 64 requests, which wait a millisecond for more.

python serve_litserve.py FOLDER PORT

A request may have many rows, so that a batch is their concatenation.
"""

import sys
from typing import Any

import litserve as ls
import numpy as np
import tensorflow as tf

Batch = tuple[np.ndarray, list[int]]  # the rows, and where one request ends and the next begins


class SavedModel(ls.LitAPI):
    """Serves a SavedModel."""

    def __init__(self, folder: str) -> None:
        super().__init__(max_batch_size=64, batch_timeout=0.001)
        self._folder = folder

    def setup(self, device: str) -> None:  # noqa: ARG002 - LitServe's signature
        """Load the model, in the worker."""
        self._model = tf.saved_model.load(self._folder)
        self._signature = self._model.signatures["serving_default"]
        (self._input,) = self._signature.structured_input_signature[1]
        (self._output,) = self._signature.structured_outputs

    def decode_request(self, request: dict[str, Any]) -> np.ndarray:
        """The rows of a request."""
        return np.asarray(request["instances"], np.float32)

    def batch(self, inputs: list[np.ndarray]) -> Batch:
        """The rows of several requests."""
        return np.concatenate(inputs), np.cumsum([len(rows) for rows in inputs])[:-1].tolist()

    def predict(self, x: Batch) -> list[np.ndarray]:
        """Call the model."""
        rows, ends = x
        outputs = self._signature(**{self._input: tf.constant(rows)})[self._output].numpy()
        return np.split(outputs, ends)

    def unbatch(self, output: list[np.ndarray]) -> list[np.ndarray]:
        """The outputs of each request."""
        return output

    def encode_response(self, output: np.ndarray) -> dict[str, Any]:
        """A request's answer."""
        return {"predictions": output.tolist()}


if __name__ == "__main__":
    server = ls.LitServer(SavedModel(sys.argv[1]), accelerator="cpu", devices=1, workers_per_device=1)
    server.run(
        host="127.0.0.1", port=int(sys.argv[2]), num_api_servers=1, log_level="warning", generate_client_file=False
    )
