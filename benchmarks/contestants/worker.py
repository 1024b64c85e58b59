"""A contestant's side of the conversation with the driver: one JSON object a line, a request and its reply.

    {"do": "prepare", "task": {...}}                            -> {"first_call_s": 1.2} or {"refused": "why"}
    {"do": "measure", "at_least": 5, "budget_s": 0.5, ...}      -> {"seconds": [0.001, ...]}
    {"do": "outputs"}                                           -> {"arrays": [{"shape": [32, 4], "values": [...]}]}
    {"do": "memory"}                                            -> {"before_bytes": 1, "peak_bytes": 2}
    {"do": "release"}                                           -> {}
    {"do": "versions"}                                          -> {"versions": {"numpy": "2.1"}}

A failure is a reply as well: {"error": "..."}.
"""

from __future__ import annotations

import gc
import importlib.metadata
import json
import os
import platform
import resource
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TextIO

import numpy as np

from benchmarks.kinds import Arrays, make_arrays
from benchmarks.task import Task

VALUES_MAX = 2048  # of each array of outputs, spread evenly, travel to the driver

Call = Callable[[], Sequence[Any]]  # runs once, to the end, and returns what can become NumPy arrays


class RefusedError(Exception):
    """The contestant cannot do this by its nature; the text says why."""


class Contestant(Protocol):
    """What a contestant's file has to offer."""

    packages: tuple[str, ...]  # whose versions are told

    def prepare(self, task: Task, arrays: Arrays) -> Call:
        """Build what the task needs.

        Args:
            task: what one call has to do.
            arrays: its inputs and weights.

        Returns:
            A function that does it once.

        Raises:
            RefusedError: if this contestant cannot.
        """


class Worker:
    """Answers the driver's requests, one at a time. State: the call of the task prepared last.

    Args:
        contestant: whose numbers and times are asked for.
    """

    def __init__(self, contestant: Contestant) -> None:
        self._contestant = contestant
        self._call: Call = tuple
        self._before_bytes = _peak_bytes()

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The reply to one request; a failure is a reply too."""
        arguments = {name: value for name, value in request.items() if name != "do"}
        try:
            return getattr(self, f"do_{request['do']}")(**arguments)
        except RefusedError as refusal:
            return {"refused": str(refusal)}
        except Exception as error:  # noqa: BLE001 - a rival may fail in any way; the driver writes it down
            traceback.print_exc()
            return {"error": f"{type(error).__name__}: {_told(str(error))}"[:400]}

    def do_prepare(self, task: dict[str, Any]) -> dict[str, Any]:
        """Build the task and call it once; the time of both together."""
        self.do_release()
        known = Task.from_json(task)
        arrays = make_arrays(known)
        start = time.perf_counter()
        self._call = self._contestant.prepare(known, arrays)
        self._call()
        return {"first_call_s": time.perf_counter() - start}

    def do_measure(self, at_least: int, budget_s: float, limit_s: float) -> dict[str, Any]:
        """Time calls, behind an untimed one: `at_least` of them and for `budget_s`, but no longer than `limit_s`."""
        start = time.perf_counter()
        self._call()
        seconds: list[float] = []
        while not seconds or _goes_on(len(seconds), at_least, time.perf_counter() - start, budget_s, limit_s):
            before = time.perf_counter()
            self._call()
            seconds.append(time.perf_counter() - before)
        return {"seconds": seconds}

    def do_outputs(self) -> dict[str, Any]:
        """The numbers of one call."""
        return {"arrays": [_digest(np.asarray(array)) for array in self._call()]}

    def do_memory(self) -> dict[str, Any]:
        """The most memory this process ever held: before its first task, and until now."""
        return {"before_bytes": self._before_bytes, "peak_bytes": _peak_bytes()}

    def do_release(self) -> dict[str, Any]:
        """Forget the task."""
        self._call = tuple
        gc.collect()
        return {}

    def do_versions(self) -> dict[str, Any]:
        """The versions of what is measured."""
        packages = {name: importlib.metadata.version(name) for name in self._contestant.packages}
        return {"versions": {"python": platform.python_version(), **packages}}


def _goes_on(count: int, at_least: int, elapsed_s: float, budget_s: float, limit_s: float) -> bool:
    return elapsed_s < limit_s and (count < at_least or elapsed_s < budget_s)


def _digest(array: np.ndarray) -> dict[str, Any]:
    """The shape, and up to VALUES_MAX numbers from all over the array."""
    flat = array.reshape(-1)
    places = np.unique(np.linspace(0, flat.size - 1, min(flat.size, VALUES_MAX)).astype(np.int64))
    return {"shape": array.shape, "values": flat[places].astype(float).tolist()}


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in KiB


def serve(contestant: Contestant, requests: TextIO, replies: TextIO) -> None:
    """Answer until the requests end."""
    worker = Worker(contestant)
    for line in requests:
        replies.write(json.dumps(worker.answer(json.loads(line))) + "\n")
        replies.flush()


def limit_memory(environment: Mapping[str, str] = os.environ) -> None:
    """Let allocations beyond BENCHMARK_MEMORY_BYTES fail in this process, before the machine runs out of memory."""
    limit = int(environment.get("BENCHMARK_MEMORY_BYTES", "0")) or resource.RLIM_INFINITY
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _told(text: str) -> str:
    """What an error says, without the places in files that some libraries tell between."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("    ")]
    return " ".join(lines) or text.strip()


def main(make: Callable[[], Contestant]) -> None:
    """Serve the driver on standard input and output; what libraries print goes to standard error."""
    limit_memory()
    with os.fdopen(os.dup(sys.stdout.fileno()), "w") as replies:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        serve(make(), sys.stdin, replies)
