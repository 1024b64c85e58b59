"""MLServer with a runtime of one's own, its adaptive batching, and the model in a process of its own (its default).

python serve_mlserver.py FOLDER PORT

Batches are up to 64 requests, and wait a millisecond for more.
"""

import sys
from pathlib import Path

import tensorflow as tf
import uvloop
from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.codecs import NumpyCodec
from mlserver.settings import ModelParameters
from mlserver.types import InferenceRequest, InferenceResponse

sys.path.insert(0, str(Path(__file__).parent))  # the worker process imports this file by its name


class SavedModel(MLModel):
    """A runtime for SavedModels."""

    async def load(self) -> bool:
        """Load the model."""
        self._model = tf.saved_model.load(self.settings.parameters.uri)
        self._signature = self._model.signatures["serving_default"]
        (self._input,) = self._signature.structured_input_signature[1]
        (self._output,) = self._signature.structured_outputs
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Call the model with the rows of a batch."""
        rows = self.decode(payload.inputs[0], default_codec=NumpyCodec)
        outputs = self._signature(**{self._input: tf.constant(rows, tf.float32)})[self._output].numpy()
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output(self._output, outputs)])


async def serve(folder: str, port: int) -> None:
    """Serve the model until the process is ended."""
    settings = Settings(host="127.0.0.1", http_port=port, grpc_port=port + 1, metrics_port=port + 2, debug=False)
    model = ModelSettings(
        name="model",
        implementation="serve_mlserver.SavedModel",
        parameters=ModelParameters(uri=folder),
        max_batch_size=64,
        max_batch_time=0.001,
    )
    await MLServer(settings).start([model])


if __name__ == "__main__":  # as `mlserver start` runs it
    uvloop.run(serve(sys.argv[1], int(sys.argv[2])))
