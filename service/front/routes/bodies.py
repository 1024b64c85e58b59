"""Bodies of routes: whole, under the limits that all of them have."""

from __future__ import annotations

import asyncio

from fastapi import Request

from service.errors import BodyTimeout
from service.front.context import Context
from service.front.http.bodies import read_body

SMALL_BYTES = 64 << 10


async def whole_body(request: Request, context: Context, max_bytes: int = SMALL_BYTES) -> bytes:
    """A request's body, whatever type it is declared as.

    Args:
        request: not read before.
        context: has the limits.
        max_bytes: how long it may be.

    Raises:
        BodyTimeout: it was not there in time, all of it.
        TooLarge, ClientLeft, InvalidRequest: see read_body.
    """
    timeout_s = context.settings.body_timeout_s
    try:
        async with asyncio.timeout(timeout_s):  # all of it: one that trickles would else be waited for without end
            return await read_body(request.receive, dict(request.scope["headers"]), max_bytes)
    except TimeoutError:
        raise BodyTimeout(f"the body did not arrive within {timeout_s:g} s") from None
