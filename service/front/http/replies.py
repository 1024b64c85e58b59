"""Errors as replies: one table from exceptions to status, code and text, for every path."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from service.errors import (
    BodyTimeout,
    DiskFull,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    ServiceError,
    Unauthorized,
    UnsupportedCoding,
)
from service.front.http.exchange import current

_log = logging.getLogger(__name__)

_HTTP_ERRORS = {
    404: NotFound("there is nothing at this path; /docs, where it is served, lists what there is"),
    405: MethodNotAllowed("this path does not take this method; /docs, where it is served, lists which do"),
}


@dataclass(frozen=True)
class Reply:
    """A whole reply."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = "application/json"


def reply_to(exc: Exception) -> Reply:
    """The reply for anything that was raised; what is our own fault is logged and not told."""
    error = translated(exc)
    headers = {}
    if error.retry_after_s is not None:
        headers["retry-after"] = str(error.retry_after_s)
    if isinstance(error, BodyTimeout):
        headers["connection"] = "close"  # or the client could go on holding it open
    if isinstance(error, Unauthorized):
        headers["www-authenticate"] = "Bearer"
    if isinstance(error, MethodNotAllowed):
        headers["allow"] = _allowed(exc)
    if isinstance(error, UnsupportedCoding):
        headers["accept-encoding"] = "gzip, deflate"
    return Reply(error.status, orjson.dumps(_document(error)), headers)


def let_go(exc: BaseException) -> None:
    """Forget how an error came about, once it is answered: its frames hold the request, and may hold the error."""
    exc.__traceback__ = exc.__context__ = exc.__cause__ = None


def _document(error: ServiceError) -> dict[str, Any]:
    """The body of an error's reply."""
    message = error.message.encode(errors="backslashreplace").decode()  # it may quote half a surrogate pair
    document: dict[str, Any] = {"error": message, "code": error.code}
    if error.details:
        document["details"] = error.details
    if exchange := current():
        document["request_id"] = exchange.id
    return document


def _allowed(exc: Exception) -> str:
    """The methods that a path takes: the framework's routes know theirs, the hot path takes one."""
    return str((exc.headers or {}).get("Allow", "")) if isinstance(exc, HTTPException) else "POST"


def translated(exc: Exception) -> ServiceError:
    """The service's error for any exception."""
    match exc:
        case ServiceError():
            return exc
        case RequestValidationError():
            first = exc.errors()[0]
            return InvalidRequest(f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
        case HTTPException(status_code=status) if status in _HTTP_ERRORS:
            return _HTTP_ERRORS[status]
        case HTTPException():
            return InvalidRequest(str(exc.detail))
        case OSError(errno=number) if number in DiskFull.errnos:
            return DiskFull("no room on the server's disk for this")
    _log.error("a request failed by a bug", exc_info=exc)
    return ServiceError("the server failed; its log says how")
