"""Metrics: the statistics of all versions as Prometheus reads them.

Nothing is counted here: a scrape reads the counters that the Open Inference Protocol's statistics are made of, so
the two agree. Each metric is a row of a table; beside our own there are those of TensorFlow Serving and Triton that
mean the same, so that their dashboards work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from service.front.codecs.canonical import canonical_name
from service.front.context import Context
from service.front.models.memory import resident_bytes
from service.front.models.statistics import Histogram, Statistics
from service.front.models.version import Version

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4

Counted = list[tuple[str, Statistics]]
"""The counters of versions, with their models' names: those that are gone too, for what is summed by model."""

_US = 1e6
_AS_THEIRS = "As TensorFlow Serving, in us"
_REASONS = {429: "REJECTED", 499: "CANCELED", 504: "REJECTED"}


@dataclass(frozen=True)
class Number:
    """A metric with one number for each version.

    Args:
        name: Prometheus'.
        kind: counter, gauge, or unknown for other servers' counters, whose names do not end as Prometheus wants it now.
        text: what it means.
        value: from a version to the number.
    """

    name: str
    kind: str
    text: str
    value: Callable[[Version], float]


@dataclass(frozen=True)
class Distribution:
    """A histogram for each version.

    Args:
        name: Prometheus'.
        text: what it means.
        histogram: which one of the statistics.
        scale: what its values are multiplied with.
    """

    name: str
    text: str
    histogram: Callable[[Statistics], Histogram]
    scale: float = 1.0


_NUMBERS = [
    Number("qlayer_rows", "counter", "Rows computed", lambda v: v.statistics.rows),
    Number("qlayer_executions", "counter", "Calls of the model, each with a batch", lambda v: v.statistics.executions),
    Number("qlayer_queue_rows", "gauge", "Rows that wait", lambda v: v.batcher.queued_rows),
    Number("qlayer_queue_requests", "gauge", "Requests that wait", lambda v: v.batcher.queued_parts),
    Number("qlayer_loads", "counter", "Workers that loaded the model", lambda v: v.statistics.load.count),
    Number("qlayer_load_failures", "counter", "Workers that did not", lambda v: v.statistics.load_failures),
    Number("qlayer_available", "gauge", "1 while the version is served", lambda v: v.state == "AVAILABLE"),
    Number("qlayer_workers", "gauge", "Worker processes", lambda v: len(v.worker_pids)),
    Number(
        "qlayer_worker_resident_memory_bytes",
        "gauge",
        "Memory of the worker processes",
        lambda v: sum(map(resident_bytes, v.worker_pids)),
    ),
    Number("nv_inference_request_success", "unknown", "As Triton", lambda v: v.statistics.success.count),
    Number("nv_inference_count", "unknown", "As Triton: rows", lambda v: v.statistics.rows),
    Number("nv_inference_exec_count", "unknown", "As Triton: calls", lambda v: v.statistics.executions),
    Number("nv_inference_pending_request_count", "gauge", "As Triton", lambda v: v.batcher.queued_parts),
    Number("nv_inference_request_duration_us", "unknown", "As Triton", lambda v: v.statistics.success.ns / 1e3),
    Number("nv_inference_queue_duration_us", "unknown", "As Triton", lambda v: v.statistics.queue.ns / 1e3),
    Number(
        "nv_inference_compute_input_duration_us",
        "unknown",
        "As Triton",
        lambda v: v.statistics.calls.compute_input.ns / 1e3,
    ),
    Number(
        "nv_inference_compute_infer_duration_us",
        "unknown",
        "As Triton",
        lambda v: v.statistics.calls.compute_infer.ns / 1e3,
    ),
    Number(
        "nv_inference_compute_output_duration_us",
        "unknown",
        "As Triton",
        lambda v: v.statistics.calls.compute_output.ns / 1e3,
    ),
    Number("nv_model_load_duration_secs", "gauge", "As Triton", lambda v: v.statistics.load.ns / 1e9),
]
_DISTRIBUTIONS = [
    Distribution("qlayer_request_duration_seconds", "Requests that were answered", lambda s: s.latency_s),
    Distribution("qlayer_queue_duration_seconds", "How long requests waited", lambda s: s.queue_s),
    Distribution("qlayer_compute_duration_seconds", "The model's own time in each call", lambda s: s.compute_s),
    Distribution("qlayer_batch_rows", "Rows of the calls", lambda s: s.batch_rows),
]
_TENSORFLOW_SERVING = [
    (
        Distribution(":tensorflow:serving:request_latency", _AS_THEIRS, lambda s: s.latency_s, _US),
        "model_name",
        {"API": "predict", "entrypoint": "REST"},
    ),
    (
        Distribution(":tensorflow:serving:runtime_latency", _AS_THEIRS, lambda s: s.compute_s, _US),
        "model_name",
        {"API": "Predict", "runtime": "TF1"},
    ),
    (
        Distribution(":tensorflow:serving:batching_session:queuing_latency", _AS_THEIRS, lambda s: s.queue_s, _US),
        "model_name",
        {"API": "predict", "entrypoint": "REST"},
    ),
    (
        Distribution(":tensorflow:serving:request_example_counts", "As TensorFlow Serving", lambda s: s.examples),
        "model",
        {},
    ),
]
"""Theirs, by model: the histogram, the name of the label for the model, and labels that are always the same."""


class Metrics:
    """What a scrape is answered with.

    Args:
        context: holds the registry, whose versions hold the counters.
    """

    def __init__(self, context: Context) -> None:
        labels = {} if context.front is None else {"front": str(context.front)}
        own = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=own)
        self._registry = CollectorRegistry()
        self._registry.register(_Labelled(_Versions(context), labels))
        self._registry.register(_Labelled(own, labels))

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)


class _Labelled(Collector):
    """What another collects, with labels more: a scrape reaches any of several fronts, and each counts for itself."""

    def __init__(self, collector: Collector | CollectorRegistry, labels: dict[str, str]) -> None:
        self._collector = collector
        self._labels = labels

    def collect(self) -> Iterator[Metric]:
        """The other's metrics."""
        for metric in self._collector.collect():
            metric.samples = [sample._replace(labels={**sample.labels, **self._labels}) for sample in metric.samples]
            yield metric


class _Versions(Collector):
    """Reads the counters of all versions when it is asked."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def collect(self) -> Iterator[Metric]:
        """The metrics of the tables, and those with labels of their own."""
        versions, counted = self._context.registry.listed(), self._context.registry.catalog.counted()
        for number in _NUMBERS:
            yield _number(number, versions)
        for distribution in _DISTRIBUTIONS:
            yield _distribution(distribution, ((_labels(version), version.statistics) for version in versions))
        for distribution, label, labels in _TENSORFLOW_SERVING:
            rows = (({label: model, **labels}, statistics) for model, statistics in counted)
            yield _distribution(distribution, rows)
        yield _example_count(counted)
        yield _run_count(counted)
        yield _requests(versions, self._context.refusals)
        yield _request_count(counted)
        yield _failures(versions)


def _number(number: Number, versions: list[Version]) -> Metric:
    metric = Metric(number.name, number.text, number.kind)
    name = f"{number.name}_total" if number.kind == "counter" else number.name
    for version in versions:
        metric.add_sample(name, _labels(version), float(number.value(version)))
    return metric


def _distribution(distribution: Distribution, rows: Iterable[tuple[dict[str, str], Statistics]]) -> Metric:
    """One histogram for each set of labels; those that share their labels are added."""
    metric = Metric(distribution.name, distribution.text, "histogram")
    joined: dict[tuple[tuple[str, str], ...], list[Histogram]] = {}
    for labels, statistics in rows:
        joined.setdefault(tuple(labels.items()), []).append(distribution.histogram(statistics))
    for key, histograms in joined.items():
        labels = dict(key)
        counts = [sum(counts) for counts in zip(*(histogram.counts for histogram in histograms), strict=True)]
        bounds = [*(f"{bound * distribution.scale:g}" for bound in histograms[0].bounds), "+Inf"]
        for bound, count in zip(bounds, accumulate(counts), strict=True):
            metric.add_sample(f"{distribution.name}_bucket", {**labels, "le": bound}, count)
        metric.add_sample(f"{distribution.name}_count", labels, sum(counts))
        total = sum(histogram.total for histogram in histograms) * distribution.scale
        metric.add_sample(f"{distribution.name}_sum", labels, total)
    return metric


def _requests(versions: list[Version], refusals: Mapping[tuple[int, str], int]) -> Metric:
    metric = Metric("qlayer_requests", "Requests by the status and code they were answered with", "counter")

    def add(labels: dict[str, str], status: int, code: str, count: int) -> None:
        metric.add_sample("qlayer_requests_total", {**labels, "status": str(status), "code": code}, count)

    for version in versions:
        add(_labels(version), 200, "ok", version.statistics.success.count)
        for (status, code), count in version.statistics.failures.items():
            add(_labels(version), status, code, count)
    for (status, code), count in refusals.items():
        add({"model": "unknown", "version": ""}, status, code, count)
    return metric


def _request_count(counted: Counted) -> Metric:
    """TensorFlow Serving's: by model, not by version, and with its own words for statuses."""
    name = ":tensorflow:serving:request_count"
    metric = Metric(name, "As TensorFlow Serving", "unknown")
    counts: Counter[tuple[str, str]] = Counter()
    for model, statistics in counted:
        counts[model, "OK"] += statistics.success.count
        for (status, _), count in statistics.failures.items():
            counts[model, canonical_name(status)] += count
    for (model, canonical), count in counts.items():
        metric.add_sample(name, {"model_name": model, "status": canonical}, count)
    return metric


def _example_count(counted: Counted) -> Metric:
    """TensorFlow Serving's: by model."""
    metric = Metric(":tensorflow:serving:request_example_count", "As TensorFlow Serving", "counter")
    counts: Counter[str] = Counter()
    for model, statistics in counted:
        counts[model] += round(statistics.examples.total)
    for model, count in counts.items():
        metric.add_sample(f"{metric.name}_total", {"model": model}, count)
    return metric


def _run_count(counted: Counted) -> Metric:
    """TensorFlow Serving's: calls of all models together."""
    metric = Metric(":tensorflow:serving:batching_session:wrapped_run_count", "As TensorFlow Serving", "unknown")
    metric.add_sample(metric.name, {}, sum(statistics.executions for _, statistics in counted))
    return metric


def _failures(versions: list[Version]) -> Metric:
    """Triton's: with its own words for reasons."""
    name = "nv_inference_request_failure"
    metric = Metric(name, "As Triton", "unknown")
    for version in versions:
        counts: Counter[str] = Counter()
        for (status, _), count in version.statistics.failures.items():
            counts[_REASONS.get(status, "BACKEND" if status >= 500 else "OTHER")] += count  # noqa: PLR2004 -- the server's own
        for reason in ("REJECTED", "CANCELED", "BACKEND", "OTHER"):
            metric.add_sample(name, {**_labels(version), "reason": reason}, counts[reason])
    return metric


def _labels(version: Version) -> dict[str, str]:
    return {"model": version.id.name, "version": str(version.id.number)}
