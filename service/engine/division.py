"""Division: a batch that takes long is computed in parts at the same time, one for each core.

One part each is the best use of cores: 1,024 rows on ten wires take 10.3 ms on one core, 6.3 where TensorFlow divides
each operation among two. Batches that are quick stay whole: they would wait for a second core longer than they compute.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cached_property
from typing import Any

import numpy as np

from service.engine.specs import Arrays

Outputs = dict[str, np.ndarray[Any, Any]]
Call = Callable[[Arrays], Outputs]
"""From inputs by name to outputs by name."""

_LONG_NS = 2_000_000  # forty times what a second thread costs before it begins (some 50 us, see calls.py)
_LOOKS = 3  # calls of a size that must all be long: one may be the first of the graph, one may have waited for a core
_PART_MIN_ROWS = 16  # chosen, not measured: what an operation costs for no rows is paid once for each part


class Division:
    """A call whose batches are divided where that pays.

    The mutable state is how many whole batches of each size there were, to a power of two, and how long the shortest
    took; and whether the outputs turned out to have no rows after all.

    Args:
        call: from inputs by name to outputs by name, all with the batch first; may run several times at once.
        threads: parts of a batch, at most.
        clock: the time in ns.
    """

    def __init__(self, call: Call, threads: int, clock: Callable[[], int] = time.perf_counter_ns) -> None:
        self._call = call
        self._threads = threads
        self._clock = clock
        self._is_divisible = True
        self._whole: dict[int, tuple[int, float]] = {}

    def __call__(self, arrays: Arrays) -> Outputs:
        """The outputs for inputs."""
        rows = _common_rows(arrays)
        if self._is_long(rows):
            return self._in_parts(arrays, rows)
        start_ns = self._clock()
        outputs = self._call(arrays)
        self._remember(rows, self._clock() - start_ns)
        return outputs

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._threads - 1)

    def _is_long(self, rows: int) -> bool:
        if not self._is_divisible or rows < 2 * _PART_MIN_ROWS:
            return False
        calls, shortest_ns = self._seen(rows)
        return calls >= _LOOKS and shortest_ns > _LONG_NS

    def _seen(self, rows: int) -> tuple[int, float]:
        return self._whole.get(rows.bit_length(), (0, math.inf))

    def _remember(self, rows: int, ns: int) -> None:
        calls, shortest_ns = self._seen(rows)
        self._whole[rows.bit_length()] = calls + 1, min(shortest_ns, ns)

    def _in_parts(self, arrays: Arrays, rows: int) -> Outputs:
        """The outputs of the parts, joined; whole after all, from now on, where they turn out not to have the rows."""
        parts = self._parts(arrays, rows)
        outputs = self._computed(parts)
        if all(map(_has_rows_of, outputs, parts)):
            return {name: np.concatenate([part[name] for part in outputs]) for name in outputs[0]}
        self._is_divisible = False
        return self._call(arrays)

    def _computed(self, parts: list[Arrays]) -> list[Outputs]:
        """The outputs of all parts; returns when none of them runs any more, also if one fails."""
        others = [self._pool.submit(self._call, part) for part in parts[1:]]
        try:
            first = self._call(parts[0])
        finally:
            wait(others)
        return [first, *(other.result() for other in others)]

    def _parts(self, arrays: Arrays, rows: int) -> list[Arrays]:
        count = min(self._threads, rows // _PART_MIN_ROWS)
        bounds = [rows * number // count for number in range(count + 1)]
        return [{name: array[start:end] for name, array in arrays.items()} for start, end in itertools.pairwise(bounds)]


def _common_rows(arrays: Arrays) -> int:
    """The number of rows; 0 where the inputs do not share one."""
    counts = {len(array) if array.ndim else 0 for array in arrays.values()}
    return counts.pop() if len(counts) == 1 else 0


def _has_rows_of(outputs: Outputs, inputs: Arrays) -> bool:
    rows = _common_rows(inputs)
    return all(array.ndim and len(array) == rows for array in outputs.values())
