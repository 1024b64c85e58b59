"""A function in place of a model, for the Batcher, and rows to ask it for."""

import asyncio

import numpy as np

from service.errors import InvalidRequest
from service.front.models.batching import Batcher, BatchLimits
from service.front.models.statistics import Spans, Statistics

LIMITS = BatchLimits(batch_max_rows=8, queue_max_rows=1000, request_max_rows=100)
SPANS = Spans(0, 0, 0)


class Squares:
    """Squares its rows, notes what it was called with, and refuses negative rows."""

    def __init__(self, calls_max=1):
        self.calls = []
        self.calls_max = calls_max
        self.running = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, signature, inputs, _):
        """Square the rows, when the gate is open."""
        assert self.running < self.calls_max, "more calls at once than there are workers"
        self.running += 1
        self.calls.append((signature, inputs["x"].copy()))
        await asyncio.sleep(0)
        await self.gate.wait()
        self.running -= 1
        if (inputs["x"] < 0).any():
            raise InvalidRequest("negative")
        return {"y": inputs["x"] ** 2}, SPANS


async def busy(limits=LIMITS):
    """A model whose gate is closed, its batcher, and the request of the row 0 that it computes until the gate opens."""
    model = Squares()
    model.gate.clear()
    batcher = Batcher(model, limits, Statistics())
    running = asyncio.create_task(batcher.submit("a", rows(0), 10))
    await asyncio.sleep(0.01)
    return model, batcher, running


def rows(*numbers, dtype=np.int64, width=None):
    """Rows for a request: scalars, or vectors of a width."""
    array = np.array(numbers, dtype)
    return {"x": array if width is None else np.repeat(array[:, None], width, 1)}
