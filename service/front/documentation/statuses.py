"""The errors of each operation for the OpenAPI document: a row for each status, and whose it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

_FREE = frozenset({"/", "/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"})
_ENDS_OF_INFERENCE = (":predict", ":classify", ":regress", ":shape", "/infer")
_ENDS_OF_LOADED = (*_ENDS_OF_INFERENCE, "/metadata", "/config")

_HEADERS = {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}}
_TEXT_HEADER = {"required": True, "schema": {"type": "string"}}
_COUNT_HEADER = {"required": True, "schema": {"type": "integer", "minimum": 0}}
_OWN_HEADERS = {
    "401": {"WWW-Authenticate": {"description": "Bearer", **_TEXT_HEADER}},
    "429": {"Retry-After": {"description": "seconds", **_COUNT_HEADER}},
    "503": {"Retry-After": {"description": "seconds", **_COUNT_HEADER}},
}
_ERROR = {
    "type": "object",
    "properties": {
        "error": {"type": "string", "description": "what was found, what was expected, what to do"},
        "code": {"type": "string", "description": "stable, for programs"},
        "request_id": {"type": "string", "description": "as in the header X-Request-Id"},
        "details": {"type": "array", "items": {"type": "object"}, "description": "where there is more than one thing"},
    },
    "required": ["error", "code"],
}


class Operation(NamedTuple):
    """A method of a path, and what the framework says of it."""

    method: str
    path: str
    document: dict[str, Any]


@dataclass(frozen=True)
class Status:
    """A row of the table of errors.

    Args:
        number: as it stands in the document.
        text: when it is answered.
        is_of: whether an operation answers it.
    """

    number: str
    text: str
    is_of: Callable[[Operation], bool]


def _is_keyed(asked: Operation) -> bool:
    return asked.path not in _FREE


def _names_model(asked: Operation) -> bool:
    return "{model}" in asked.path


def _has_body(asked: Operation) -> bool:
    return "requestBody" in asked.document


def _changes(asked: Operation) -> bool:
    return asked.document.get("security") == [{"key": []}] and _names_model(asked)


def _uploads(asked: Operation) -> bool:
    return _has_body(asked) and asked.path.endswith(("/versions", "/versions/{version}", "/load"))


def _is_of_loaded(asked: Operation) -> bool:
    return asked.path.endswith(_ENDS_OF_LOADED) or asked.path.startswith("/v2/models/{model}")


STATUSES = (
    Status("400", "what was sent is wrong", lambda _: True),
    Status("401", "a key is needed", _is_keyed),
    Status("403", "the key is for something else", _is_keyed),
    Status("404", "no such model or version", _names_model),
    Status("408", "the body did not arrive in time", _has_body),
    Status("409", "what is there does not allow it", _changes),
    Status("413", "too many bytes or rows", _has_body),
    Status("415", "the body is of a type that is not taken", _uploads),
    Status("422", "the model cannot be accepted; the code says why", _changes),
    Status("429", "too many requests, or rows that wait", _is_keyed),
    Status("501", "a part of the protocol that is not there", _is_of_loaded),
    Status("503", "loading, overloaded, or its worker was lost", _is_keyed),
    Status("504", "no answer in time", lambda asked: _is_of_loaded(asked) or _changes(asked)),
    Status("507", "no room for it on the server's disk", _changes),
)
"""Errors that an operation may answer; what a server says before it knows the path (414, 431) is not among them."""


def responses(asked: Operation) -> dict[str, Any]:
    """The errors of an operation, by status."""
    return {row.number: {"$ref": f"#/components/responses/{row.number}"} for row in STATUSES if row.is_of(asked)}


def with_headers(response: dict[str, Any]) -> dict[str, Any]:
    """A response with the headers that all of them have."""
    return {**response, "headers": {**response.get("headers", {}), **_HEADERS}}


def components() -> dict[str, Any]:
    """What `responses` and `with_headers` refer to."""
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {
        "schemas": {"Error": _ERROR},
        "headers": {"X-Request-Id": {"description": "the request's own, or one that we gave it", **_TEXT_HEADER}},
        "responses": {
            row.number: with_headers(
                {"description": row.text, "content": content, "headers": _OWN_HEADERS.get(row.number, {})}
            )
            for row in STATUSES
        },
    }
