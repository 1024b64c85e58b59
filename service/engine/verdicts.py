"""Verdicts: what the front is told when a model is refused, or fails."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from service.engine.channel import Message
from service.engine.warmup import BadWarmup

ERROR_MAX_CHARS = 500

# TensorFlow Serving answers the first three by 400
_CALLERS = (
    tf.errors.InvalidArgumentError,
    tf.errors.FailedPreconditionError,
    tf.errors.OutOfRangeError,
    ValueError,
    TypeError,
)
_RESTORING = "_restore_checkpoint"  # TensorFlow's own step of loading in which the variables are read


class Refused(Exception):
    """The model is not accepted; the code says why.

    Args:
        code: stable, of the upload's refusal.
        message: what was found, what was expected, and what to do.
        details: findings of the static check, as plain data.
    """

    def __init__(self, code: str, message: str, details: list[dict[str, Any]] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.details = details or []


def failure(exc: Exception, directory: str) -> Message:
    """What the front is told: one line of the reason, without the server's paths, and what kind of failure it is."""
    is_callers = isinstance(exc, _CALLERS)
    is_memory = isinstance(exc, (MemoryError, tf.errors.ResourceExhaustedError))
    verdict = {"code": _code(exc), "details": getattr(exc, "details", [])}
    message = line(exc, directory)
    return Message("failure", {"message": message, "is_callers": is_callers, "is_memory": is_memory, **verdict})


def _code(exc: Exception) -> str | None:
    """The code of a refusal, where the exception tells more than at which step it was raised."""
    if isinstance(exc, Refused):
        return exc.code
    if isinstance(exc, BadWarmup):
        return "warmup_failed"
    return "corrupt_checkpoint" if _RESTORING in _steps(exc) else None


def _steps(exc: BaseException | None) -> Iterator[str]:
    """The functions that an exception went through, and the one before it if it was translated on the way."""
    while exc is not None:
        yield from (frame.name for frame in traceback.extract_tb(exc.__traceback__))
        exc = exc.__context__


def line(exc: Exception, directory: str) -> str:
    """One line of the reason for an exception, without the path of the model's folder."""
    text = str(getattr(exc, "message", None) or exc).replace(directory, "<model>")
    return _reason(text)[:ERROR_MAX_CHARS] or type(exc).__name__


def _reason(text: str) -> str:
    """The line that says what went wrong: the first, or, where TensorFlow put a stack above it, the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("[[")]
    if not lines:
        return ""
    return lines[-1] if lines[0].startswith("Graph execution error") else lines[0]
