"""Uploads: from a stream of bytes to a version that is served."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from service.engine import members
from service.errors import BodyTimeout, InvalidRequest
from service.front.registry import Registry
from service.front.version import Version
from service.store import archive
from service.store.archive import ArchiveLimits
from service.store.store import VersionId, find_model

_BUFFER_BYTES = 1 << 20


async def receive_version(
    body: AsyncIterator[bytes], id_: VersionId, registry: Registry, limits: ArchiveLimits, timeout_s: float
) -> tuple[Version, bool]:
    """Write the body to disk, unpack it, start its worker, store and serve it.

    Args:
        body: a zip, tar or tar.gz of a SavedModel, piece by piece.
        id_: what it shall be.
        registry: where it shall be served.
        limits: of what comes out of the archive.
        timeout_s: how long the body may take in all.

    Returns:
        The version, and whether it is new; False where the same content was there already.

    Raises:
        ServiceError: it cannot be accepted; nothing is left behind.
    """
    with registry.store.staging() as folder:
        file = folder / "archive"
        try:
            async with asyncio.timeout(timeout_s):
                await _write(body, file)
        except TimeoutError:
            raise BodyTimeout(f"the upload took longer than {timeout_s:g} s") from None
        unpacked = folder / "unpacked"
        unpacked.mkdir()
        await asyncio.to_thread(archive.unpack, file, unpacked, limits)
        file.unlink()
        model = find_model(unpacked)
        await asyncio.to_thread(members.drop_unused, model)
        return await registry.install(model, id_)


async def _write(body: AsyncIterator[bytes], file: Path) -> None:
    """Write a body to a file, a buffer at a time and off the event loop."""
    buffer = bytearray()
    with file.open("wb") as target:
        async for piece in body:
            buffer += piece
            if len(buffer) >= _BUFFER_BYTES:
                await asyncio.to_thread(target.write, buffer)
                buffer = bytearray()
        target.write(buffer)
        size = target.tell()
    if not size:
        raise InvalidRequest("the body is empty: send the archive, for example with curl -T model.zip", "empty_body")
