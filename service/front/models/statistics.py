"""Statistics: what one version was asked, how long it took, and how its batches were filled.

Plain counters, changed by the batcher and by the endpoints in the front's one thread; the Open Inference Protocol's
statistics and Prometheus' metrics are two views of them.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from types import TracebackType

from service.errors import ServiceError
from service.front.http.bodies import ClientLeft

LATENCY_BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
BATCH_BOUNDS_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
EXAMPLES_BOUNDS = tuple(2**power for power in range(15))  # TensorFlow Serving's own

Outcome = tuple[int, str]
"""HTTP status and code of a request that failed."""


@dataclass
class Duration:
    """How often something happened, and how long it took in all."""

    count: int = 0
    ns: int = 0

    def add(self, ns: int, count: int = 1) -> None:
        """It happened again."""
        self.count += count
        self.ns += ns


class Histogram:
    """How often a value was at most each bound.

    Args:
        bounds: ascending; one more bucket takes what is above them.
    """

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


@dataclass
class CallTimes:
    """The three parts of calls: into the worker, in the model, and back out."""

    compute_input: Duration = field(default_factory=Duration)
    compute_infer: Duration = field(default_factory=Duration)
    compute_output: Duration = field(default_factory=Duration)

    def add(self, call: Spans, count: int = 1) -> None:
        """Count a call, once or once for each request in it."""
        self.compute_input.add(call.input_ns, count)
        self.compute_infer.add(call.infer_ns, count)
        self.compute_output.add(call.output_ns, count)


@dataclass(frozen=True)
class Spans:
    """How long the parts of one call took: the way to the model, the model, and the way back."""

    input_ns: int
    infer_ns: int
    output_ns: int


class Request:
    """One request that is being handled; see Statistics.request."""

    __slots__ = ("_start_ns", "_statistics")

    def __init__(self, statistics: Statistics) -> None:
        self._statistics = statistics
        self._start_ns = time.perf_counter_ns()

    def __enter__(self) -> None:
        """Its time runs since it was made."""

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        ns = time.perf_counter_ns() - self._start_ns
        statistics = self._statistics
        if exc is None:
            statistics.success.add(ns)
            statistics.latency_s.add(ns / 1e9)
            return
        exc = _reason(exc)
        statistics.fail.add(ns)
        statistics.failures[_outcome(exc)] += 1
        if isinstance(exc, ServiceError):
            exc.is_counted = True


@dataclass
class Statistics:
    """The counters of one version.

    Args:
        success: requests that were answered, and how long that took.
        failures: requests that were not, by the status and code of their error.
        fail: the same together, with how long they took.
        queue: how long requests waited before their first row was computed.
        calls: the parts of the calls that requests were in, counted once for each request.
        batches: the parts of the calls, by their number of rows, counted once for each call.
        rows: computed in all.
        executions: calls of the model.
        latency_s: of requests that were answered.
        queue_s: how long the parts of requests waited.
        compute_s: how long the model computed in each call.
        load: loads of the model that succeeded.
        load_failures: loads that did not.
        batch_rows: rows of the calls.
        examples: of the requests to classify and regress that were answered.
        last_inference_ms: Unix time of the last call; 0 before the first.
    """

    success: Duration = field(default_factory=Duration)
    failures: Counter[Outcome] = field(default_factory=Counter)
    fail: Duration = field(default_factory=Duration)
    queue: Duration = field(default_factory=Duration)
    calls: CallTimes = field(default_factory=CallTimes)
    batches: defaultdict[int, CallTimes] = field(default_factory=lambda: defaultdict(CallTimes))
    rows: int = 0
    executions: int = 0
    latency_s: Histogram = field(default_factory=lambda: Histogram(LATENCY_BOUNDS_S))
    queue_s: Histogram = field(default_factory=lambda: Histogram(LATENCY_BOUNDS_S))
    compute_s: Histogram = field(default_factory=lambda: Histogram(LATENCY_BOUNDS_S))
    load: Duration = field(default_factory=Duration)
    load_failures: int = 0
    batch_rows: Histogram = field(default_factory=lambda: Histogram(BATCH_BOUNDS_ROWS))
    examples: Histogram = field(default_factory=lambda: Histogram(EXAMPLES_BOUNDS))
    last_inference_ms: int = 0

    def request(self) -> Request:
        """A block that handles one request; how it ends and how long it takes is counted."""
        return Request(self)

    def waited(self, ns: int, *, is_first: bool) -> None:
        """A part of a request waited so long before its call; the first part stands for the request."""
        if is_first:
            self.queue.add(ns)
        self.queue_s.add(ns / 1e9)

    def called(self, rows: int, requests: int, spans: Spans) -> None:
        """A call of the model has come back with its outputs; it was the first for so many requests."""
        self.rows += rows
        self.executions += 1
        self.batch_rows.add(rows)
        self.compute_s.add(spans.infer_ns / 1e9)
        self.calls.add(spans, requests)
        self.batches[rows].add(spans)
        self.last_inference_ms = time.time_ns() // 1_000_000


def _reason(exc: BaseException) -> BaseException:
    """Why a request failed: of one that was cancelled, the error that it was cancelled for, if any (see Vigil)."""
    is_told = isinstance(exc, asyncio.CancelledError) and exc.args and isinstance(exc.args[0], ServiceError)
    return exc.args[0] if is_told else exc


def _outcome(exc: BaseException) -> Outcome:
    """What an error is answered with; a request that is cancelled has nobody left to be answered."""
    if isinstance(exc, ServiceError):
        return exc.status, exc.code
    if isinstance(exc, asyncio.CancelledError):
        return ClientLeft.status, ClientLeft.code
    return ServiceError.status, ServiceError.code
