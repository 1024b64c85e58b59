"""Logs: lines on standard error, as text or JSON, with the request's id; never a body, never a key."""

from __future__ import annotations

import logging
import re
import sys
import time
from datetime import UTC, datetime
from typing import Any

import orjson

from service.front.http.exchange import Exchange, current

_KEY = re.compile(r"(qk_[0-9a-f]+)_[A-Za-z0-9_-]+")

_access = logging.getLogger("service.access")


def start_logging(log_format: str, *, with_access: bool) -> None:
    """Let all loggers write lines in a format to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FORMATTERS[log_format]())
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    _access.setLevel(logging.INFO if with_access else logging.WARNING)


def log_access(exchange: Exchange) -> None:
    """An observer: one line for a request that is over."""
    _access.info("request", extra={"exchange": exchange, "duration_ms": (time.perf_counter() - exchange.started) * 1e3})


class JsonFormatter(logging.Formatter):
    """A JSON object in one line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        exchange: Exchange | None = getattr(record, "exchange", None)
        if exchange:
            line |= _told(exchange, record)
        elif running := current():
            line["request_id"] = running.id
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return without_keys(orjson.dumps(line).decode())


class TextFormatter(logging.Formatter):
    """Time, level and message; of a request, what is known of it as name=value."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        exchange: Exchange | None = getattr(record, "exchange", None)
        text = f"{_time(record)} {record.levelname} {record.getMessage()}"
        if exchange:
            told = _told(exchange, record)
            text += "".join(f" {name}={_escaped(value)}" for name, value in told.items() if value is not None)
        elif running := current():
            text += f" request_id={running.id}"
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return without_keys(text)


FORMATTERS: dict[str, type[logging.Formatter]] = {"text": TextFormatter, "json": JsonFormatter}


def without_keys(text: str) -> str:
    """A text in which of every key made here only the id is left."""
    return _KEY.sub(r"\1_***", text)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _ms(ns: int | None) -> float | None:
    return None if ns is None else round(ns / 1e6, 3)


def _escaped(value: object) -> str:
    """A value without spaces and line breaks, so that nobody can write lines of his own into the log."""
    return str(value).encode("unicode_escape").decode().replace(" ", r"\x20")


def _told(exchange: Exchange, record: logging.LogRecord) -> dict[str, Any]:
    scope = exchange.scope
    return {
        "request_id": exchange.id,
        "method": scope["method"],
        "path": exchange.sent_path,
        "status": exchange.status,
        "duration_ms": round(record.duration_ms, 3),  # type: ignore[attr-defined]  # set in log_access
        "queue_ms": _ms(exchange.queue_ns),
        "compute_ms": _ms(exchange.infer_ns),
        "model": exchange.model,
        "version": exchange.version,
        "caller": exchange.caller,
        "peer": (scope.get("client") or ("",))[0],
    }
