"""The statistics of a version as the Open Inference Protocol's extension by Triton has them."""

from __future__ import annotations

from typing import Any

from service.front.models.statistics import CallTimes, Duration, Statistics

_NEVER = {"count": 0, "ns": 0}


def model_statistics(name: str, version: int, statistics: Statistics) -> dict[str, Any]:
    """The counters of a version under Triton's names, every one of them; what there is no such thing as is 0."""
    return {
        "name": name,
        "version": str(version),
        "last_inference": statistics.last_inference_ms,
        "inference_count": statistics.rows,
        "execution_count": statistics.executions,
        "inference_stats": {
            "success": _duration(statistics.success),
            "fail": _duration(statistics.fail),
            "queue": _duration(statistics.queue),
            **_call_times(statistics.calls),
            "cache_hit": _NEVER,
            "cache_miss": _NEVER,
        },
        "response_stats": {},
        "batch_stats": [
            {"batch_size": rows, **_call_times(times)} for rows, times in sorted(statistics.batches.items())
        ],
        "memory_usage": [],
    }


def _duration(duration: Duration) -> dict[str, int]:
    return {"count": duration.count, "ns": duration.ns}


def _call_times(times: CallTimes) -> dict[str, dict[str, int]]:
    return {name: _duration(duration) for name, duration in vars(times).items()}
