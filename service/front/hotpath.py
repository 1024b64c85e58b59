"""The hot path: inference as plain ASGI endpoints; the framework's routing would cost two thirds of the speed."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple

from service.errors import MethodNotAllowed, NotFound
from service.front.context import Context
from service.front.http import deadlines
from service.front.http.asgi import App, Receive, Scope, Send
from service.front.http.bodies import ClientLeft, Headers, lenient_coding, read_body
from service.front.http.exchange import note_caller
from service.front.http.paths import normalized, refusal
from service.front.http.replies import Reply, let_go, reply_to
from service.front.http.vigil import Vigil, Watched
from service.front.registry.target import Target, target_of

_log = logging.getLogger(__name__)


class Asked(NamedTuple):
    """A whole request of the hot path: whom it asks, its headers with lower-case names, and its inflated body."""

    target: Target
    headers: Headers
    body: bytes


@dataclass(frozen=True)
class Endpoint:
    """What answers the paths with one ending.

    Args:
        suffix: paths that end so are this endpoint's.
        pattern: what such a path must look like in full; its groups are the model, and perhaps version and label.
        form: the same for people; None where a path that ends so and does not look so is somebody else's.
        answer: from the request to the reply; raises ServiceError.
        coding_of: which coding of the body the headers name; see read_body.
    """

    suffix: str
    pattern: re.Pattern[str]
    form: str | None
    answer: Callable[[Asked, Context], Awaitable[Reply]]
    coding_of: Callable[[Headers], str] = lenient_coding

    def takes(self, path: str) -> bool:
        """Whether a path is this endpoint's."""
        return path.endswith(self.suffix) and (self.form is not None or self.pattern.fullmatch(path) is not None)

    def target(self, scope: Scope) -> Target:
        """Whom a request asks.

        Raises:
            MalformedRequest, NotFound, MethodNotAllowed: it is not what the suffix promised.
        """
        target = _target_in(scope["path"], self.pattern)
        if not target:
            raise refusal(scope, f"expected {self.form}", NotFound)
        if scope["method"] != "POST":
            raise refusal(scope, "ask by POST", MethodNotAllowed)
        return target


@functools.lru_cache(maxsize=1024)
def _target_in(path: str, pattern: re.Pattern[str]) -> Target | None:
    """Whom a path names; None where it does not match."""
    match = pattern.fullmatch(path)
    return target_of(**match.groupdict()) if match else None


class HotPath:
    """Answers the paths of its endpoints itself and hands everything else on.

    Args:
        app: answers everything else.
        endpoints: see Endpoint.
        context: settings, keys and the registry.
    """

    def __init__(self, app: App, endpoints: tuple[Endpoint, ...], context: Context) -> None:
        self._app = app
        self._endpoints = endpoints
        self._context = context
        self._vigil = Vigil(context.settings.body_timeout_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection event, as ASGI has it."""
        endpoint = self._endpoint(scope)
        if endpoint is None:
            scope = normalized(scope)  # here, where those who spell paths as documented do not wait for it
            endpoint = self._endpoint(scope)
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        try:
            with self._vigil.over(receive) as watched:
                reply = await self._answer(endpoint, scope, watched)
        except ClientLeft as exc:
            let_go(exc)
            _log.info("a client left before its answer (499)")
            return
        except Exception as exc:  # noqa: BLE001 -- the border: every error becomes a reply
            reply = reply_to(exc)
            self._context.count(exc)
            let_go(exc)
        await send_reply(reply, send)

    def _endpoint(self, scope: Scope) -> Endpoint | None:
        if scope["type"] == "http" and scope["method"] != "OPTIONS":  # a browser's question, not one for the model
            path: str = scope["path"]
            for endpoint in self._endpoints:
                if endpoint.takes(path):
                    return endpoint
        return None

    async def _answer(self, endpoint: Endpoint, scope: Scope, watched: Watched) -> Reply:
        context = self._context
        target = endpoint.target(scope)
        headers: Headers = dict(scope["headers"])
        authorization = headers.get(b"authorization", b"").decode("latin-1")
        client = scope.get("client")
        caller = context.keys.check(authorization, "infer", target.name, client[0] if client else "")
        note_caller(caller, target.name)
        if deadlines.NAME in headers:
            self._set_deadline(headers, watched)
        max_bytes = context.settings.predict_max_bytes
        body = await read_body(watched.receive, headers, max_bytes, coding_of=endpoint.coding_of)
        watched.has_body = True
        return await endpoint.answer(Asked(target, headers, body), context)

    def _set_deadline(self, headers: Headers, watched: Watched) -> None:
        """What the client waits; where that is longer, the server's own limit holds as it does without."""
        timeout_s = deadlines.timeout_s_of(headers[deadlines.NAME])
        if timeout_s < self._context.settings.request_timeout_s:
            watched.end_after(timeout_s)


async def send_reply(reply: Reply, send: Send) -> None:
    """Send a whole reply."""
    length = (b"content-length", str(len(reply.body)).encode())
    others = [(name.encode(), value.encode()) for name, value in reply.headers.items()]
    kind = (b"content-type", reply.media_type.encode())
    await send({"type": "http.response.start", "status": reply.status, "headers": [kind, length, *others]})
    await send({"type": "http.response.body", "body": reply.body})
