"""What our server does with four times the load its model can carry.

The model is slow on purpose: a circuit of 14 wires, row by row, so that its capacity is at most a tenth of what the
front can refuse. Both are measured here, in a closed loop. Then an open loop sends four times the capacity.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import numpy as np

from benchmarks.serving.contenders import US
from benchmarks.serving.models import reference
from benchmarks.serving.openloop import Sent, run_open_loop
from benchmarks.serving.process import Running, free_port
from benchmarks.serving.served import Served
from benchmarks.serving.wrk import run_wrk

MODEL = "q14"
QUEUE_ROWS = 64
TIMES = 4  # the capacity

_REQUESTS = 512  # different ones
_CAPACITY_CONNECTIONS = 16  # the model always has work, and the queue room
_REFUSAL_CONNECTIONS = 256  # the queue is always full, and the front has somebody to refuse
_PAUSE_S = 2
_MS = 1e3


def overload(seconds: int) -> dict[str, Any]:
    """Measure capacity, refusals, and what happens in an open loop.

    Args:
        seconds: of each of the three loads.

    Returns:
        The three, as rates in requests a second and times in milliseconds: see `summarize`.
    """
    known, port = reference(MODEL), free_port()
    flags = ["--batch-max-rows", "1", "--queue-max-rows", str(QUEUE_ROWS)]
    with Running("overload", [*US.argv(known.folder, port), *flags], port, US.ready) as running:
        return _measure(Served(US, running, MODEL, known), seconds)


def _measure(served: Served, seconds: int) -> dict[str, Any]:
    requests = [served.request("json", row[None]) for row in served.known.rows[:_REQUESTS]]
    path, port = served.path("json"), served.running.port
    url = f"http://127.0.0.1:{port}{path}"
    run_wrk(url, requests, 1, 1)
    capacity = run_wrk(url, requests, _CAPACITY_CONNECTIONS, seconds).answers_per_s
    flood = run_wrk(url, requests, _REFUSAL_CONNECTIONS, seconds)
    time.sleep(_PAUSE_S)  # until the queue of the flood is empty
    sent = run_open_loop(port, path, requests, TIMES * capacity, seconds)
    rates = {"capacity_per_s": capacity, "refusal_rate_per_s": flood.refusals_per_s}
    return {**rates, **summarize(sent, capacity, seconds)}


def summarize(sent: Sequence[Sent], capacity: float, seconds: float) -> dict[str, Any]:
    """What became of the requests of an open loop.

    Args:
        sent: all of them.
        capacity: of the model, in requests a second.
        seconds: how long they were sent.

    Returns:
        Shares, rates in requests a second, and times in milliseconds; the bound is what the last row of a full
        queue has to wait: the queue, and the row that is being computed.
    """
    latencies = np.array([request.latency_s for request in sent]) * _MS
    statuses = np.array([request.status for request in sent])
    lateness = np.array([request.late_s for request in sent]) * _MS
    accepted = latencies[statuses == HTTPStatus.OK]
    refused = latencies[statuses == HTTPStatus.TOO_MANY_REQUESTS]
    span_s = max(seconds, _last_answer_s(sent))
    return {
        "offered_per_s": len(sent) / seconds,
        "goodput_per_s": len(accepted) / span_s,
        "refused": len(refused),
        "others": len(sent) - len(accepted) - len(refused),
        "refusal_p50_ms": _percentile(refused, 50),
        "refusal_p99_ms": _percentile(refused, 99),
        "accepted_p50_ms": _percentile(accepted, 50),
        "accepted_p99_ms": _percentile(accepted, 99),
        "bound_ms": (QUEUE_ROWS + 1) / capacity * _MS,
        "late_p99_ms": _percentile(lateness, 99),
    }


def _last_answer_s(sent: Sequence[Sent]) -> float:
    return max((request.due_s + request.latency_s for request in sent if request.status == HTTPStatus.OK), default=0.0)


def _percentile(numbers: np.ndarray, percent: float) -> float | None:
    return float(np.percentile(numbers, percent)) if len(numbers) else None
