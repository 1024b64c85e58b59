"""Traces, sent for real to a collector that listens."""

import http.server
import threading

import httpx
import processes
import pytest

trace_service = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")


@pytest.fixture
def collector():
    """A collector: its URL, and the requests that it got."""
    got = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append((self.path, trace_service.ExportTraceServiceRequest.FromString(body)))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}", got
        server.shutdown()


def test_each_request_is_a_span_below_the_callers(savedmodels, tmp_path, collector):
    """At the latest when the server ends, the collector has a span with model, version and status, and its parent."""
    (tmp_path / "affine").symlink_to(savedmodels / "affine")
    url, got = collector
    with processes.Server(tmp_path, "--otlp-endpoint", url) as server:
        server.wait_until("/readyz")
        parent = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "X-Request-ID": "mine"}
        path = f"{server.url}/v1/models/affine:predict"
        assert httpx.post(path, json={"instances": [[0, 0, 0, 0]]}, headers=parent).status_code == 200
    assert server.process.returncode == 0
    spans = [
        span for _, request in got for resource in request.resource_spans for scope in resource.scope_spans
        for span in scope.spans
    ]  # fmt: skip
    [span] = [span for span in spans if span.name == "POST predict"]
    assert {path for path, _ in got} == {"/v1/traces"}
    assert span.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
    assert span.parent_span_id.hex() == "b7ad6b7169203331"
    assert span.end_time_unix_nano > span.start_time_unix_nano
    values = {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}
    times = [values.pop(name) for name in ("queue.duration", "compute.duration")]
    assert 0 < sum(times) < (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9
    assert values == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "url.path": "/v1/models/affine:predict",
        "request.id": "mine",
        "model.name": "affine",
        "model.version": 1,
        "caller.id": "anonymous",
    }
