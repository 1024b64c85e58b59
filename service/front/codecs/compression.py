"""Compressed replies: which coding a client likes best, and bodies in it."""

from __future__ import annotations

import functools
import gzip
import zlib

_LEVEL = 1
"""Fast: a reply is sent once, and floats hardly get smaller with more effort."""

_WORTH_BYTES = 1024
"""What fits into one packet does not get there sooner by being smaller."""

_COMPRESS = {
    "gzip": functools.partial(gzip.compress, compresslevel=_LEVEL, mtime=0),
    "deflate": functools.partial(zlib.compress, level=_LEVEL),
}
_IDENTITY = "identity"


def compress(body: bytes, coding: str) -> bytes:
    """A body in a coding that `best_coding` named."""
    return _COMPRESS[coding](body)


def best_coding(accepted: str, size: int) -> str | None:
    """The coding for a reply of some bytes; None where it is sent as it is.

    Args:
        accepted: the request's Accept-Encoding: codings, each perhaps with a weight ("gzip;q=0.5").
        size: of the reply, in bytes; small ones are compressed only for clients that refuse anything else.
    """
    weights = _weights(accepted)
    likes_plain = weights.get(_IDENTITY, weights.get("*", 1.0)) > 0
    if size < _WORTH_BYTES and likes_plain:
        return None
    best = max(_COMPRESS, key=lambda coding: weights.get(coding, weights.get("*", 0.0)))
    weight = weights.get(best, weights.get("*", 0.0))
    return best if weight > 0 and weight >= weights.get(_IDENTITY, 0.0) else None


@functools.lru_cache(maxsize=64)
def _weights(accepted: str) -> dict[str, float]:
    """The weight of each coding; what cannot be read counts as not wanted."""
    parts = [part.strip().partition(";") for part in accepted.lower().split(",")]
    return {coding.strip(): _weight(options) for coding, _, options in parts if coding.strip()}


def _weight(options: str) -> float:
    name, _, value = options.replace(" ", "").partition("=")
    if name != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
