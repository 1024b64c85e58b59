"""TensorFlow's canonical names of HTTP statuses, for what TensorFlow Serving tells: states of versions, and metrics."""

from __future__ import annotations

_NAMES = {
    400: "INVALID_ARGUMENT",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    422: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
    507: "RESOURCE_EXHAUSTED",
}


def canonical_name(status: int) -> str:
    """The name of a status; INTERNAL, as of a server's own failure, for one that has none here."""
    return _NAMES.get(status, "INTERNAL")
