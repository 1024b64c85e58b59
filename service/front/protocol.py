"""Protocol: uvicorn's HTTP/1.1 over httptools, which knows neither deadlines nor limits, with both.

Costs next to nothing for a request: times are noted, and one look at all connections twice a second
(`close_overdue`, called by the server) closes those that are late.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import httptools
import orjson
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from service.errors import BadHttp, HeadersTooLarge, HeaderTimeout, ServiceError, UrlTooLong

_PIPELINED_MAX = 32
_HEADER_EXTRA_BYTES = 4  # colon, space, line end

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WireLimits:
    """What one connection may cost.

    Args:
        header_timeout_s: how long a request's head may take, and the rest of a body that nobody waits for any more.
        stall_timeout_s: how long a client may take nothing of its reply.
        header_max_bytes: of all headers of a request.
        headers_max: how many there may be.
        url_max_bytes: of the URL.
        connections_max: how many connections; for one more, the longest idle one is closed.
    """

    header_timeout_s: float
    stall_timeout_s: float
    header_max_bytes: int
    headers_max: int
    url_max_bytes: int
    connections_max: int


class LimitedProtocol(HttpToolsProtocol):
    """One connection.

    Its mutable state beside uvicorn's: since when it waits for the rest of a head, since when its client takes nothing,
    the bytes that came since anything of use did, and what it was refused for.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: WireLimits,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = limits
        self._waiting_since: float | None = None
        self._stalled_since: float | None = None
        self._idle_since = 0.0
        self._is_head_complete = True
        self._is_message_complete = True
        self._useless_bytes = 0
        self._refusal: ServiceError | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        """Begin to wait for the first head, if there is room for one more connection or room can be made."""
        has_room = self._make_room()
        super().connection_made(transport)
        if not has_room:
            transport.abort()
        self._waiting_since = self._idle_since = time.monotonic()

    def data_received(self, data: bytes) -> None:
        """Parse what came; what cannot be parsed or exceeds a limit is answered in our form, and the last."""
        self._unset_keepalive_if_required()
        self._useless_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return  # no other protocol is spoken here: the request is answered as HTTP/1.1
        except httptools.HttpParserError as exc:
            self._refuse(self._refusal or BadHttp(f"this is not HTTP/1.1 as it is spoken here: {_reason(exc)}"))
            return
        if self._useless_bytes > self._limits.header_max_bytes + self._limits.url_max_bytes:
            self._refuse(HeadersTooLarge(f"more than {self._limits.header_max_bytes} bytes of headers"))

    def on_message_begin(self) -> None:
        """A new request: its head has so much time from here."""
        super().on_message_begin()
        self._is_head_complete = self._is_message_complete = False
        self._waiting_since = time.monotonic()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; those behind a body are of no use here."""
        if not self._is_head_complete:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Hand the request to the application, if its head is acceptable."""
        self._is_head_complete = True
        self._waiting_since = None
        self._useless_bytes = 0
        self._refusal = _head_fault(self.url, self.headers, self.parser.get_http_version(), self._limits)
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
        self._is_message_complete = True
        self._waiting_since = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The reply is out: what still comes of its request's body has a deadline."""
        self._idle_since = time.monotonic()
        if not self._is_message_complete:
            self._waiting_since = self._idle_since
        super().on_response_complete()

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
        if self._stalled_since is not None and now - self._stalled_since > self._limits.stall_timeout_s:
            self.transport.abort()
        elif self._waiting_since is not None and now - self._waiting_since > self._limits.header_timeout_s:
            if self._is_message_complete or self._is_head_complete:
                self.transport.close()  # silent, or with a body that nobody waits for: there is nothing to answer
            else:
                self._refuse(
                    HeaderTimeout(f"the headers did not arrive within {self._limits.header_timeout_s:g} s"),
                )

    def _refuse(self, error: ServiceError) -> None:
        """Answer in our form where the client can take it for the answer to this request, and close."""
        _log.info("refused a connection's request: %s", error.message)
        cycle = self.cycle
        is_answering = cycle is not None and not cycle.response_complete
        if not (is_answering and (cycle.response_started or not cycle.more_body)):
            self.transport.write(self._reply(error))
        self.transport.close()

    def _reply(self, error: ServiceError) -> bytes:
        body = orjson.dumps({"error": error.message, "code": error.code})
        ours = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        ours += [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"), (b"connection", b"close")]
        lines = [b"%s: %s\r\n" % header for header in [*self.server_state.default_headers, *ours]]
        return b"".join([STATUS_LINE[error.status], *lines, b"\r\n", body])

    def _make_room(self) -> bool:
        """Close the connection that has been idle longest, if there are as many as there may be.

        Returns:
            Whether there is room; not if all of them are being answered.
        """
        if len(self.connections) < self._limits.connections_max:
            return True
        others = cast("Iterable[LimitedProtocol]", self.connections)
        idle = [other for other in others if other.is_idle]
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


def _head_fault(
    url: bytes, headers: list[tuple[bytes, bytes]], http_version: str, limits: WireLimits
) -> ServiceError | None:
    """What is wrong with a head; None if nothing is."""
    if len(url) > limits.url_max_bytes:
        return UrlTooLong(f"the URL has {len(url)} bytes, {limits.url_max_bytes} are taken")
    if len(headers) > limits.headers_max:
        return HeadersTooLarge(f"the request has {len(headers)} headers, {limits.headers_max} are taken")
    size = hosts = 0
    for name, value in headers:
        size += len(name) + len(value) + _HEADER_EXTRA_BYTES
        hosts += name == b"host"
    if size > limits.header_max_bytes:
        return HeadersTooLarge(f"the headers have {size} bytes, {limits.header_max_bytes} are taken")
    if hosts > 1 or (not hosts and http_version == "1.1"):
        return BadHttp(f"the request has {hosts} Host headers; HTTP/1.1 wants one")
    return None


def _reason(exc: httptools.HttpParserError) -> str:
    """The parser's own words; nothing of our own errors in its callbacks."""
    return "the URL cannot be read" if isinstance(exc, httptools.HttpParserCallbackError) else str(exc)[:200]
