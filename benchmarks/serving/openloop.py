"""An open-loop load: requests are sent when their time has come, whether or not earlier ones were answered.

Latencies count from the moment a request was meant to be sent, so that neither a slow server nor a late generator
can make them look shorter than a user's. How late the generator itself was is told too.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import uvloop

from benchmarks.serving.protocols import Request

_GRACE_S = 30  # for what is not answered yet when the last request has been sent


@dataclass(frozen=True)
class Sent:
    """What became of one request.

    Args:
        due_s: when it was meant to be sent, from the beginning of the load.
        late_s: how much later it was; up to a millisecond earlier, where it is negative.
        latency_s: from due_s, or from when it was sent if that was earlier, until the last byte of its answer; NaN if
            there was none.
        status: of its answer; 0 if there was none.
    """

    due_s: float
    late_s: float
    latency_s: float
    status: int


def run_open_loop(port: int, path: str, requests: Sequence[Request], rate: float, seconds: float) -> list[Sent]:
    """Send requests at random times, as independent users do: a Poisson process, the same in each run.

    Args:
        port: of 127.0.0.1.
        path: what is posted to.
        requests: sent in turn.
        rate: requests a second, on average.
        seconds: how long.
    """
    gaps = np.random.default_rng(7).exponential(1 / rate, int(rate * seconds))
    payloads = [_bytes_of(path, request) for request in requests]
    return uvloop.run(_Generator(port, payloads).run(np.cumsum(gaps)))


def _bytes_of(path: str, request: Request) -> bytes:
    headers = {"host": "127.0.0.1", **request.headers, "content-length": str(len(request.body))}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + request.body


class _Generator:
    """Sends, and remembers what came back. State: its connections, those that are idle, and what was sent."""

    def __init__(self, port: int, payloads: list[bytes]) -> None:
        self._port = port
        self._payloads = payloads
        self._opened: list[_Connection] = []
        self._idle: deque[_Connection] = deque()
        self._sent: list[Sent] = []

    async def run(self, due: np.ndarray) -> list[Sent]:
        start = time.perf_counter()  # the loop's own clock counts milliseconds
        with contextlib.suppress(TimeoutError):  # requests without an answer are kept as such
            async with asyncio.timeout(None) as limit, asyncio.TaskGroup() as group:
                for due_s, payload in zip(due.tolist(), itertools.cycle(self._payloads), strict=False):
                    if (wait_s := start + due_s - time.perf_counter()) > 0:
                        await asyncio.sleep(wait_s)
                    group.create_task(self._send(start, due_s, payload))
                limit.reschedule(asyncio.get_running_loop().time() + _GRACE_S)
        await asyncio.gather(*(connection.close() for connection in self._opened))
        return self._sent

    async def _send(self, start: float, due_s: float, payload: bytes) -> None:
        late_s, status = time.perf_counter() - start - due_s, 0
        counted_from = start + due_s + min(late_s, 0.0)  # a timer may be a fraction of a millisecond early
        try:
            connection = self._idle.pop() if self._idle else await self._connect()
            status = await connection.ask(payload)
            self._idle.append(connection)
        except OSError:
            pass  # status 0 says it
        finally:
            latency_s = time.perf_counter() - counted_from if status else float("nan")
            self._sent.append(Sent(due_s, late_s, latency_s, status))

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, "127.0.0.1", self._port)
        self._opened.append(connection)
        return connection


class _Connection(asyncio.Protocol):
    """One request at a time over a connection. State: what has arrived of the answer, and who waits for it."""

    def __init__(self) -> None:
        self._bytes = b""
        self._answered: asyncio.Future[int] | None = None
        self._transport: asyncio.Transport | None = None
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's has the methods but not the class

    def data_received(self, data: bytes) -> None:
        self._bytes += data
        status = status_of(self._bytes)
        if status and self._answered and not self._answered.done():
            self._bytes = b""
            self._answered.set_result(status)

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set_result(None)
        if self._answered and not self._answered.done():
            self._answered.set_exception(exc or ConnectionResetError("the server closed the connection"))

    async def close(self) -> None:
        assert self._transport
        self._transport.close()
        await self._closed

    async def ask(self, payload: bytes) -> int:
        assert self._transport
        if self._transport.is_closing():
            raise ConnectionResetError("the server closed the connection")
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(payload)
        return await self._answered


def status_of(answer: bytes) -> int:
    """The status of an answer that is there in full, and 0 while it is not; its length must be told."""
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return 0
    _, _, after = head.lower().partition(b"\r\ncontent-length:")
    length = int(after.partition(b"\r\n")[0])
    return int(head.split(b" ", 2)[1]) if len(body) >= length else 0
