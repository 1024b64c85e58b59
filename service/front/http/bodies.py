"""Request bodies: read under limits of size and time, and inflated under the same limit."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable

from service.errors import BodyTimeout, InvalidRequest, TooLarge, UnsupportedCoding
from service.front.http.asgi import Message, Receive

Headers = dict[bytes, bytes]

INFLATED_CODINGS = {"gzip": 31, "deflate": 15}
"""Codings that bodies may come in, and zlib's name for the format; deflate is zlib's, as RFC 9110 has it."""


class ClientLeft(Exception):
    """The client closed the connection; there is nobody to answer: status and code are for logs and metrics."""

    status = 499
    code = "client_left"


def lenient_coding(headers: Headers) -> str:
    """TensorFlow Serving's rule: gzip wherever the word stands, and anything else is not looked at."""
    return "gzip" if b"gzip" in headers.get(b"content-encoding", b"") else ""


def strict_coding(headers: Headers) -> str:
    """Triton's rule: one coding that is known, or none.

    Raises:
        UnsupportedCoding: another.
    """
    coding = headers.get(b"content-encoding", b"").decode("latin-1").strip().lower()
    if coding in {"", "identity"}:
        return ""
    if coding not in INFLATED_CODINGS:
        raise UnsupportedCoding(f"Content-Encoding is '{coding[:100]}', expected one of: gzip, deflate, identity")
    return coding


async def read_body(
    receive: Receive,
    headers: Headers,
    max_bytes: int,
    coding_of: Callable[[Headers], str] = lenient_coding,
) -> bytes:
    """A whole body, inflated if it came compressed.

    Args:
        receive: the ASGI channel.
        headers: of the request, with lower-case names.
        max_bytes: how long it may be, as sent and inflated.
        coding_of: which coding the headers name; empty for none.

    Raises:
        TooLarge, ClientLeft: as their names say.
        UnsupportedCoding: as `coding_of`.
        InvalidRequest: it is not the gzip or deflate it claims to be.
    """
    coding = coding_of(headers)
    message = await _next(receive)
    body: bytes = message.get("body", b"")
    if message.get("more_body") or len(body) > max_bytes:
        _check_declared(headers, max_bytes)
        whole = bytearray(body)  # not a list: a flood of pieces of one byte each would cost forty times its size
        async for piece in _pieces(message, receive, max_bytes):
            whole += piece
        body = bytes(whole)
    return _inflated(body, coding, max_bytes) if coding else body


async def stream_body(receive: Receive, headers: Headers, max_bytes: int, timeout_s: float) -> AsyncIterator[bytes]:
    """A body piece by piece; arguments and errors as for `read_body`, and BodyTimeout where a piece takes longer."""
    _check_declared(headers, max_bytes)
    message = await _next(receive, timeout_s)
    yield message.get("body", b"")
    async for piece in _pieces(message, receive, max_bytes, timeout_s):
        yield piece


async def _pieces(
    message: Message, receive: Receive, max_bytes: int, timeout_s: float | None = None
) -> AsyncIterator[bytes]:
    """The pieces behind the first, counted with it."""
    total = _counted(message, 0, max_bytes)
    while message.get("more_body"):
        message = await _next(receive, timeout_s)
        total = _counted(message, total, max_bytes)
        yield message.get("body", b"")


async def _next(receive: Receive, timeout_s: float | None = None) -> Message:
    message = await (receive() if timeout_s is None else _in_time(receive, timeout_s))
    if message["type"] == "http.disconnect":
        raise ClientLeft
    return message


async def _in_time(receive: Receive, timeout_s: float) -> Message:
    try:
        async with asyncio.timeout(timeout_s):
            return await receive()
    except TimeoutError:
        raise BodyTimeout(f"nothing of the body arrived for {timeout_s:g} s") from None


def _counted(message: Message, total: int, max_bytes: int) -> int:
    total += len(message.get("body", b""))
    if total > max_bytes:
        raise _too_large(max_bytes)
    return total


def _check_declared(headers: Headers, max_bytes: int) -> None:
    if int(headers.get(b"content-length", b"0")) > max_bytes:
        raise _too_large(max_bytes)


def _inflated(body: bytes, coding: str, max_bytes: int) -> bytes:
    inflater = zlib.decompressobj(wbits=INFLATED_CODINGS[coding])
    try:
        inflated = inflater.decompress(body, max_bytes + 1)
    except zlib.error as exc:
        raise InvalidRequest(f"the body is not the {coding} that Content-Encoding says it is") from exc
    if len(inflated) > max_bytes:
        raise _too_large(max_bytes)
    if not inflater.eof:
        raise InvalidRequest(f"the {coding} body is cut off")
    return inflated


def _too_large(max_bytes: int) -> TooLarge:
    return TooLarge(f"the body is larger than the {max_bytes} bytes that are taken")
