"""Traces: a span for each request, sent to an OpenTelemetry collector; needs the extra `otel`."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from service.front.http.exchange import Exchange
from service.settings import BadSettings

_TRACES_PATH = "/v1/traces"
_CONTEXT_HEADERS = {b"traceparent", b"tracestate"}
_ERROR_STATUS = 500


class Traces:
    """Spans on their way to a collector, in batches and from a thread of their own.

    Args:
        endpoint: URL of the collector, OTLP over HTTP, such as http://collector:4318.

    Raises:
        BadSettings: OpenTelemetry is not installed.
    """

    def __init__(self, endpoint: str) -> None:
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 -- extra
            from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
            from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
            from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
            from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415
        except ImportError as exc:
            raise BadSettings(f"otlp_endpoint: needs OpenTelemetry: pip install 'qlayer[otel]' ({exc})") from exc
        full = endpoint if urlsplit(endpoint).path.strip("/") else endpoint.rstrip("/") + _TRACES_PATH
        self._provider = TracerProvider(resource=Resource.create({"service.name": "qlayer-service"}))
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(full)))
        self._tracer = self._provider.get_tracer("service")
        self._propagator = TraceContextTextMapPropagator()

    def observe(self, exchange: Exchange) -> None:
        """An observer: the span of a request that is over, below the caller's own span if it named one."""
        from opentelemetry.trace import SpanKind, StatusCode  # noqa: PLC0415 -- loaded already; an extra

        end = time.time_ns()
        scope = exchange.scope
        carrier = {
            name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in _CONTEXT_HEADERS
        }
        span = self._tracer.start_span(
            f"{scope['method']} {scope['path'].rpartition(':')[2] if exchange.model else scope['path'][:100]}",
            context=self._propagator.extract(carrier),
            kind=SpanKind.SERVER,
            attributes={name: value for name, value in _attributes(exchange).items() if value is not None},
            start_time=end - round((time.perf_counter() - exchange.started) * 1e9),
        )
        if exchange.status >= _ERROR_STATUS:
            span.set_status(StatusCode.ERROR)
        span.end(end)

    def close(self) -> None:
        """Send what is left, and end."""
        self._provider.shutdown()


def _attributes(exchange: Exchange) -> dict[str, str | int | float | None]:
    scope = exchange.scope
    return {
        "http.request.method": scope["method"],
        "http.response.status_code": exchange.status,
        "url.path": exchange.sent_path,
        "request.id": exchange.id,
        "model.name": exchange.model,
        "model.version": exchange.version,
        "queue.duration": _seconds(exchange.queue_ns),
        "compute.duration": _seconds(exchange.infer_ns),
        "caller.id": exchange.caller,
    }


def _seconds(ns: int | None) -> float | None:
    return None if ns is None else ns / 1e9
