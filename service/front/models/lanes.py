"""Lanes: the parts of requests that wait for a call, those that can share one in a lane of their own."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from service.engine.specs import Arrays

Lane = tuple[object, ...]
"""What the parts that can share a call have in common."""

Rank = tuple[int, int]
"""Priority and order of arrival: the lower, the earlier."""


@dataclass(eq=False, slots=True)
class Part:
    """Some rows of one request, few enough for one call, waiting for their outputs; its times are known behind it."""

    signature: str
    inputs: Arrays
    rows: int
    lane: Lane
    rank: Rank
    deadline: float
    since_ns: int
    outputs: asyncio.Future[Arrays]
    is_first: bool = False
    is_waiting: bool = True
    queue_ns: int = 0
    infer_ns: int = 0


class Lanes:
    """The parts that wait, in each lane those that rank first in front.

    The mutable state is the lanes, none of them empty, and the number of rows in them. Nothing here waits for anything.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._lanes: dict[Lane, deque[Part]] = {}

    def __len__(self) -> int:
        return len(self._lanes)

    @property
    def parts(self) -> list[Part]:
        """All that wait, in no order."""
        return [part for lane in self._lanes.values() for part in lane]

    def put(self, parts: list[Part]) -> None:
        """Let the parts of one request wait behind those of their lane that rank before them: mostly at the end."""
        waiting = self._lanes.setdefault(parts[0].lane, deque())
        behind: list[Part] = []
        while waiting and waiting[-1].rank > parts[0].rank:
            behind.append(waiting.pop())
        waiting.extend(parts)
        waiting.extend(reversed(behind))
        self.rows += sum(part.rows for part in parts)

    def take(self, max_rows: int) -> list[Part]:
        """The next batch: from the lane whose first part ranks first, as many parts as fit together; at least one.

        Args:
            max_rows: of the batch.

        Returns:
            Parts that wait no more; none where none waited.
        """
        lane = min(self._lanes, key=lambda lane: self._lanes[lane][0].rank, default=None)
        if lane is None:
            return []
        waiting = self._lanes[lane]
        batch: list[Part] = []
        rows = 0
        while waiting and (not batch or rows + waiting[0].rows <= max_rows):
            part = waiting.popleft()
            self._leave(part)
            batch.append(part)
            rows += part.rows
        return batch

    def remove(self, part: Part) -> None:
        """Let a part wait no more, if it does."""
        if part.is_waiting:
            self._lanes[part.lane].remove(part)
            self._leave(part)

    def _leave(self, part: Part) -> None:
        """A part that was taken out of its lane waits no more."""
        part.is_waiting = False
        self.rows -= part.rows
        if not self._lanes[part.lane]:
            del self._lanes[part.lane]


def lane_of(signature: str, inputs: Arrays) -> Lane:
    """The lane of inputs that are rows: the same signature, dtypes, and shapes of one row."""
    return (signature, *((name, array.dtype.str, array.shape[1:]) for name, array in sorted(inputs.items())))
