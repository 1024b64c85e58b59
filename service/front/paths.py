"""Paths: one spelling for those of /v1, and the answer to those that nothing matches."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any

from service.errors import MalformedRequest

_PROTOCOL = "/v1/"
_FREE_PARTS = {3, 5}  # of /v1/models/<name>/versions/<number>: the names that people give
_METHOD_CHARS = 20
_PATH_CHARS = 200


def normalized(scope: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A request as the routes know it.

    TensorFlow Serving's paths are the same in capitals, and HEAD is GET whose body the server leaves out.

    Args:
        scope: of ASGI, of any connection; not changed.
    """
    if scope["type"] != "http":
        return scope
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    return {**scope, "method": method, "path": _with_lower_words(scope["path"])}


def refusal(scope: MutableMapping[str, Any], hint: str, elsewhere: Callable[[str], Exception]) -> Exception:
    """What to say where a path or its method is none that there is.

    Args:
        scope: of ASGI.
        hint: what would have been right.
        elsewhere: from the text to the error, for paths that are not TensorFlow Serving's; for those that are, it is
            400 whatever was wrong.
    """
    method, path = scope["method"][:_METHOD_CHARS], scope["path"]
    error = MalformedRequest if path.lower().startswith(_PROTOCOL) else elsewhere
    return error(f"Malformed request: {method} {path[:_PATH_CHARS]}; {hint}")


def _with_lower_words(path: str) -> str:
    if path[: len(_PROTOCOL)].lower() != _PROTOCOL:
        return path
    *parts, last = [part if place in _FREE_PARTS else part.lower() for place, part in enumerate(path.split("/"))]
    name, colon, verb = last.rpartition(":")
    return "/".join([*parts, name + colon + verb.lower() if colon else last])
