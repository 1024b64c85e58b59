"""The Batcher, with functions in place of models: who waits for whom, and who shares a call."""

import asyncio

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from squares import LIMITS, Squares, busy, rows

from service.errors import InvalidRequest, QueueFull, TooLarge
from service.front.models.batching import Batcher, BatchLimits
from service.front.models.statistics import Statistics


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(-1, 50), min_size=1, max_size=20),
            st.sampled_from(["a", "b"]),
            st.sampled_from([None, 2, 3]),
            st.integers(1, 3),
            st.integers(0, 3),
            st.booleans(),
        ),
        min_size=1,
        max_size=25,
    ),
    st.integers(1, 3),
)
def test_every_caller_gets_what_a_call_alone_would_give(requests, calls_max):
    """Whatever comes in whatever order: own rows, own errors, never more rows in a call than allowed, never mixed."""

    async def ask(batcher, numbers, signature, width, priority, pause, is_leaving):
        for _ in range(pause):
            await asyncio.sleep(0)
        asked = batcher.submit(signature, rows(*numbers, width=width), 10, priority=priority)
        if is_leaving:
            asked = asyncio.wait_for(asked, 1e-9)
        return (await asked)["y"]

    async def ask_all():
        model = Squares(calls_max)
        statistics = Statistics()
        batcher = Batcher(model, LIMITS, statistics, calls_max)
        answers = await asyncio.gather(*(ask(batcher, *request) for request in requests), return_exceptions=True)
        await batcher.close()
        assert repr(batcher) == "<Batcher in 0 calls, 0 rows queued in 0 lanes>"
        return model, statistics, answers

    model, statistics, answers = asyncio.run(ask_all())
    for (numbers, _, width, _, _, is_leaving), answer in zip(requests, answers, strict=True):
        if isinstance(answer, TimeoutError):
            assert is_leaving
        elif min(numbers) < 0:
            assert isinstance(answer, InvalidRequest)
        else:
            np.testing.assert_array_equal(answer, rows(*numbers, width=width)["x"] ** 2)
    assert all(len(x) <= LIMITS.batch_max_rows for _, x in model.calls)
    good = [len(x) for _, x in model.calls if (x >= 0).all()]
    assert (statistics.executions, statistics.rows) == (len(good), sum(good))


def test_a_lone_request_is_called_at_once():
    """Nothing waits for company: the call happens within two turns of the event loop."""

    async def story():
        model = Squares()
        waiting = asyncio.create_task(Batcher(model, LIMITS, Statistics()).submit("a", rows(3), 10))
        for _ in range(3):
            await asyncio.sleep(0)
        assert len(model.calls) == 1
        return (await waiting)["y"].tolist()

    assert asyncio.run(story()) == [9]


def test_what_waits_goes_together_and_a_large_request_is_split():
    """While a call runs, requests queue; the next calls take as many of their rows as fit, in order."""

    async def story():
        model, batcher, *tasks = await busy()
        tasks += [asyncio.create_task(batcher.submit("a", rows(*range(n)), 10)) for n in (3, 4, 20)]
        await asyncio.sleep(0.01)
        model.gate.set()
        answers = await asyncio.gather(*tasks)
        return [len(x) for _, x in model.calls], [answer["y"].tolist() for answer in answers]

    sizes, answers = asyncio.run(story())
    assert sizes == [1, 7, 8, 8, 4]
    assert answers == [[n * n for n in range(size)] for size in (1, 3, 4, 20)]


def test_the_urgent_go_first_and_the_rest_in_order():
    """Of what waits in any lane, the lowest priority is called first; of one priority, who came first."""

    async def story():
        model, batcher, *tasks = await busy()
        for number, (signature, priority) in enumerate([("a", 3), ("a", 2), ("b", 2), ("a", 1), ("b", 1)], 1):
            full = rows(*[number] * LIMITS.batch_max_rows)
            tasks.append(asyncio.create_task(batcher.submit(signature, full, 10, priority=priority)))
        await asyncio.sleep(0.01)
        model.gate.set()
        await asyncio.gather(*tasks)
        return [int(x[0]) for _, x in model.calls]

    assert asyncio.run(story()) == [0, 4, 5, 2, 3, 1]


def test_as_many_calls_at_once_as_there_are_workers():
    """With two workers two calls run, and what waits goes to whichever is free first."""

    async def story():
        model = Squares(calls_max=2)
        model.gate.clear()
        batcher = Batcher(model, LIMITS, Statistics(), 2)
        tasks = []
        for number in range(4):
            tasks.append(asyncio.create_task(batcher.submit("a", rows(number), 10)))
            await asyncio.sleep(0.01)
        running = model.running
        model.gate.set()
        await asyncio.gather(*tasks)
        return running, [x.tolist() for _, x in model.calls]

    assert asyncio.run(story()) == (2, [[0], [1], [2, 3]])


def test_inputs_without_rows_are_called_alone():
    """What has no rows shares no call and is not split."""

    async def story():
        model = Squares()
        batcher = Batcher(model, LIMITS, Statistics())
        same = [batcher.submit("a", rows(*range(12)), 10, has_rows=False) for _ in range(3)]
        await asyncio.gather(*same)
        return [len(x) for _, x in model.calls]

    assert asyncio.run(story()) == [12, 12, 12]


def test_a_full_queue_refuses_at_the_door():
    """More rows than may wait are refused at once; more than a request may have always."""

    async def story():
        limits = BatchLimits(batch_max_rows=1, queue_max_rows=3, request_max_rows=5)
        model, batcher, first = await busy(limits)
        waiting = asyncio.create_task(batcher.submit("a", rows(1, 2), 10))
        await asyncio.sleep(0.01)
        with pytest.raises(QueueFull, match="2 rows wait already, of at most 3"):
            await batcher.submit("a", rows(1, 2), 10)
        with pytest.raises(TooLarge, match="6 rows in one request: at most 5"):
            await batcher.submit("a", rows(*range(6)), 10)
        model.gate.set()
        await asyncio.gather(first, waiting)

    asyncio.run(story())


def test_a_request_is_counted_once():
    """However many calls its rows went into, and however often."""

    async def story():
        statistics = Statistics()
        batcher = Batcher(Squares(), LIMITS, statistics)
        await batcher.submit("a", rows(*range(20)), 10)
        asked = [batcher.submit("a", rows(n), 10) for n in (1, -1, 2)]
        await asyncio.gather(batcher.submit("a", rows(0), 10), *asked, return_exceptions=True)
        return statistics

    statistics = asyncio.run(story())
    assert (statistics.queue.count, statistics.calls.compute_infer.count) == (5, 4)
