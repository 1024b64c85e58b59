"""What is left of a request that failed, once it is answered: nothing, without a look of the collector."""

import asyncio
import gc
import weakref

import numpy as np
import pytest
from squares import LIMITS, SPANS

from service.errors import ModelFailed
from service.front.hotpath import HotPath
from service.front.models.batching import Batcher
from service.front.models.statistics import Statistics
from service.front.routes.verbs import endpoint
from service.front.server import create_context
from service.settings import Settings

SCOPE = {"type": "http", "method": "POST", "path": "/v1/models/m:predict", "query_string": b""}


async def _refusing(*_):
    await asyncio.sleep(0.01)
    raise ModelFailed("it refuses all values")


async def _slow(*_):
    await asyncio.sleep(0.5)
    return {}, SPANS


@pytest.mark.parametrize(
    ("call", "headers", "status"),
    [(_refusing, [], 400), (_slow, [(b"x-request-timeout-ms", b"100")], 504)],
    ids=["refused", "late"],
)
def test_a_failed_request_leaves_nothing(tmp_path, call, headers, status):
    """Its error came through frames that hold its inputs, and they might hold the error."""

    async def story():
        batcher, seen, sent = Batcher(call, LIMITS, Statistics()), [], []

        async def answer(_, __):
            inputs = {"x": np.zeros((2, 3))}
            seen.append(weakref.ref(inputs["x"]))
            return await batcher.submit("a", inputs, 60)

        async def receive():
            return {"type": "http.request", "body": b"{}"}

        async def send(message):
            sent.append(message)

        hot_path = HotPath(None, (endpoint("predict", answer),), create_context(Settings(models=tmp_path)))
        requests = [hot_path({**SCOPE, "headers": headers}, receive, send) for _ in range(3)]
        await asyncio.gather(*requests)
        del requests
        await batcher.close()
        assert [message["status"] for message in sent if "status" in message] == [status] * 3
        return [array() is None for array in seen]

    gc.collect()
    gc.disable()
    try:
        assert asyncio.run(story()) == [True] * 3
    finally:
        gc.enable()
