"""Digests of bodies: what a client says that the body's is (RFC 9530, or X-Content-SHA256), and whether that is so."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

from service.errors import InvalidHeader, UploadRejected
from service.front.http.bodies import Headers

_HASHES = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}
_HEX = re.compile(r"[0-9a-fA-F]{64}")
_MEMBER = re.compile(r"\s*([a-z0-9*_.-]+)=:([A-Za-z0-9+/=]*):\s*")


@dataclass(frozen=True)
class Expected:
    """The digest that a header gives: its algorithm, its bytes, and the header's name."""

    algorithm: str
    digest: bytes
    header: str


def expected_digests(headers: Headers) -> list[Expected]:
    """The digests that a request's headers give; none where they give none.

    Raises:
        InvalidHeader: one cannot be read.
    """
    found = []
    if given := headers.get(b"x-content-sha256"):
        text = given.decode("latin-1").strip()
        if not _HEX.fullmatch(text):
            raise InvalidHeader(f"X-Content-SHA256: 64 hexadecimal digits were expected, found {text[:80]!r}")
        found.append(Expected("sha-256", bytes.fromhex(text), "X-Content-SHA256"))
    if given := headers.get(b"content-digest"):
        found += _content_digest(given.decode("latin-1"))
    return found


async def verified(body: AsyncIterator[bytes], expected: list[Expected]) -> AsyncIterator[bytes]:
    """A body piece by piece as it is; at its end, whether it is what was expected.

    Raises:
        UploadRejected: it is not; the code is digest_mismatch.
    """
    hashes = [_HASHES[item.algorithm]() for item in expected]
    async for piece in body:
        for digest in hashes:
            digest.update(piece)
        yield piece
    for item, digest in zip(expected, hashes, strict=True):
        if not hmac.compare_digest(digest.digest(), item.digest):
            raise UploadRejected(
                f"{item.header}: the body's {item.algorithm} is {digest.hexdigest()}, and not {item.digest.hex()}: it "
                "was changed on its way, or is another file",
                "digest_mismatch",
            )


def _content_digest(text: str) -> list[Expected]:
    """The members of a Content-Digest field whose algorithms are known here; there must be one."""
    found = []
    for member in text.split(","):
        match = _MEMBER.fullmatch(member)
        if match is None:
            raise InvalidHeader(f"Content-Digest: 'sha-256=:<base64>:' was expected, found {member[:100]!r}")
        if match[1] in _HASHES:
            found.append(Expected(match[1], _decoded(match[1], match[2]), "Content-Digest"))
    if not found:
        raise InvalidHeader(f"Content-Digest: one of {', '.join(_HASHES)} was expected, found {text[:100]!r}")
    return found


def _decoded(algorithm: str, text: str) -> bytes:
    try:
        digest = base64.b64decode(text, validate=True)
    except binascii.Error:
        digest = b""
    if len(digest) != _HASHES[algorithm]().digest_size:
        raise InvalidHeader(f"Content-Digest: {text[:100]!r} is no base64 of a {algorithm}")
    return digest
