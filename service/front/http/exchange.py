"""Exchange: what is known of a request while it is answered, for logs, traces and error replies."""

from __future__ import annotations

import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

_PATH_MAX = 300

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
        queue_ns: how long it waited for a call of the model; None where there was none.
        infer_ns: how long the model computed for it and those it was called with.
        status: of the reply; 0 until it has begun.
        started: monotonic seconds.
    """

    id: str
    scope: Any
    headers: RawHeaders = field(default_factory=list)
    caller: str | None = None
    model: str | None = None
    version: int | None = None
    queue_ns: int | None = None
    infer_ns: int | None = None
    status: int = 0
    started: float = field(default_factory=time.perf_counter)

    @property
    def sent_path(self) -> str:
        """The path as it was sent, percent-encoded, so that it has no line breaks; without the query, and cut."""
        return str(self.scope["raw_path"].decode("latin-1")[:_PATH_MAX])


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


def note_times(queue_ns: int, infer_ns: int) -> None:
    """Keep how long a request waited, and how long the model computed for it."""
    exchange = _current.get()
    if exchange is not None:
        exchange.queue_ns, exchange.infer_ns = queue_ns, infer_ns
