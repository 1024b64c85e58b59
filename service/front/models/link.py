"""Link: the front's end of the socket to a worker."""

from __future__ import annotations

import asyncio

from service.engine import channel
from service.engine.channel import Message
from service.errors import WorkerLost


class Link(asyncio.Protocol):
    """Collects frames, and hands each to whoever waits for it: one question at a time.

    The mutable state is what has come of the next frame, and who waits for it.

    Args:
        loop: the front's.
        max_bytes: of a frame; a worker that sends more is none of ours, and let go.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, max_bytes: int) -> None:
        self._loop = loop
        self._max_bytes = max_bytes
        self._received = bytearray()
        # the first message comes unasked, and may come before anybody waits for it: how the loading went
        self.report: asyncio.Future[Message] = loop.create_future()
        self._answer = self.report
        self._transport: asyncio.Transport | None = None
        self.closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        self._transport = transport  # type: ignore[assignment]  # a stream transport: the socket is one

    def data_received(self, data: bytes) -> None:
        """Add to the frame; a whole one is an answer."""
        self._received += data
        received = self._received
        if len(received) < channel.PREFIX.size:
            return
        frame_bytes = channel.frame_bytes(received)
        if frame_bytes > self._max_bytes and self._transport:
            self._transport.abort()
        if len(received) < frame_bytes:
            return
        self._received = bytearray()  # arrays go on looking into the old one
        if not self._answer.done():
            self._answer.set_result(channel.decode(received))

    def connection_lost(self, _exc: Exception | None) -> None:
        """The worker is gone: whoever waits for an answer gets none."""
        self.closed.set()
        if not self._answer.done():
            self._answer.set_exception(_worker_lost())

    def ask(self, request: Message) -> asyncio.Future[Message]:
        """Send a request; the future is its answer, or WorkerLost."""
        self._answer = self._loop.create_future()
        if self.closed.is_set():
            self._answer.set_exception(_worker_lost())
        elif self._transport:
            self._transport.writelines(channel.encode(request))
        return self._answer

    def close(self) -> None:
        """Close this end; a worker that still runs notices, and ends."""
        if self._transport:
            self._transport.close()


def _worker_lost() -> WorkerLost:
    return WorkerLost("the worker process of this model died with the request in its hands: try again")
