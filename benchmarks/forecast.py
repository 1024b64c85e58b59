"""What need not be tried: points that are sure to take too long, as smaller ones of the same contestant show."""

from __future__ import annotations

from benchmarks.task import Task

_CERTAIN_S = 0.1  # calls from here on are work, not overhead: they grow with the state
_RUNNING = ("exported", "training", "gradient")  # questions whose calls run the circuit


class Forecast:
    """Remembers what one contestant needed, and failed at. State: both, by `remember` and `fail`.

    Args:
        limit_s: the longest call that is worth waiting for.
        hopeless_ratio: how many times as long as the fastest rival is too long to try larger points.
    """

    def __init__(self, limit_s: float, hopeless_ratio: float) -> None:
        self._limit_s = limit_s
        self._hopeless_ratio = hopeless_ratio
        self._seconds: dict[Task, float] = {}
        self._ratios: dict[Task, float] = {}
        self._failures: dict[Task, str] = {}

    def remember(self, task: Task, seconds: float, ratio: float) -> None:
        """A call of the task took so long, and so many times as long as that of the fastest rival."""
        self._seconds[task] = seconds
        self._ratios[task] = ratio

    def fail(self, task: Task, reason: str) -> None:
        """The task did not work out."""
        self._failures[task] = reason

    def objection(self, task: Task) -> str | None:
        """Why the task should not be tried; None if it may be."""
        for smaller, reason in self._failures.items():
            if _is_within(smaller, task):
                return f"failed at {smaller.label}: {reason}"
        for smaller, ratio in self._ratios.items():
            if ratio > self._hopeless_ratio and _is_within(smaller, task):
                return f"it took {ratio:.0f} times as long as the fastest rival at {smaller.label}"
        expected = max((_scaled(known, task, s) for known, s in self._seconds.items()), default=0.0)
        if expected > self._limit_s:
            return f"a call would take {expected:.0f} s, more than the limit of {self._limit_s:.0f} s"
        return None


def _scaled(known: Task, task: Task, seconds: float) -> float:
    """The time of a task after that of a smaller one; 0 where nothing can be said."""
    if task.question not in _RUNNING or seconds < _CERTAIN_S or not _is_within(known, task):
        return 0.0
    return seconds * 2.0 ** (task.wires - known.wires) * task.batch / known.batch * task.layers / known.layers


def _is_within(known: Task, task: Task) -> bool:
    return (known.question, known.circuit) == (task.question, task.circuit) and (
        known.wires <= task.wires and known.layers <= task.layers and known.batch <= task.batch
    )
