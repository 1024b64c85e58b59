"""Protocol: uvicorn's HTTP/1.1 over httptools, which knows neither deadlines nor limits, with both.

Costs next to nothing for a request: times are noted, and one look at all connections twice a second
(`close_overdue`, called by the server) closes those that are late. Uvicorn's own timer of idle connections, which is
set and taken back for each request, is not used.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from service.errors import BadHttp, HeadersTooLarge, HeaderTimeout, ServiceError, UrlTooLong
from service.front.http.outbox import Outbox
from service.front.http.replies import Reply, reply_to
from service.front.http.whole import WholeReplies

_PIPELINED_MAX = 32  # requests ahead of their turn, which wait in memory; browsers and HTTP libraries send none
_HEADER_EXTRA_BYTES = 4  # colon, space, line end
_LAST = {"x-content-type-options": "nosniff", "cache-control": "no-store", "connection": "close"}

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WireLimits:
    """What one connection may cost.

    Args:
        idle_timeout_s: how long a connection stays open without a request.
        header_timeout_s: how long a request's head may take, and the rest of a body that nobody waits for any more.
        stall_timeout_s: how long a client may take nothing of its reply.
        header_max_bytes: of all headers of a request.
        headers_max: how many there may be.
        url_max_bytes: of the URL.
        connections_max: how many connections; for one more, the longest idle one is closed.
    """

    idle_timeout_s: float
    header_timeout_s: float
    stall_timeout_s: float
    header_max_bytes: int
    headers_max: int
    url_max_bytes: int
    connections_max: int


class LimitedProtocol(HttpToolsProtocol):
    """One connection.

    Its mutable state beside uvicorn's: since when it waits for the rest of a head, since when its client takes nothing,
    the bytes that came since anything of use did, the bytes of the headers and how many of them name the host, what it
    was refused for, and the request that is being answered.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: WireLimits,
        outbox: Outbox,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = limits
        self._outbox = outbox
        self._waiting_since: float | None = None
        self._stalled_since: float | None = None
        self._idle_since = 0.0
        self._is_head_complete = True
        self._is_message_complete = True
        self._useless_bytes = 0
        self._head_bytes = self._hosts = 0
        self._refusal: ServiceError | None = None
        self._running: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        """Begin to wait for the first head, if there is room for one more connection or room can be made."""
        has_room = self._make_room()
        super().connection_made(transport)
        if not has_room:
            transport.abort()
        self._waiting_since = self._idle_since = time.monotonic()

    def data_received(self, data: bytes) -> None:
        """Parse what came; what cannot be parsed or exceeds a limit is answered in our form, and the last."""
        self._useless_bytes += len(data)
        while data and not self.transport.is_closing():
            data = self._parse(data)
        if self._useless_bytes > self._limits.header_max_bytes + self._limits.url_max_bytes:
            self._refuse(self._flood())

    def _parse(self, data: bytes) -> bytes:
        """Feed the parser; returns what is to be fed next.

        A wish for another protocol, such as h2c by Java's client, is not granted: the request is HTTP/1.1. The parser
        would leave its body out, so the head is fed again without the wish, and what follows behind it.
        """
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as exc:
            head = _head_without_upgrade(self.parser.get_method(), self.url, self.headers)
            self.parser = httptools.HttpRequestParser(self)
            return head + data[exc.args[0] :]
        except httptools.HttpParserError as exc:
            self._refuse(self._refusal or BadHttp(f"this is not HTTP/1.1 as it is spoken here: {_reason(exc)}"))
        return b""

    def connection_lost(self, exc: Exception | None) -> None:
        """Let nobody go on for a client that is gone."""
        self._let_go()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        cycle.send = WholeReplies(cycle, self._outbox, self.loop)  # type: ignore[method-assign,assignment]  # no other way
        super()._start_asgi_task(cycle, app)

    def _let_go(self) -> None:
        """Tell the request that is being answered that its client is gone; forget those behind it.

        Uvicorn tells only the request that came last, and the one before it would write to a closed connection.
        """
        self.pipeline.clear()
        if self._running and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()

    def on_message_begin(self) -> None:
        """A new request: its head has so much time from here."""
        super().on_message_begin()
        self._is_head_complete = self._is_message_complete = False
        self._head_bytes = self._hosts = 0
        self._waiting_since = time.monotonic()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; those behind a body are of no use here."""
        if not self._is_head_complete:
            super().on_header(name, value)
            self._head_bytes += len(name) + len(value) + _HEADER_EXTRA_BYTES
            self._hosts += self.headers[-1][0] == b"host"

    def on_headers_complete(self) -> None:
        """Hand the request to the application, if its head is acceptable."""
        self._refusal = self._head_fault()
        if self._refusal is None and self.parser.should_upgrade():
            return  # see _parse
        self._is_head_complete = True
        self._waiting_since = None
        self._useless_bytes = 0
        if self._refusal is None and len(self.pipeline) >= _PIPELINED_MAX:
            self._refusal = BadHttp(f"more than {_PIPELINED_MAX} requests before the first was answered")
        if self._refusal:
            raise self._refusal
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Keep a piece of a body."""
        self._useless_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is there in full."""
        if self.parser.should_upgrade():
            return  # see _parse
        self._is_message_complete = True
        self._waiting_since = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The reply is out: what still comes of its request's body has a deadline; begin the next, as uvicorn does."""
        self._idle_since = time.monotonic()
        if not self._is_message_complete:
            self._waiting_since = self._idle_since
        self.server_state.total_requests += 1
        if not self.transport.is_closing():
            self.flow.resume_reading()
            if self.pipeline:
                self._start_asgi_task(*self.pipeline.pop())

    def shutdown(self) -> None:
        """The server ends: close, behind the reply if there is one."""
        self._outbox.flush()
        super().shutdown()

    def pause_writing(self) -> None:
        """The client takes nothing for now."""
        self._stalled_since = time.monotonic()
        super().pause_writing()

    def resume_writing(self) -> None:
        """It goes on."""
        self._stalled_since = None
        super().resume_writing()

    def close_if_overdue(self, now: float) -> None:
        """Close the connection if its client is late with a head, or with taking a reply."""
        self._outbox.flush()
        if self.transport.is_closing():  # and waits, for as long as it takes, for its client to take what was written
            self._stalled_since = self._stalled_since or now
        if self._stalled_since is not None and now - self._stalled_since > self._limits.stall_timeout_s:
            self._let_go()
            self.transport.abort()
        elif self._waiting_since is None:
            if self.is_idle and now - self._idle_since > self._limits.idle_timeout_s:
                self.transport.close()
        elif now - self._waiting_since > self._limits.header_timeout_s:
            if self._is_message_complete or self._is_head_complete:
                self.transport.close()  # silent, or with a body that nobody waits for: there is nothing to answer
            else:
                self._refuse(
                    HeaderTimeout(f"the headers did not arrive within {self._limits.header_timeout_s:g} s"),
                )

    def _head_fault(self) -> ServiceError | None:
        """What is wrong with a head; None if nothing is."""
        limits, headers = self._limits, len(self.headers)
        if len(self.url) > limits.url_max_bytes:
            return UrlTooLong(f"the URL has {len(self.url)} bytes, {limits.url_max_bytes} are taken")
        if headers > limits.headers_max:
            return HeadersTooLarge(f"the request has {headers} headers, {limits.headers_max} are taken")
        if self._head_bytes > limits.header_max_bytes:
            return HeadersTooLarge(f"the headers have {self._head_bytes} bytes, {limits.header_max_bytes} are taken")
        if self._hosts > 1 or (not self._hosts and self.parser.get_http_version() == "1.1"):
            return BadHttp(f"the request has {self._hosts} Host headers; HTTP/1.1 wants one")
        if self.parser.get_method() == b"CONNECT":
            return BadHttp("CONNECT is for proxies, which this server is none of")
        return None

    def _flood(self) -> ServiceError:
        """What a client does that sends and sends, but neither a whole head nor anything of a body."""
        if not self._is_head_complete and len(self.url) > self._limits.url_max_bytes:
            return UrlTooLong(f"the URL has more than the {self._limits.url_max_bytes} bytes that are taken")
        return HeadersTooLarge(f"more than {self._limits.header_max_bytes} bytes of headers")

    def _refuse(self, error: ServiceError) -> None:
        """Answer in our form where the client can take it for the answer to this request, and close."""
        self._outbox.flush()
        _log.info("refused a request from %s: %s", self.client[0] if self.client else "somewhere", error.message)
        cycle = self.cycle
        is_answering = cycle is not None and not cycle.response_complete
        if not (is_answering and (cycle.response_started or not cycle.more_body)):
            self.transport.write(self._written(reply_to(error)))
        self.transport.close()

    def _written(self, reply: Reply) -> bytes:
        """A reply that nobody else completes, as it goes over the wire."""
        own = {"content-type": reply.media_type, "content-length": str(len(reply.body)), **reply.headers, **_LAST}
        lines = [b"%s: %s\r\n" % header for header in self.server_state.default_headers]
        lines += [f"{name}: {value}\r\n".encode() for name, value in own.items()]
        return b"".join([STATUS_LINE[reply.status], *lines, b"\r\n", reply.body])

    def _make_room(self) -> bool:
        """Whether there is room for one more; for that, the connection that is idle longest, or closing, is closed."""
        if len(self.connections) < self._limits.connections_max:
            return True
        self._outbox.flush()
        others = cast("Iterable[LimitedProtocol]", self.connections)
        idle = [other for other in others if other.is_idle or other.transport.is_closing()]
        if idle:
            min(idle, key=lambda other: other._idle_since).transport.abort()  # noqa: SLF001 -- one of ours
        return bool(idle)

    @property
    def is_idle(self) -> bool:
        """Whether no request of it is being answered."""
        return (self.cycle is None or self.cycle.response_complete) and not self.transport.is_closing()


def close_overdue(server_state: ServerState) -> None:
    """Close the connections that are late; to be called now and then."""
    now = time.monotonic()
    for connection in list(server_state.connections):
        cast("LimitedProtocol", connection).close_if_overdue(now)


def _head_without_upgrade(method: bytes, url: bytes, headers: list[tuple[bytes, bytes]]) -> bytes:
    """The head of a request that wishes for another protocol, without that wish."""
    lines = [b"%s: %s\r\n" % header for header in headers if header[0] != b"upgrade"]
    return b"".join([method, b" ", url, b" HTTP/1.1\r\n", *lines, b"\r\n"])


def _reason(exc: httptools.HttpParserError) -> str:
    """The parser's own words; nothing of our own errors in its callbacks."""
    return "the URL cannot be read" if isinstance(exc, httptools.HttpParserCallbackError) else str(exc)[:200]
