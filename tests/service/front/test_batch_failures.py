"""The Batcher where calls fail, or come too late: who is told, and who is called again."""

import asyncio
import gc

import numpy as np
import pytest
from squares import LIMITS, SPANS, Squares, busy, rows

from service.errors import DeadlineExceeded, InvalidRequest, WorkerLost
from service.front.models.batching import Batcher
from service.front.models.statistics import Statistics


def test_who_waits_too_long_or_leaves_is_dropped():
    """A request over its time, or without its caller, is never called, and makes room for others."""

    async def story():
        model, batcher, running = await busy()
        leaving = asyncio.create_task(batcher.submit("a", rows(2), 10))
        with pytest.raises(DeadlineExceeded, match="not computed in time: 2 rows wait"):
            await batcher.submit("b", rows(3), 0.02)
        leaving.cancel()
        await asyncio.sleep(0)
        assert repr(batcher) == "<Batcher in 1 calls, 0 rows queued in 0 lanes>"
        model.gate.set()
        await running
        await batcher.close()
        return [x.tolist() for _, x in model.calls]

    assert asyncio.run(story()) == [[0]]


def test_a_lost_worker_costs_only_its_batch():
    """A batch that lost its worker is not tried again; what waits behind it is called."""

    async def story():
        calls = []

        async def call(_, inputs, __):
            calls.append(inputs["x"].tolist())
            await asyncio.sleep(0.01)
            if len(calls) == 1:
                raise WorkerLost("gone")
            return {"y": inputs["x"]}, SPANS

        batcher = Batcher(call, LIMITS, Statistics())
        tasks = [asyncio.create_task(batcher.submit("a", rows(1), 10)) for _ in range(2)]
        await asyncio.sleep(0.001)
        tasks += [asyncio.create_task(batcher.submit("a", rows(2), 10))]
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        return calls, answers

    calls, answers = asyncio.run(story())
    assert calls == [[1, 1], [2]]
    assert isinstance(answers[0], WorkerLost)
    assert isinstance(answers[1], WorkerLost)
    assert answers[2]["y"].tolist() == [2]


def test_after_a_batch_that_failed_only_those_are_called_who_still_wait():
    """Not who left meanwhile, and not whose time is over: that one is told."""

    async def story():
        model, batcher, first = await busy()
        guilty, leaving, patient = (asyncio.create_task(batcher.submit("a", rows(n), 10)) for n in (-1, 1, 2))
        late = asyncio.create_task(batcher.submit("a", rows(3), 0.2))
        await asyncio.sleep(0.01)
        model.gate.set()
        await first
        model.gate.clear()
        await asyncio.sleep(0.01)
        leaving.cancel()
        await asyncio.sleep(0.3)
        model.gate.set()
        answers = await asyncio.gather(guilty, patient, late, return_exceptions=True)
        return answers, [x.tolist() for _, x in model.calls]

    (guilty, patient, late), calls = asyncio.run(story())
    assert calls == [[0], [-1, 1, 2, 3], [-1], [2]]
    assert isinstance(guilty, InvalidRequest)
    assert isinstance(late, DeadlineExceeded)
    assert patient["y"].tolist() == [4]


def test_a_call_knows_how_long_it_is_waited_for():
    """Until the last of its requests would give up."""

    async def story():
        deadlines = []

        async def call(_, inputs, deadline):
            deadlines.append(deadline - asyncio.get_running_loop().time())
            await asyncio.sleep(0.01)
            return {"y": inputs["x"]}, SPANS

        batcher = Batcher(call, LIMITS, Statistics())
        await asyncio.gather(*(batcher.submit("a", rows(1), timeout_s) for timeout_s in (100, 300, 200)))
        return deadlines

    [together] = asyncio.run(story())
    assert 299 < together <= 300


def test_outputs_without_the_rows_of_the_inputs_are_asked_again_one_by_one():
    """A model that does not keep its rows answers each request as if it were alone."""

    async def story():
        async def call(_, inputs, __):
            await asyncio.sleep(0.01)
            return {"y": np.unique(inputs["x"])}, SPANS

        batcher = Batcher(call, LIMITS, Statistics())
        answers = await asyncio.gather(*(batcher.submit("a", rows(1, 1, n), 10) for n in (1, 2)))
        return [answer["y"].tolist() for answer in answers]

    assert asyncio.run(story()) == [[1], [1, 2]]


def test_an_unseen_error_is_not_reported_by_the_event_loop():
    """An error of a part whose caller has left leaves no trace on the event loop."""
    reports = []

    async def story():
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reports.append(context))
        batcher = Batcher(Squares(), LIMITS, Statistics())
        with pytest.raises(InvalidRequest):
            await batcher.submit("a", rows(*[-1] * 20), 10)
        await batcher.close()
        gc.collect()

    asyncio.run(story())
    assert not reports
