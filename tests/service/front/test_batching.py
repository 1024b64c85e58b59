"""The Batcher, with functions in place of models: who waits for whom, who shares a call, and who fails."""

import asyncio
import gc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.errors import DeadlineExceeded, InvalidRequest, QueueFull, TooLarge, WorkerLost
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


def rows(*numbers, dtype=np.int64, width=None):
    """Rows for a request: scalars, or vectors of a width."""
    array = np.array(numbers, dtype)
    return {"x": array if width is None else np.repeat(array[:, None], width, 1)}


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
        model = Squares()
        model.gate.clear()
        batcher = Batcher(model, LIMITS, Statistics())
        tasks = [asyncio.create_task(batcher.submit("a", rows(0), 10))]
        await asyncio.sleep(0.01)
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
        model = Squares()
        model.gate.clear()
        batcher = Batcher(model, LIMITS, Statistics())
        tasks = [asyncio.create_task(batcher.submit("a", rows(0), 10))]
        await asyncio.sleep(0.01)
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
        model = Squares()
        model.gate.clear()
        batcher = Batcher(model, BatchLimits(batch_max_rows=1, queue_max_rows=3, request_max_rows=5), Statistics())
        first = asyncio.create_task(batcher.submit("a", rows(1), 10))
        await asyncio.sleep(0.01)
        waiting = asyncio.create_task(batcher.submit("a", rows(1, 2), 10))
        await asyncio.sleep(0.01)
        with pytest.raises(QueueFull, match="2 rows wait already, of at most 3"):
            await batcher.submit("a", rows(1, 2), 10)
        with pytest.raises(TooLarge, match="6 rows in one request: at most 5"):
            await batcher.submit("a", rows(*range(6)), 10)
        model.gate.set()
        await asyncio.gather(first, waiting)

    asyncio.run(story())


def test_who_waits_too_long_or_leaves_is_dropped():
    """A request over its time, or without its caller, is never called, and makes room for others."""

    async def story():
        model = Squares()
        model.gate.clear()
        batcher = Batcher(model, LIMITS, Statistics())
        running = asyncio.create_task(batcher.submit("a", rows(1), 10))
        await asyncio.sleep(0.01)
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

    assert asyncio.run(story()) == [[1]]


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
        model = Squares()
        model.gate.clear()
        batcher = Batcher(model, LIMITS, Statistics())
        first = asyncio.create_task(batcher.submit("a", rows(0), 10))
        await asyncio.sleep(0.01)
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
