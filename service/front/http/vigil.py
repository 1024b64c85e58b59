"""Vigil: watches over requests that take long, at no cost for those that do not."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from service.errors import BodyTimeout, DeadlineExceeded
from service.front.http.asgi import Receive
from service.front.http.bodies import ClientLeft

_TICK_S = 0.2  # so much late is soon enough for a deadline of seconds, and for a client that left


class Vigil:
    """Ends requests whose body does not come, whose client leaves or does not wait any longer.

    One timer looks at all requests now and then; only those that it finds with their body read get a watcher of
    their own. The mutable state is the requests that are being handled, and the timer while there are any.

    Args:
        body_timeout_s: how long a request's body may take.
    """

    def __init__(self, body_timeout_s: float) -> None:
        self.body_timeout_s = body_timeout_s
        self.loop: asyncio.AbstractEventLoop | None = None
        self._watched: dict[Watched, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def over(self, receive: Receive) -> Watched:
        """Watch over the block that handles a request; see Watched."""
        self.loop = self.loop or asyncio.get_running_loop()
        return Watched(self, receive, time.monotonic())

    def add(self, watched: Watched) -> None:
        """Begin to look at a request."""
        self._watched[watched] = None
        self._timer = self._timer or asyncio.get_running_loop().call_later(_TICK_S, self._look)

    def remove(self, watched: Watched) -> None:
        """Stop to look at a request."""
        del self._watched[watched]

    def _look(self) -> None:
        now = time.monotonic()
        for watched in self._watched:
            watched.look(now)
        self._timer = asyncio.get_running_loop().call_later(_TICK_S, self._look) if self._watched else None


@dataclass(eq=False, slots=True)
class Watched:
    """A request that is being handled: a block that is cancelled when there is no more reason to go on.

    Leaving the block raises BodyTimeout if the body was not there in time, ClientLeft if the client closed the
    connection, DeadlineExceeded if it was not over in time. The CancelledError inside of it has that as its argument.
    """

    vigil: Vigil
    receive: Receive
    started: float
    has_body: bool = False
    reason: Exception | None = None
    task: asyncio.Task[Any] | None = None
    watcher: asyncio.Task[None] | None = None
    end: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self.task = asyncio.current_task(self.vigil.loop)
        self.vigil.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.vigil.remove(self)
        if self.watcher:
            self.watcher.cancel()
        if self.end:
            self.end.cancel()
        if self.reason and kind is asyncio.CancelledError and self.task:
            self.task.uncancel()
            raise self.reason from None

    def end_after(self, timeout_s: float) -> None:
        """Give the request up if it is not over so long after it began: to be called once, where its client says so."""
        late = DeadlineExceeded(f"not answered within the {round(timeout_s * 1000)} ms that the request gave")
        left_s = self.started + timeout_s - time.monotonic()
        self.end = asyncio.get_running_loop().call_later(max(0.0, left_s), self._give_up, late)

    def look(self, now: float) -> None:
        """Give the request up, or a watcher of its own, if it is time to."""
        if not self.has_body:
            if now - self.started > self.vigil.body_timeout_s:
                self._give_up(BodyTimeout(f"the body did not arrive within {self.vigil.body_timeout_s:g} s"))
        elif self.watcher is None:
            self.watcher = asyncio.get_running_loop().create_task(self._wait_for_the_end())

    async def _wait_for_the_end(self) -> None:
        """Behind a body there is only one thing left to receive: that the client left."""
        message = await self.receive()
        if message["type"] == "http.disconnect":
            self._give_up(ClientLeft())

    def _give_up(self, reason: Exception) -> None:
        if self.task and not self.reason:
            self.reason = reason
            self.task.cancel(reason)
