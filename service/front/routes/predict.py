"""TensorFlow Serving's predict, on the hot path."""

from __future__ import annotations

from service.front.codecs import tfserving
from service.front.context import Context
from service.front.hotpath import Asked
from service.front.http.replies import Reply
from service.front.models.inference import Inference, infer
from service.front.routes.verbs import endpoint


async def answer(asked: Asked, context: Context) -> Reply:
    """Predictions for rows or columns; raises ServiceError for whatever is wrong with the request or the model."""
    version = await context.registry.ready(asked.target)
    with version.statistics.request():
        version.batcher.check_room()
        request = tfserving.parse_predict(asked.body)
        inputs = tfserving.decode_inputs(request, version.signature(request.signature))
        timeout_s = context.settings.request_timeout_s
        inference = Inference(request.signature, inputs, timeout_s, seed=request.seed, shots=request.shots)
        outputs = await infer(version, inference)
        return Reply(200, tfserving.encode_outputs(outputs, is_rows=request.is_rows))


PREDICT = endpoint("predict", answer)
