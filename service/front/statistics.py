"""Statistics: what one version was asked, how long it took, and how its batches were filled.

Plain counters, changed by the batcher and by `Version.predict` in the front's one thread; the Open Inference Protocol's
statistics and Prometheus' metrics are two views of them.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass, field

LATENCY_BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
BATCH_BOUNDS_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)


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
    """How long the parts of one call took; input includes the way to the worker and back."""

    input_ns: int
    infer_ns: int
    output_ns: int


@dataclass
class Statistics:
    """The counters of one version.

    Args:
        success: requests that were answered, and how long they took from their arrival at the version.
        failures: requests that were not, by the code of their error.
        fail: the same together, with how long they took.
        queue: how long requests waited before their first row was computed.
        calls: the parts of the calls that requests were in, counted once for each request.
        batches: the parts of the calls, by their number of rows, counted once for each call.
        rows: computed in all.
        executions: calls of the model.
        latency_s: of requests that were answered.
        batch_rows: rows of the calls.
        last_inference_ms: Unix time of the last call; 0 before the first.
    """

    success: Duration = field(default_factory=Duration)
    failures: Counter[str] = field(default_factory=Counter)
    fail: Duration = field(default_factory=Duration)
    queue: Duration = field(default_factory=Duration)
    calls: CallTimes = field(default_factory=CallTimes)
    batches: defaultdict[int, CallTimes] = field(default_factory=lambda: defaultdict(CallTimes))
    rows: int = 0
    executions: int = 0
    latency_s: Histogram = field(default_factory=lambda: Histogram(LATENCY_BOUNDS_S))
    queue_s: Histogram = field(default_factory=lambda: Histogram(LATENCY_BOUNDS_S))
    batch_rows: Histogram = field(default_factory=lambda: Histogram(BATCH_BOUNDS_ROWS))
    last_inference_ms: int = 0

    def answered(self, ns: int) -> None:
        """A request was answered after so long."""
        self.success.add(ns)
        self.latency_s.add(ns / 1e9)

    def failed(self, code: str, ns: int) -> None:
        """A request failed after so long."""
        self.failures[code] += 1
        self.fail.add(ns)

    def waited(self, ns: int) -> None:
        """A part of a request waited so long before its call."""
        self.queue.add(ns)
        self.queue_s.add(ns / 1e9)

    def called(self, rows: int, requests: int, spans: Spans) -> None:
        """A call of the model has come back with its outputs."""
        self.rows += rows
        self.executions += 1
        self.batch_rows.add(rows)
        self.calls.add(spans, requests)
        self.batches[rows].add(spans)
        self.last_inference_ms = time.time_ns() // 1_000_000
