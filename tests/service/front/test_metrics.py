"""Prometheus' metrics, scraped from a real server whose every request is known."""

import shutil

import httpx
import processes
import pytest
from prometheus_client.parser import text_string_to_metric_families

ROW = [0, 0, 0, 1]
AFFINE = {"model": "affine", "version": "1"}


@pytest.fixture(scope="module")
def scraped(savedmodels, tmp_path_factory):
    """The metrics after four good requests of 1 to 4 rows, two of examples, and bad ones.

    These are: two that are wrong, one for nobody, and one with a key in its URL.
    """
    folder = tmp_path_factory.mktemp("measured")
    for name in ("affine", "scoring"):
        shutil.copytree(savedmodels / name, folder / name)
    with processes.Server(folder) as server:
        server.wait_until("/readyz")
        for rows in range(1, 5):
            ask(server, "affine", {"instances": [ROW] * rows})
        ask(server, "affine", {"instances": [[1, 2]]})
        ask(server, "nobody", {"instances": [[1, 2]]})
        for verb, thetas in [("classify", [0.1, 0.2, 0.3]), ("regress", [0.1]), ("regress", [])]:
            body = {"signature_name": verb, "examples": [{"theta": theta} for theta in thetas]}
            httpx.post(f"{server.url}/v1/models/scoring:{verb}", json=body)
        httpx.get(server.url + "/v1/models?key=1")
        answer = httpx.get(server.url + "/metrics")
        assert httpx.get(server.url + "/monitoring/prometheus/metrics").status_code == 200
    return answer


def ask(server, model, body):
    """A prediction."""
    return httpx.post(f"{server.url}/v1/models/{model}:predict", json=body)


def value(scraped, sample, **labels):
    """The one sample of a name that has these labels among its own."""
    families = text_string_to_metric_families(scraped.text)
    samples = [item for family in families for item in family.samples if item.name == sample]
    [found] = [item.value for item in samples if labels.items() <= item.labels.items()]
    return found


@pytest.mark.parametrize(
    ("sample", "labels", "expected"),
    [
        ("qlayer_requests_total", {**AFFINE, "status": "200", "code": "ok"}, 4),
        ("qlayer_requests_total", {**AFFINE, "status": "400", "code": "invalid_shape"}, 1),
        ("qlayer_requests_total", {"model": "unknown", "status": "404", "code": "model_not_found"}, 1),
        ("qlayer_requests_total", {"model": "unknown", "status": "400", "code": "key_in_url"}, 1),
        ("qlayer_rows_total", AFFINE, 1 + 2 + 3 + 4),
        ("qlayer_executions_total", AFFINE, 4),
        ("qlayer_queue_rows", AFFINE, 0),
        ("qlayer_queue_requests", AFFINE, 0),
        ("qlayer_loads_total", AFFINE, 1),
        ("qlayer_load_failures_total", AFFINE, 0),
        ("qlayer_available", AFFINE, 1),
        ("qlayer_workers", AFFINE, 1),
        ("qlayer_batch_rows_bucket", {**AFFINE, "le": "2"}, 2),
        ("qlayer_batch_rows_bucket", {**AFFINE, "le": "+Inf"}, 4),
        ("qlayer_batch_rows_sum", AFFINE, 10),
        ("qlayer_request_duration_seconds_count", AFFINE, 4),
        ("qlayer_queue_duration_seconds_count", AFFINE, 4),
        ("qlayer_compute_duration_seconds_count", AFFINE, 4),
        (":tensorflow:serving:request_count", {"model_name": "affine", "status": "OK"}, 4),
        (":tensorflow:serving:request_count", {"model_name": "affine", "status": "INVALID_ARGUMENT"}, 1),
        (":tensorflow:serving:runtime_latency_count", {"model_name": "affine", "API": "Predict", "runtime": "TF1"}, 4),
        (":tensorflow:serving:batching_session:wrapped_run_count", {}, 4 + 2),
        (":tensorflow:serving:request_example_count_total", {"model": "affine"}, 0),
        (":tensorflow:serving:request_example_count_total", {"model": "scoring"}, 3 + 1),
        (":tensorflow:serving:request_example_counts_bucket", {"model": "scoring", "le": "1"}, 1),
        (":tensorflow:serving:request_example_counts_count", {"model": "scoring"}, 2),
        (":tensorflow:serving:request_latency_count", {"model_name": "affine", "entrypoint": "REST"}, 4),
        ("nv_inference_request_success", AFFINE, 4),
        ("nv_inference_request_failure", {**AFFINE, "reason": "OTHER"}, 1),
        ("nv_inference_count", AFFINE, 10),
        ("nv_inference_exec_count", AFFINE, 4),
        ("nv_inference_pending_request_count", AFFINE, 0),
    ],
)
def test_what_is_counted(scraped, sample, labels, expected):
    """Each number is the one that the requests make, under our name and under those of other servers."""
    assert value(scraped, sample, **labels) == expected


@pytest.mark.parametrize(
    ("sample", "least", "most"),
    [
        ("qlayer_worker_resident_memory_bytes", 50e6, 2e9),
        ("qlayer_request_duration_seconds_sum", 1e-4, 60),
        ("nv_inference_compute_infer_duration_us", 1, 60e6),
        ("nv_model_load_duration_secs", 0.01, 120),
    ],
)
def test_what_is_measured(scraped, sample, least, most):
    """Times and memory are of a possible size, in the unit of their name."""
    assert least <= value(scraped, sample, **AFFINE) <= most


def test_the_parts_of_a_request_are_less_than_the_whole(scraped):
    """Queue and compute together take no longer than the requests they are parts of."""
    parts = ("queue", "compute_input", "compute_infer", "compute_output")
    times = [value(scraped, f"nv_inference_{part}_duration_us", **AFFINE) for part in parts]
    assert 0 < sum(times) <= value(scraped, "nv_inference_request_duration_us", **AFFINE)


def test_the_text_is_prometheus(scraped):
    """The media type is that of the text format, and the server's own memory is in it."""
    assert scraped.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert value(scraped, "process_resident_memory_bytes") > 1e6


def test_many_unknown_names_make_no_more_series(server, client):
    """The number of series does not depend on what is asked for."""
    ask(server, "nobody", {"instances": [ROW]})
    before = client.get("/metrics").text.count("\n")
    for number in range(50):
        ask(server, f"nobody{number}", {"instances": [ROW]})
    assert client.get("/metrics").text.count("\n") == before
