"""CORS: which pages of other origins may ask; off unless the operator names origins."""

from __future__ import annotations

from service.errors import Forbidden, InvalidRequest
from service.front.http.asgi import Scope
from service.front.http.exchange import RawHeaders
from service.front.http.paths import refusal
from service.front.http.replies import Reply

ALL = "*"
_PREFLIGHT = {
    "access-control-allow-methods": "GET, POST, PUT, DELETE",
    "access-control-allow-headers": "Authorization, Content-Type, Content-Encoding, Content-Digest, "
    "Inference-Header-Content-Length, X-Content-SHA256, X-Request-ID, X-Request-Timeout-Ms, traceparent, tracestate",
    "access-control-max-age": "600",
}
_SHOWN = (
    b"X-Request-ID, Retry-After, Location, ETag, Content-Disposition, Inference-Header-Content-Length, "
    b"WWW-Authenticate, Allow"
)
_EXPOSED = (b"access-control-expose-headers", _SHOWN)
_VARY = (b"vary", b"Origin")


class Cors:
    """The origins whose pages may ask; never with cookies, which this server has none of.

    Args:
        origins: as browsers write them, without a path; or one `*` for all.
    """

    def __init__(self, origins: list[str]) -> None:
        self._origins = {origin.encode() for origin in origins}
        self._is_for_all = ALL in origins

    def headers(self, origin: bytes | None) -> RawHeaders:
        """What a reply to a page of an origin carries; for others their browser keeps the reply from them."""
        if origin is None or not self._allows(origin):
            return [_VARY]
        return [(b"access-control-allow-origin", ALL.encode() if self._is_for_all else origin), _EXPOSED, _VARY]

    def preflight(self, scope: Scope, origin: bytes) -> Reply:
        """The reply to OPTIONS, without a key as browsers send it.

        Args:
            scope: of ASGI.
            origin: of the page; empty where the request names none.

        Raises:
            MalformedRequest, InvalidRequest: as `check_origin`.
            Forbidden: pages of that origin may not ask.
        """
        check_origin(scope, origin)
        if not self._allows(origin):
            raise Forbidden(f"pages of {origin.decode('latin-1')[:200]} may not ask here: cors_origins names those")
        return Reply(200, b"", dict(_PREFLIGHT))

    def _allows(self, origin: bytes) -> bool:
        return self._is_for_all or origin in self._origins


def check_origin(scope: Scope, origin: bytes) -> None:
    """See that OPTIONS is a browser's question for a page, with CORS and without it; else 400, as TensorFlow Serving.

    Raises:
        MalformedRequest, InvalidRequest: the page's origin is not named; below /v1 and elsewhere.
    """
    if not origin.startswith((b"http://", b"https://")):
        raise refusal(scope, "a browser asks so for a page: expected the header Origin, http(s)://...", InvalidRequest)


def cors_of(setting: str) -> Cors | None:
    """The origins in a setting; None for none."""
    origins = [origin.strip().rstrip("/") for origin in setting.split(",") if origin.strip()]
    return Cors(origins) if origins else None
