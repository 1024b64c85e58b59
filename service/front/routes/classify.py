"""TensorFlow Serving's classify and regress, on the hot path."""

from __future__ import annotations

from functools import partial

from service.front.codecs.examples import parse_examples
from service.front.codecs.results import CLASSIFY as CLASSIFICATION
from service.front.codecs.results import INPUT, Method
from service.front.codecs.results import REGRESS as REGRESSION
from service.front.codecs.tensors import check_shape
from service.front.context import Context
from service.front.hotpath import Asked
from service.front.http.replies import Reply
from service.front.models.inference import Inference, infer
from service.front.routes.verbs import endpoint


async def answer(asked: Asked, context: Context, *, method: Method) -> Reply:
    """Results for examples; raises ServiceError for whatever is wrong with the request or the model."""
    version = await context.registry.ready(asked.target)
    with version.statistics.request():
        version.batcher.check_room()
        request = parse_examples(asked.body)
        spec = version.signature(request.signature)
        method.check(spec)
        check_shape(INPUT, request.examples.shape, spec.inputs[INPUT])
        inference = Inference(request.signature, {INPUT: request.examples}, context.settings.request_timeout_s)
        outputs = await infer(version, inference)
        reply = Reply(200, method.encode(outputs, len(request.examples)))
        version.statistics.examples.add(len(request.examples))
        return reply


CLASSIFY = endpoint("classify", partial(answer, method=CLASSIFICATION))
REGRESS = endpoint("regress", partial(answer, method=REGRESSION))
