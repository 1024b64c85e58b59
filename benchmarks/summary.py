"""Statistics of measured times: medians, and how many times faster."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any


def summarize(rounds: Sequence[Sequence[float]]) -> dict[str, Any]:
    """What is kept of the times of one contestant at one point.

    Args:
        rounds: for each of its turns, the seconds of its calls.

    Returns:
        The median of all calls, the median of each turn, the shortest call and the number of calls.
    """
    seconds = [second for turn in rounds for second in turn]
    return {
        "median_s": median(seconds),
        "turns_s": [median(turn) for turn in rounds],
        "shortest_s": min(seconds),
        "calls": len(seconds),
    }


def best_rival(results: Mapping[str, Mapping[str, Any]], rivals: Iterable[str], value: str) -> str | None:
    """Who of the rivals has the smallest value; None if none has any."""
    measured = [name for name in rivals if value in results.get(name, {})]
    return min(measured, key=lambda name: results[name][value], default=None)


def ratio(results: Mapping[str, Mapping[str, Any]], us: str, rivals: Iterable[str], value: str) -> float | None:
    """The best rival's value divided by ours: how many times better we are; None if either is missing."""
    best = best_rival(results, rivals, value)
    if best is None or value not in results.get(us, {}):
        return None
    return float(results[best][value] / results[us][value])


def geometric_mean(ratios: Iterable[float | None]) -> float | None:
    """Of those that are known; None if none is."""
    logarithms = [math.log(ratio) for ratio in ratios if ratio is not None]
    return math.exp(sum(logarithms) / len(logarithms)) if logarithms else None
