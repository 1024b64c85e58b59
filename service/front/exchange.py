"""Exchange: what is known of a request while it is answered, for logs, traces and error replies."""

from __future__ import annotations

import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

RawHeaders = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Exchange:
    """One request and its reply.

    Args:
        id: the request's id, the client's own if it gave a usable one.
        scope: of the request, as ASGI has it.
        headers: what its reply shall carry beside its own.
        caller: id of the key; None until one was checked.
        model: asked for by name.
        version: that answered.
        status: of the reply; 0 until it has begun.
        started: monotonic seconds.
    """

    id: str
    scope: Any
    headers: RawHeaders = field(default_factory=list)
    caller: str | None = None
    model: str | None = None
    version: int | None = None
    status: int = 0
    started: float = field(default_factory=time.perf_counter)


_current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)
begin = _current.set
"""Make an exchange that of the running task."""


def current() -> Exchange | None:
    """The exchange of the running task; None outside of requests."""
    return _current.get()


def note_caller(caller: str, model: str | None) -> None:
    """Keep who asks, and about which model."""
    exchange = _current.get()
    if exchange is not None:
        exchange.caller, exchange.model = caller, model


def note_version(number: int) -> None:
    """Keep which version answers."""
    exchange = _current.get()
    if exchange is not None:
        exchange.version = number
