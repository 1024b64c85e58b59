"""CORS: which pages of other origins may ask; off unless the operator names origins."""

from __future__ import annotations

from service.errors import Forbidden, InvalidRequest
from service.front.exchange import RawHeaders
from service.front.replies import Reply

ALL = "*"
_PREFLIGHT = {
    "access-control-allow-methods": "GET, POST, PUT, DELETE",
    "access-control-allow-headers": "Authorization, Content-Type, Content-Encoding, Inference-Header-Content-Length, "
    "X-Content-SHA256, X-Request-ID",
    "access-control-max-age": "600",
}
_EXPOSED = (b"access-control-expose-headers", b"X-Request-ID, Retry-After, Location, Inference-Header-Content-Length")
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

    def preflight(self, origin: bytes | None) -> Reply:
        """The reply to OPTIONS, without a key as browsers send it; as TensorFlow Serving, 400 without an origin.

        Raises:
            InvalidRequest, Forbidden: no origin, or one that may not ask.
        """
        if origin is None or not origin.startswith((b"http://", b"https://")):
            raise InvalidRequest("OPTIONS is a browser's question for a page: it needs an Origin header, http(s)://...")
        if not self._allows(origin):
            raise Forbidden(f"pages of {origin.decode('latin-1')[:200]} may not ask here: cors_origins names those")
        return Reply(200, b"", dict(_PREFLIGHT))

    def _allows(self, origin: bytes) -> bool:
        return self._is_for_all or origin in self._origins


def cors_of(setting: str) -> Cors | None:
    """The origins in a setting; None for none."""
    origins = [origin.strip().rstrip("/") for origin in setting.split(",") if origin.strip()]
    return Cors(origins) if origins else None
