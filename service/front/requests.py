"""Requests: what holds for every request and every reply, as one plain ASGI layer outside of everything.

A request gets an id, may be turned away before anybody looks at it, and is told to the observers (access log, traces)
when it is over; a reply gets the headers that all replies have. On the hot path this costs a few microseconds.
"""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from service.errors import KeyInUrl, Overloaded, ServiceError
from service.front.context import Context
from service.front.hotpath import send_reply
from service.front.http import exchange as exchanges
from service.front.http.asgi import App, Receive, Scope, Send
from service.front.http.bodies import ClientLeft
from service.front.http.cors import cors_of
from service.front.http.exchange import Exchange, RawHeaders
from service.front.http.paths import below
from service.front.http.replies import Reply, reply_to

Observer = Callable[[Exchange], None]

_METRICS = {"/metrics", "/monitoring/prometheus/metrics"}
NEVER_TURNED_AWAY = frozenset({"/", "/healthz", "/livez", "/readyz", "/v2/health/live", "/v2/health/ready", *_METRICS})

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_KEY_PARAMETERS = {"key", "api_key", "apikey", "api-key", "access_token", "token", "authorization", "manage_key"}
_KEY_PREFIX = "qk_"

_NOSNIFF = (b"x-content-type-options", b"nosniff")
_NO_STORE = (b"cache-control", b"no-store")
_CLOSE = (b"connection", b"close")
_PAGE_HEADERS: dict[bytes, bytes] = {
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
}


class Requests:
    """The outermost application.

    The mutable state is the number of requests that are being answered.

    Args:
        app: answers the requests.
        context: settings, and whether the server is about to end.
        observers: are called with each request that is over.
    """

    def __init__(self, app: App, context: Context, observers: tuple[Observer, ...]) -> None:
        self._app = app
        self._context = context
        self._observers = observers
        self._cors = cors_of(context.settings.cors_origins)
        self._root_path = context.settings.root_path
        self._max = context.settings.requests_max
        self._prefix = secrets.token_hex(6)  # of this process: fronts share what was imported before they were forked
        self._numbers = itertools.count()
        self._active = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection event, as ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = self._begin(below(self._root_path, scope) if self._root_path else scope)
        answer = partial(_pass_on, exchange, send)
        self._active += 1
        try:
            reply = self._reply_before(exchange)
            if reply is None:
                await self._app(exchange.scope, receive, answer)
            else:
                await send_reply(reply, answer)
        except Exception as exc:
            if exchange.status in range(1, 500):
                raise  # the reply broke off in the middle: the server closes the connection
            if not exchange.status:
                await send_reply(reply_to(exc), answer)
        finally:
            self._active -= 1
            exchange.status = exchange.status or ClientLeft.status
            for observer in self._observers:
                observer(exchange)

    def _begin(self, scope: Scope) -> Exchange:
        given = origin = None
        for name, value in scope["headers"]:
            if name == b"x-request-id":
                given = value
            elif name == b"origin":
                origin = value
        is_usable = given and _REQUEST_ID.fullmatch(given)
        id_ = given.decode() if given and is_usable else f"{self._prefix}-{next(self._numbers):x}"
        headers: RawHeaders = [(b"x-request-id", id_.encode()), _NOSNIFF]
        if self._cors:
            headers += self._cors.headers(origin)
        if self._context.is_draining:
            headers.append(_CLOSE)
        exchange = Exchange(id_, scope, headers)
        exchanges.begin(exchange)
        return exchange

    def _reply_before(self, exchange: Exchange) -> Reply | None:
        """The reply to a request that nobody needs to look at."""
        scope = exchange.scope
        try:
            if scope["query_string"]:
                _refuse_keys(scope["query_string"])
            if self._active > self._max and scope["path"] not in NEVER_TURNED_AWAY:
                raise Overloaded(f"{self._max} requests are being answered, as many as may be: try again")
            if self._cors and scope["method"] == "OPTIONS":
                return self._cors.preflight(scope, dict(scope["headers"]).get(b"origin", b""))
        except ServiceError as exc:
            self._context.count(exc)
            return reply_to(exc)
        return None


def _pass_on(exchange: Exchange, send: Send, message: dict[str, Any]) -> Awaitable[None]:
    """Send what an application sends, with our headers; no coroutine of its own, for speed."""
    if message["type"] == "http.response.start":
        exchange.status = message["status"]
        message["headers"] = _completed(message.get("headers", ()), exchange.headers)
    return send(message)


def _completed(given: Iterable[tuple[bytes, bytes]], ours: RawHeaders) -> RawHeaders:
    """All headers of a reply: those given, and of ours what is not among them."""
    headers = [*given, *ours]
    is_page = is_cached = False
    for name, value in given:
        if name == b"content-type":
            is_page = value.startswith(b"text/html")
        elif name == b"cache-control":
            is_cached = True
    if not is_cached:
        headers.append(_NO_STORE)
    return [*(_PAGE_HEADERS | dict(headers)).items()] if is_page else headers


def _refuse_keys(query: bytes) -> None:
    """Raises KeyInUrl if a query holds what looks like a key."""
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name.lower() in _KEY_PARAMETERS or value.startswith(_KEY_PREFIX):
            raise KeyInUrl(
                f"a key in a URL ('{name[:40]}') gets into logs and histories: replace it (python -m service key "
                "rotate ID) and send the new one as 'Authorization: Bearer <key>'"
            )
