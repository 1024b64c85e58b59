"""Ray Serve with its batching: one replica, up to 64 requests, which wait a millisecond for more.

python serve_ray.py FOLDER PORT
"""

import signal
import sys
from typing import Any

import numpy as np
import ray
from ray import serve
from starlette.requests import Request

FOLDER, PORT = sys.argv[1], int(sys.argv[2])


@serve.deployment(num_replicas=1, max_ongoing_requests=1024)
class SavedModel:
    """Serves a SavedModel."""

    def __init__(self, folder: str) -> None:
        import tensorflow as tf  # noqa: PLC0415 - in the replica only

        self._constant = tf.constant
        self._model = tf.saved_model.load(folder)
        self._signature = self._model.signatures["serving_default"]
        (self._input,) = self._signature.structured_input_signature[1]
        (self._output,) = self._signature.structured_outputs

    @serve.batch(max_batch_size=64, batch_wait_timeout_s=0.001)
    async def predict(self, requests: list[np.ndarray]) -> list[np.ndarray]:
        """Call the model with the rows of several requests."""
        outputs = self._signature(**{self._input: self._constant(np.concatenate(requests))})[self._output].numpy()
        return np.split(outputs, np.cumsum([len(rows) for rows in requests])[:-1])

    async def __call__(self, request: Request) -> dict[str, Any]:
        """Answer a request."""
        body = await request.json()
        outputs = await self.predict(np.asarray(body["instances"], np.float32))
        return {"predictions": outputs.tolist()}


if __name__ == "__main__":
    ray.init(include_dashboard=False, log_to_driver=False)
    serve.start(http_options={"host": "127.0.0.1", "port": PORT})
    serve.run(SavedModel.bind(FOLDER), route_prefix="/predict")  # type: ignore[attr-defined]  # the decorator's
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    serve.shutdown()
    ray.shutdown()
