"""Bodies of routes: whole, under the limits that all of them have."""

from __future__ import annotations

from fastapi import Request

from service.front.bodies import read_body
from service.front.context import Context


async def whole_body(request: Request, context: Context, max_bytes: int | None = None) -> bytes:
    """A request's body, whatever type it is declared as.

    Args:
        request: not read before.
        context: has the limits.
        max_bytes: how long it may be; None for what a prediction's may be.

    Raises:
        TooLarge, BodyTimeout, ClientLeft, InvalidRequest: see read_body.
    """
    settings = context.settings
    most = settings.predict_max_bytes if max_bytes is None else max_bytes
    return await read_body(request.receive, dict(request.scope["headers"]), most, settings.body_timeout_s)
