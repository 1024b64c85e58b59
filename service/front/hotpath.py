"""The hot path: predictions as a plain ASGI endpoint; the framework's routing would cost two thirds of the speed."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from service.errors import MethodNotAllowed, NotFound
from service.front import codecs
from service.front.bodies import ClientLeft, Headers, Receive, read_body
from service.front.context import Context
from service.front.replies import Reply, reply_to
from service.front.vigil import Vigil, Watched
from service.store.names import checked_version

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_PATH = re.compile(r"/v1/models/([^/:]+)(?:/versions/([0-9]+))?:predict")
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
        self._vigil = Vigil(context.settings.body_timeout_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection event, as ASGI has it."""
        if scope["type"] != "http" or not scope["path"].endswith(":predict"):
            await self._app(scope, receive, send)
            return
        try:
            with self._vigil.over(receive) as watched:
                reply = await _answer(scope, watched, self._context)
        except ClientLeft:
            _log.info("a client left before its answer (499)")
            return
        except Exception as exc:  # noqa: BLE001 -- the border: every error becomes a reply
            reply = reply_to(exc)
        await _send(reply, send)


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


async def _answer(scope: Scope, watched: Watched, context: Context) -> Reply:
    name, number = _target(scope)
    headers: Headers = dict(scope["headers"])
    context.keys.check_infer(headers.get(b"authorization", b"").decode("latin-1"))
    body = await read_body(watched.receive, headers, context.settings.predict_max_bytes)
    watched.has_body = True
    return Reply(200, await predict(body, name, number, context))


def _target(scope: Scope) -> tuple[str, int | None]:
    match = _PATH.fullmatch(scope["path"])
    if not match:
        raise NotFound("predictions are at /v1/models/<name>[/versions/<number>]:predict")
    if scope["method"] != "POST":
        raise MethodNotAllowed(f"Malformed request: {scope['method']} {scope['path']}; predictions are asked by POST")
    name, number = match.groups()
    return name, checked_version(number) if number else None


async def _send(reply: Reply, send: Send) -> None:
    length = (b"content-length", str(len(reply.body)).encode())
    others = [(name.encode(), value.encode()) for name, value in reply.headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": [_JSON_HEADER, length, *others]})
    await send({"type": "http.response.body", "body": reply.body})
