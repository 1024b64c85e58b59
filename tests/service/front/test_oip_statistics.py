"""The statistics of the Open Inference Protocol and Prometheus' metrics are two views of the same counters."""

import shutil
import signal
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import httpx
import processes
import pytest
from prometheus_client.parser import text_string_to_metric_families

GOOD, BAD, WRONG = [[1.0], [4.0, 9.0], [16.0] * 3], [-1.0], ["text"]
"""Rows that are answered, rows that the model refuses, and what is no row."""
TIMES_OF_NUMBERS = 1e-6
"""How far sums of times may lie apart, relatively: one is of integers, the other of floats."""


@pytest.fixture(scope="module")
def views(savedmodels, tmp_path_factory):
    """Statistics and metrics of a model that was asked by many at once, the second time wrongly too."""
    folder = tmp_path_factory.mktemp("views")
    shutil.copytree(savedmodels / "zoo", folder / "zoo")
    with processes.Server(folder) as server:
        server.wait_until("/readyz")
        statuses = [*asked_at_once(server, [*GOOD, *GOOD, WRONG]), *asked_at_once(server, [*GOOD, BAD, BAD])]
        assert sorted(statuses) == [200] * 9 + [400] * 3
        [statistics] = httpx.get(f"{server.url}/v2/models/zoo/stats").json()["model_stats"]
        return statistics, metrics(server)


def asked_at_once(server, requests):
    """The statuses of answers; what was read together with the first is computed with it, all others wait."""
    [worker] = processes.workers(server.process.pid)
    expected = admitted(server) + len(requests) - requests.count(WRONG)
    processes.send(worker, signal.SIGSTOP)
    with ThreadPoolExecutor(16) as pool:
        asked = [pool.submit(ask, server, rows) for rows in requests]
        processes.wait_for(lambda: admitted(server) == expected)
        processes.send(worker, signal.SIGCONT)
        return [one.result() for one in asked]


def ask(server, rows):
    """The status of an answer."""
    body = {"signature_name": "positive", "instances": rows}
    return httpx.post(f"{server.url}/v1/models/zoo:predict", json=body, timeout=60).status_code


def admitted(server):
    """How many requests wait or have left the queue."""
    scraped = metrics(server)
    return total(scraped["qlayer_queue_requests"]) + total(scraped["qlayer_queue_duration_seconds_count"])


def metrics(server):
    """All values by the names of their samples, and by their labels."""
    found = defaultdict(dict)
    for family in text_string_to_metric_families(httpx.get(f"{server.url}/metrics").text):
        for sample in family.samples:
            found[sample.name][tuple(sample.labels.items())] = sample.value
    return found


def total(values, **labels):
    """The sum of the values that have some labels."""
    return sum(value for key, value in values.items() if labels.items() <= dict(key).items())


def test_requests_agree(views):
    """Successes and failures are as many as were asked, under every name."""
    statistics, scraped = views
    spans = statistics["inference_stats"]
    requests = scraped["qlayer_requests_total"]
    assert spans["success"]["count"] == total(requests, model="zoo", status="200") == 9
    assert spans["fail"]["count"] == total(requests, model="zoo") - 9 == 3
    assert (
        total(scraped["nv_inference_request_success"])
        == total(scraped[":tensorflow:serving:request_count"], status="OK")
        == 9
    )
    assert total(scraped["nv_inference_request_failure"]) == 3


def test_rows_and_calls_agree(views):
    """Rows of calls, calls, and calls by their size are the same numbers; some requests shared one."""
    statistics, scraped = views
    rows, calls = statistics["inference_count"], statistics["execution_count"]
    sizes = statistics["batch_stats"]
    assert sum(size["batch_size"] * size["compute_infer"]["count"] for size in sizes) == rows
    assert sum(size["compute_infer"]["count"] for size in sizes) == calls
    assert statistics["inference_stats"]["compute_infer"]["count"] == 9 > calls
    for name in ("qlayer_rows_total", "nv_inference_count", "qlayer_batch_rows_sum"):
        assert total(scraped[name]) == rows == 3 * (1 + 2 + 3)
    theirs = (":tensorflow:serving:batching_session:wrapped_run_count", ":tensorflow:serving:runtime_latency_count")
    for name in ("qlayer_executions_total", "nv_inference_exec_count", "qlayer_batch_rows_count", *theirs):
        assert total(scraped[name]) == calls


@pytest.mark.parametrize(
    ("span", "name", "unit"),
    [
        ("success", "nv_inference_request_duration_us", 1e3),
        ("success", "qlayer_request_duration_seconds_sum", 1e9),
        ("success", ":tensorflow:serving:request_latency_sum", 1e3),
        ("queue", "nv_inference_queue_duration_us", 1e3),
        ("queue", "qlayer_queue_duration_seconds_sum", 1e9),
        ("queue", ":tensorflow:serving:batching_session:queuing_latency_sum", 1e3),
        ("compute_input", "nv_inference_compute_input_duration_us", 1e3),
        ("compute_infer", "nv_inference_compute_infer_duration_us", 1e3),
        ("compute_output", "nv_inference_compute_output_duration_us", 1e3),
    ],
)
def test_times_agree(views, span, name, unit):
    """Summed nanoseconds are the metric's sum in its unit."""
    statistics, scraped = views
    nanoseconds = statistics["inference_stats"][span]["ns"]
    assert nanoseconds > 0
    assert total(scraped[name]) * unit == pytest.approx(nanoseconds, rel=TIMES_OF_NUMBERS)


@pytest.mark.parametrize(
    ("name", "unit"), [("qlayer_compute_duration_seconds", 1e9), (":tensorflow:serving:runtime_latency", 1e3)]
)
def test_times_of_calls_agree(views, name, unit):
    """The model's time in each call, once for each call."""
    statistics, scraped = views
    nanoseconds = sum(size["compute_infer"]["ns"] for size in statistics["batch_stats"])
    assert total(scraped[f"{name}_sum"]) * unit == pytest.approx(nanoseconds, rel=TIMES_OF_NUMBERS)
