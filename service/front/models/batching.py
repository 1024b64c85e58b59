"""Batcher: many callers await, one batched call answers them.

While a call runs, requests queue; when it is done, what waits and belongs together goes into the next call. A lone
request is called at once. Knows arrays and functions, nothing of models, processes or HTTP.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import numpy as np

from service.engine.specs import Arrays
from service.errors import DeadlineExceeded, InvalidRequest, QueueFull, TooLarge, Unavailable
from service.front.models.lanes import Lanes, Part, lane_of
from service.front.models.statistics import Spans, Statistics

Call = Callable[[str, Arrays, float], Awaitable[tuple[Arrays, Spans]]]

Told = Callable[[int, int], None]
"""Is told how long a request waited for its first row to be computed, and how long its calls computed: nanoseconds."""

DEFAULT_PRIORITY = 2
"""Of requests that ask for none: 1 goes before them, 3 and more behind them."""


@dataclass(frozen=True)
class BatchLimits:
    """How much may wait, and how much goes into one call.

    Args:
        batch_max_rows: rows in one call; a larger request is split.
        queue_max_rows: rows that may wait, of all requests together.
        request_max_rows: rows of one request.
    """

    batch_max_rows: int
    queue_max_rows: int
    request_max_rows: int


class Batcher:
    """Collects the rows of concurrent requests into calls of one function.

    The mutable state is the lanes of waiting parts, the number of requests so far, the tasks that empty the lanes while
    they run, and the timer of the earliest deadline. Parts are put in by `_enqueue` and taken out by `_run` and
    `_withdraw`, in steps that wait for nothing.

    Args:
        call: `await call(signature, inputs, deadline) -> outputs, spans`; the deadline, in the loop's time, is when
            nobody waits any more for it to begin.
        limits: how much may wait and go together.
        statistics: count what waits and what is called.
        calls_max: calls at the same time.
    """

    def __init__(self, call: Call, limits: BatchLimits, statistics: Statistics, calls_max: int = 1) -> None:
        self._call = call
        self._limits = limits
        self._statistics = statistics
        self._calls_max = calls_max
        self._lanes = Lanes()
        self._order = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._expiry: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def __repr__(self) -> str:
        return f"<Batcher in {len(self._tasks)} calls, {self._lanes.rows} rows queued in {len(self._lanes)} lanes>"

    @property
    def queued_rows(self) -> int:
        """Rows that wait."""
        return self._lanes.rows

    @property
    def queued_parts(self) -> int:
        """Requests that wait; one that was split counts as often as parts of it wait."""
        return len(self._lanes.parts)

    def check_room(self, rows: int = 1) -> None:
        """Refuse before anything is done for a request that would be refused anyway.

        Raises:
            QueueFull: so many rows more may not wait now.
        """
        if self._lanes.rows + rows > self._limits.queue_max_rows:
            raise QueueFull(
                f"{self._lanes.rows} rows wait already, of at most {self._limits.queue_max_rows}: try again"
            )

    async def submit(
        self,
        signature: str,
        inputs: Arrays,
        timeout_s: float,
        *,
        has_rows: bool = True,
        priority: int = DEFAULT_PRIORITY,
        tell: Told | None = None,
    ) -> Arrays:
        """Outputs for inputs, computed together with those of other callers.

        Args:
            signature: requests to different signatures never share a call.
            inputs: arrays by name, each of shape (rows, ...); the rest of the shapes and the dtypes may differ between
                requests.
            timeout_s: how long it may wait; what still waits then is dropped, what is being called is not.
            has_rows: False for inputs that are no rows: they are called alone and whole.
            priority: those with a lower one are called before it.
            tell: see Told; called when all is computed.

        Returns:
            Arrays by name, each of shape (rows, ...), in the order of the rows that came in.

        Raises:
            TooLarge: more rows than one request may have.
            QueueFull: no room for so many rows now.
            DeadlineExceeded: it waited too long.
            Exception: whatever `call` raised for these rows.
        """
        parts = self._enqueue(signature, inputs, timeout_s, has_rows, priority)
        try:
            outputs = [await part.outputs for part in parts]
        finally:
            self._withdraw(parts)
        if tell:
            tell(min(part.queue_ns for part in parts), sum(part.infer_ns for part in parts))
        if len(outputs) == 1:
            return outputs[0]
        if not all(_has_rows(output, part.rows) for output, part in zip(outputs, parts, strict=True)):
            raise InvalidRequest("the outputs do not have the rows of the inputs: ask for fewer rows at once")
        return _joined(outputs)

    async def close(self) -> None:
        """Wait for the calls that run; what waits behind them is still answered."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        """The loop it works in; Python 3.11 makes a system call each time it is asked for it."""
        self._loop = self._loop or asyncio.get_running_loop()
        return self._loop

    def _enqueue(self, signature: str, inputs: Arrays, timeout_s: float, has_rows: bool, priority: int) -> list[Part]:
        """Admit a request or refuse it at the door; admitted, its parts wait in their lane."""
        rows = _rows(inputs) if has_rows else 1
        limits = self._limits
        if rows > limits.request_max_rows:
            raise TooLarge(
                f"{rows} rows in one request: at most {limits.request_max_rows} are taken, send them in several"
            )
        if self._lanes.rows:
            self.check_room(rows)
        self._order += 1
        lane = lane_of(signature, inputs) if has_rows else (self._order,)
        slices = _slices(inputs, rows, limits.batch_max_rows) if has_rows else iter([(inputs, 1)])
        loop = self._running_loop()
        deadline = loop.time() + timeout_s
        now_ns = time.perf_counter_ns()
        rank = (priority, self._order)
        parts = [
            Part(signature, piece, count, lane, rank, deadline, now_ns, loop.create_future()) for piece, count in slices
        ]
        parts[0].is_first = True
        self._lanes.put(parts)
        if len(self._tasks) < self._calls_max:
            self._start()
        self._expire_at(deadline)
        return parts

    def _withdraw(self, parts: list[Part]) -> None:
        """Take out the parts that still wait: their caller is gone, or answered already by an error."""
        for part in parts:
            part.outputs.cancel()
            self._lanes.remove(part)

    def _expire_at(self, deadline: float) -> None:
        """One timer for all, at the earliest deadline: under load it is set once in a while, not for each request."""
        if self._expiry is not None:
            if self._expiry.when() <= deadline:
                return
            self._expiry.cancel()
        self._expiry = asyncio.get_running_loop().call_at(deadline, self._expire)

    def _expire(self) -> None:
        """Fail the parts that have waited too long, and look again at the next deadline."""
        self._expiry = None
        now = asyncio.get_running_loop().time()
        waiting = self._lanes.parts
        for part in waiting:
            if part.deadline <= now:
                _fail([part], DeadlineExceeded(f"not computed in time: {self._lanes.rows} rows wait"))
                self._withdraw([part])
        if left := [part.deadline for part in waiting if part.is_waiting]:
            self._expire_at(min(left))

    def _start(self) -> None:
        """One more task that empties the lanes."""
        task = self._running_loop().create_task(self._run())
        self._tasks.add(task)

    async def _run(self) -> None:
        """Call batch after batch until nothing waits."""
        try:
            while batch := self._lanes.take(self._limits.batch_max_rows):
                self._note_wait(batch)
                await self._execute(batch)
        finally:  # in the step that found nothing to take: who comes next starts another
            self._tasks.remove(asyncio.current_task())  # type: ignore[arg-type]  # it runs in one

    async def _execute(self, batch: list[Part]) -> None:
        """One call for a batch; if it fails, one for each of its parts, so that only the guilty fail."""
        try:
            outputs = await self._called(batch)
        except Exception as exc:  # noqa: BLE001 -- it belongs to the callers, who raise it
            if len(batch) == 1 or isinstance(exc, (Unavailable, DeadlineExceeded)):
                _fail(batch, exc)
                return
        else:
            _answer(batch, outputs)
            return
        for part in batch:
            if part.deadline <= self._running_loop().time():
                _fail([part], DeadlineExceeded("not computed in time: the call with other requests failed"))
            elif not part.outputs.done():  # its caller still waits
                await self._execute([part])

    def _note_wait(self, batch: list[Part]) -> None:
        """The parts wait no more."""
        now_ns = time.perf_counter_ns()
        for part in batch:
            part.queue_ns = now_ns - part.since_ns
            self._statistics.waited(part.queue_ns, is_first=part.is_first)

    async def _called(self, batch: list[Part]) -> Arrays:
        first = batch[0]
        inputs = first.inputs if len(batch) == 1 else _joined([part.inputs for part in batch])
        rows = sum(part.rows for part in batch)
        deadline = first.deadline if len(batch) == 1 else max(part.deadline for part in batch)
        outputs, spans = await self._call(first.signature, inputs, deadline)
        self._statistics.called(rows, sum(part.is_first for part in batch), spans)
        for part in batch:
            part.infer_ns = spans.infer_ns
        if len(batch) > 1 and not _has_rows(outputs, rows):
            raise InvalidRequest("the outputs do not have the rows of the inputs")  # each part is called alone then
        return outputs


def _has_rows(outputs: Arrays, rows: int) -> bool:
    return all(array.ndim and len(array) == rows for array in outputs.values())


def _rows(inputs: Arrays) -> int:
    return len(next(iter(inputs.values())))


def _slices(inputs: Arrays, rows: int, max_rows: int) -> Iterator[tuple[Arrays, int]]:
    """The inputs in pieces of at most `max_rows` rows, each with the number of its rows."""
    if rows <= max_rows:
        yield inputs, rows
        return
    for start in range(0, rows, max_rows):
        piece = {name: array[start : start + max_rows] for name, array in inputs.items()}
        yield piece, _rows(piece)


def _joined(parts: list[Arrays]) -> Arrays:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _answer(batch: list[Part], outputs: Arrays) -> None:
    """Give each part its rows of the outputs."""
    if len(batch) == 1:
        _resolve(batch[0], outputs)
        return
    start = 0
    for part in batch:
        _resolve(part, {name: array[start : start + part.rows] for name, array in outputs.items()})
        start += part.rows


def _resolve(part: Part, outputs: Arrays) -> None:
    if not part.outputs.done():
        part.outputs.set_result(outputs)


def _fail(batch: list[Part], exc: Exception) -> None:
    """Give each part the error; one whose caller is gone keeps nothing, so that nothing is reported as never seen."""
    for part in batch:
        if not part.outputs.done():
            part.outputs.set_exception(exc)
            part.outputs.exception()
