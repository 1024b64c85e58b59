"""Whole replies: head and body in one write, where uvicorn makes two of them and wakes the client twice."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from service.front.http.asgi import Message
from service.front.http.outbox import Outbox

_WITHOUT_BODY = {204, 304}
_CLOSE = (b"connection", b"close")


class WholeReplies:
    """The `send` of one request: holds the head back until it sees whether the body comes in one piece.

    Args:
        cycle: uvicorn's, which sends everything that is not whole. Its own `send` is taken when this is made.
        outbox: takes the whole replies.
        loop: the connection's.
    """

    def __init__(self, cycle: RequestResponseCycle, outbox: Outbox, loop: asyncio.AbstractEventLoop) -> None:
        self._cycle = cycle
        self._outbox = outbox
        self._loop = loop
        self._send = cycle.send
        self._head: Message | None = None

    async def __call__(self, message: Message) -> None:
        """Send a message, as ASGI has it."""
        if message["type"] == "http.response.start" and self._head is None:
            self._head = message
            return
        head, self._head = self._head, None
        if head is not None:
            if self._is_whole(head, message):
                self._write(head, message["body"])
                return
            await self._send(head)  # type: ignore[arg-type]  # uvicorn's own types of messages
        await self._send(message)  # type: ignore[arg-type]

    def _is_whole(self, head: Message, message: Message) -> bool:
        cycle = self._cycle
        return not (
            message.get("more_body")
            or "body" not in message
            or cycle.disconnected
            or cycle.response_started
            or cycle.flow.write_paused
            or cycle.scope["method"] == "HEAD"
            or head["status"] in _WITHOUT_BODY
            or (b"content-length", str(len(message["body"])).encode()) not in head["headers"]
        )

    def _write(self, head: Message, body: bytes) -> None:
        cycle = self._cycle
        pieces = [STATUS_LINE[head["status"]]]
        headers = [*cycle.default_headers, *head["headers"]]
        if not cycle.keep_alive and _CLOSE not in headers:
            headers.append(_CLOSE)
        for name, value in headers:
            pieces += (name, b": ", value, b"\r\n")
        cycle.keep_alive = cycle.keep_alive and _CLOSE not in headers
        text = b"".join(pieces)
        lines = len(headers) + 1
        if not text.count(b"\r\n") == text.count(b"\n") == text.count(b"\r") == lines:
            raise RuntimeError("this is a bug: a line break in a header")
        data = b"".join((text, b"\r\n", body))
        self._outbox.put(cycle.transport, data, self._loop, is_last=not cycle.keep_alive)
        self._complete()

    def _complete(self) -> None:
        """The state that uvicorn has behind a reply, and what it does then."""
        cycle = self._cycle
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.message_event.set()
        cycle.on_response()
