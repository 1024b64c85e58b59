"""Contestants in turns: prepared and checked against each other at a point, then measured alternately."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Any, Self

from benchmarks.agreement import disagreement
from benchmarks.child import Child, ChildError
from benchmarks.contenders import CONTENDERS
from benchmarks.effort import Effort
from benchmarks.forecast import Forecast
from benchmarks.summary import summarize
from benchmarks.task import Task

Results = dict[str, dict[str, Any]]  # from a contestant to what was measured of it, or why nothing was

_OUTPUTS_LIMIT_S = 120
_WARM_UP = Task("training", "a", 2, 3, 1)  # a process's first compilation pays for its libraries' start


class Race:
    """The contestants of a question. State: their processes, and what was learnt of each for the next points.

    Args:
        names: rows of `contenders.CONTENDERS`, ours first.
        effort: how long to measure and to wait.
        deadline_s: time of `time.monotonic` after which no contestant is tried any more.
    """

    def __init__(self, names: Sequence[str], effort: Effort, deadline_s: float) -> None:
        self._effort = effort
        self._deadline_s = deadline_s
        self._children = [Child(CONTENDERS[name]) for name in names]
        self._forecasts = {name: Forecast(effort.call_limit_s, effort.hopeless_ratio) for name in names}
        self._stack = ExitStack()
        self.versions: dict[str, dict[str, str]] = {}

    def __enter__(self) -> Self:
        for child in self._children:
            self._stack.enter_context(child)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def run(self, task: Task, mode: str) -> Results:
        """Measure all contestants at one point.

        Args:
            task: the point.
            mode: a row of `MODES`.

        Returns:
            For each contestant {"first_call_s": ..., and what the mode measures}, or {"skipped": "why"}.
        """
        results: Results = {}
        ready = [child for child in self._children if self._is_ready(child, task, mode, results)]
        MODES[mode](self, task, ready, results)
        for child in ready:
            self._try(child, task, results, partial(child.ask, "release", timeout_s=_OUTPUTS_LIMIT_S))
        return results

    def _is_ready(self, child: Child, task: Task, mode: str, results: Results) -> bool:
        """Prepare a contestant, and check its numbers against those of the first one."""
        name = child.contender.name
        objection = self._forecasts[name].objection(task)
        if time.monotonic() > self._deadline_s:
            objection = "not reached within the time of this run"
        if objection:
            results[name] = {"skipped": objection}
            return False
        self._try(child, task, results, lambda: self._prepare(child, task, mode, results))
        return "skipped" not in results[name]

    def _prepare(self, child: Child, task: Task, mode: str, results: Results) -> None:
        name = child.contender.name
        self._start(child, mode)
        reply = child.ask("prepare", task=task.to_json(), timeout_s=self._effort.prepare_limit_s)
        results[name] = {"skipped": reply["refused"]} if "refused" in reply else reply
        if child.contender.is_rival and "refused" not in reply and mode != "memory":
            self._check(child, results)

    def _start(self, child: Child, mode: str) -> None:
        """Start the process, where it does not run or a new one is asked for, and ask what it is."""
        name = child.contender.name
        if mode == "memory":
            child.stop()
        if name not in self.versions:
            reply = child.ask("versions", timeout_s=self._effort.prepare_limit_s)
            self.versions[name] = reply["versions"]
            if mode == "first call":
                child.ask("prepare", task=_WARM_UP.to_json(), timeout_s=self._effort.prepare_limit_s)

    def _check(self, child: Child, results: Results) -> None:
        us = self._children[0]
        if "first_call_s" not in results[us.contender.name]:
            return
        ours, theirs = (c.ask("outputs", timeout_s=_OUTPUTS_LIMIT_S)["arrays"] for c in (us, child))
        difference = disagreement(ours, theirs)
        if difference:
            raise ChildError(f"not timed, as its numbers are wrong: {difference}")

    def _try(self, child: Child, task: Task, results: Results, action: Callable[[], Any]) -> Any:
        """Do something with a child; its failure becomes its result."""
        try:
            return action()
        except ChildError as error:
            self._forecasts[child.contender.name].fail(task, str(error))
            results[child.contender.name] = {"skipped": str(error)}
            return None

    def calls(self, task: Task, ready: list[Child], results: Results) -> None:
        """Time calls, in turns."""
        turns = self._turns(task, ready, results, self._turn)
        for name, seconds in turns.items():
            results[name] |= summarize(seconds)
        fastest = min((results[name]["median_s"] for name in turns if CONTENDERS[name].is_rival), default=math.inf)
        for name in turns:
            median_s = results[name]["median_s"]
            ratio = median_s / fastest if CONTENDERS[name].is_rival else 0.0
            self._forecasts[name].remember(task, median_s, ratio)

    def first_calls(self, task: Task, ready: list[Child], results: Results) -> None:
        """Build anew and call once, in turns; those that take very long once only."""
        first = {child.contender.name: [results[child.contender.name]["first_call_s"]] for child in ready}
        quick = [child for child in ready if first[child.contender.name][0] <= self._effort.repeat_limit_s]
        again = self._turns(task, quick, results, self._first_call)
        for name, seconds in first.items():
            results[name] |= summarize([seconds, *again.get(name, [])])
            results[name]["first_call_s"] = results[name]["median_s"]

    def memory(self, task: Task, ready: list[Child], results: Results) -> None:
        """The most memory that one call took, of a process that did nothing else. One process after the other."""
        for child in ready:
            memory = self._try(child, task, results, partial(child.ask, "memory", timeout_s=_OUTPUTS_LIMIT_S))
            results[child.contender.name] |= memory or {}
            child.stop()

    def _turns(
        self, task: Task, ready: list[Child], results: Results, turn: Callable[[Child, Task], list[float]]
    ) -> dict[str, list[list[float]]]:
        """Each contestant's turns; those that fail on the way are left out."""
        turns: dict[str, list[list[float]]] = {child.contender.name: [] for child in ready}
        for _ in range(self._effort.rounds):
            for child in ready:
                name = child.contender.name
                seconds = name in turns and self._try(child, task, results, partial(turn, child, task))
                if seconds:
                    turns[name].append(seconds)
                else:
                    turns.pop(name, None)
        return turns

    def _turn(self, child: Child, _task: Task) -> list[float]:
        effort = self._effort
        limits = {"at_least": effort.turn_calls, "budget_s": effort.turn_s, "limit_s": effort.turn_limit_s}
        reply = child.ask("measure", **limits, timeout_s=3 * effort.prepare_limit_s)
        return list(reply["seconds"])

    def _first_call(self, child: Child, task: Task) -> list[float]:
        reply = child.ask("prepare", task=task.to_json(), timeout_s=self._effort.prepare_limit_s)
        return [reply["first_call_s"]]


MODES: dict[str, Callable[[Race, Task, list[Child], Results], None]] = {
    "calls": Race.calls,
    "first call": Race.first_calls,
    "memory": Race.memory,
}
