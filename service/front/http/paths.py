"""Paths: one spelling for those of /v1, and the answer to those that nothing matches."""

from __future__ import annotations

from collections.abc import Callable

from service.errors import MalformedRequest
from service.front.http.asgi import Scope

_PROTOCOL = "/v1/"
_FREE_PARTS = {3, 5}  # of /v1/models/<name>/versions/<number>: the names that people give
_METHOD_CHARS = 20
_PATH_CHARS = 200


def normalized(scope: Scope) -> Scope:
    """A request as the routes know it.

    TensorFlow Serving's paths are the same in capitals, and HEAD is GET whose body the server leaves out.

    Args:
        scope: of ASGI, of any connection; not changed.
    """
    if scope["type"] != "http":
        return scope
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    return {**scope, "method": method, "path": _with_lower_words(scope["path"])}


def below(root_path: str, scope: Scope) -> Scope:
    """A request as if it had come without the root path; as it is where that is not in front of its path.

    Args:
        root_path: such as /quantum, without '/' at its end.
        scope: of ASGI, of a request; not changed.
    """
    path = scope["path"]
    if path == root_path:
        return {**scope, "path": "/"}
    return {**scope, "path": path.removeprefix(root_path)} if path.startswith(f"{root_path}/") else scope


def refusal(scope: Scope, hint: str, elsewhere: Callable[[str], Exception]) -> Exception:
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
