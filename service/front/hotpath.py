"""The hot path: predictions as a plain ASGI endpoint; the framework's routing would cost two thirds of the speed."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from service.errors import InvalidName, MethodNotAllowed, NotFound
from service.front import codecs
from service.front.bodies import ClientLeft, Headers, Receive, read_body
from service.front.context import Context
from service.front.replies import Reply, reply_to
from service.store.names import VERSION_MAX

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_PATH = re.compile(r"/v1/models/([^/:]+)(?:/versions/([0-9]+))?:predict")
_WATCH_AFTER_S = 0.2
_JSON_HEADER = (b"content-type", b"application/json")

_log = logging.getLogger(__name__)


class HotPath:
    """Answers predictions itself and hands everything else on.

    Args:
        app: answers everything else.
        context: settings, keys and the registry.
    """

    def __init__(self, app: App, context: Context) -> None:
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection event, as ASGI has it."""
        if scope["type"] != "http" or not scope["path"].endswith(":predict"):
            await self._app(scope, receive, send)
            return
        try:
            with _cancelled_if_client_leaves(receive):
                reply = await _answer(scope, receive, self._context)
            await _send(reply, send)
        except ClientLeft:
            _log.info("a client left before its answer (499)")


async def predict(body: bytes, name: str, number: int | None, context: Context) -> bytes:
    """The answer's body for a prediction's body.

    Args:
        body: JSON with `instances` or `inputs`, and perhaps `signature_name`.
        name: the model.
        number: the version; None for the one served by default.
        context: what serves it.

    Raises:
        ServiceError: whatever is wrong with the request or the model.
    """
    version = context.registry.find(name, number)
    request = codecs.parse_predict(body)
    spec = version.signature(request.signature)
    inputs = codecs.decode_inputs(request, spec)
    has_rows = spec.has_rows and codecs.has_common_rows(inputs)
    timeout_s = context.settings.request_timeout_s
    outputs = await version.predict(request.signature, inputs, timeout_s, has_rows=has_rows)
    return codecs.encode_outputs(outputs, is_rows=request.is_rows)


async def _answer(scope: Scope, receive: Receive, context: Context) -> Reply:
    try:
        name, number = _target(scope)
        headers: Headers = dict(scope["headers"])
        context.keys.check_infer(headers.get(b"authorization", b"").decode("latin-1"))
        settings = context.settings
        body = await read_body(receive, headers, settings.predict_max_bytes, settings.body_timeout_s)
        return Reply(200, await predict(body, name, number, context))
    except ClientLeft:
        raise
    except Exception as exc:  # noqa: BLE001 -- the border: every error becomes a reply
        return reply_to(exc)


def _target(scope: Scope) -> tuple[str, int | None]:
    match = _PATH.fullmatch(scope["path"])
    if not match:
        raise NotFound("predictions are at /v1/models/<name>[/versions/<number>]:predict")
    if scope["method"] != "POST":
        raise MethodNotAllowed(f"Malformed request: {scope['method']} {scope['path']}; predictions are asked by POST")
    name, number = match.groups()
    if number and int(number) > VERSION_MAX:
        raise InvalidName(f"version {number[:40]} is too large: at most {VERSION_MAX}")
    return name, int(number) if number else None


async def _send(reply: Reply, send: Send) -> None:
    length = (b"content-length", str(len(reply.body)).encode())
    others = [(name.encode(), value.encode()) for name, value in reply.headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": [_JSON_HEADER, length, *others]})
    await send({"type": "http.response.body", "body": reply.body})


@contextmanager
def _cancelled_if_client_leaves(receive: Receive) -> Iterator[None]:
    """Give up the block when the client closes the connection; watched only where the answer takes long.

    Raises:
        ClientLeft: it did.
    """
    task = asyncio.current_task()
    assert task, "this is a bug: a request is always handled in a task"
    loop = asyncio.get_running_loop()
    watchers: list[asyncio.Task[None]] = []
    has_left = asyncio.Event()
    watch = loop.call_later(_WATCH_AFTER_S, lambda: watchers.append(loop.create_task(_watch(receive, task, has_left))))
    try:
        yield
    except asyncio.CancelledError:
        if has_left.is_set():
            task.uncancel()
            raise ClientLeft from None
        raise
    finally:
        watch.cancel()
        for watcher in watchers:
            watcher.cancel()


async def _watch(receive: Receive, task: asyncio.Task[Any], has_left: asyncio.Event) -> None:
    message = await receive()
    if message["type"] == "http.disconnect":
        has_left.set()
        task.cancel()
