"""Uploads: from a request to a version that is served."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from service.engine.members import drop_unused
from service.errors import DiskFull, InvalidRequest, TooManyUploads, UnsupportedMediaType, UploadTimeout
from service.front.bodies import Headers, Receive, stream_body
from service.front.digests import expected_digests, verified
from service.front.forms import FormFile, boundary_of
from service.front.registry import Registry
from service.front.version import Version
from service.store import archive
from service.store.contents import find_model
from service.store.extraction import ArchiveLimits
from service.store.store import VersionId

_BUFFER_BYTES = 1 << 20
_COPIES = 2
"""An archive and what comes out of it are on the disk together."""


@dataclass(frozen=True)
class UploadLimits:
    """What one upload may bring, and how many there may be.

    Args:
        archive: what may come out of it.
        max_bytes: of its body.
        pause_s: how long nothing of it may arrive.
        timeout_s: how long it may take in all.
        at_once: uploads at the same time.
        disk_reserve_bytes: that stay free.
    """

    archive: ArchiveLimits
    max_bytes: int
    pause_s: float
    timeout_s: float
    at_once: int
    disk_reserve_bytes: int


@dataclass(frozen=True)
class Source:
    """A request that brings an archive: its channel, its headers with lower-case names, and the id of its key."""

    receive: Receive
    headers: Headers
    who: str


@dataclass
class Uploads:
    """The way in for new versions.

    Its mutable state is how many uploads go on.

    Args:
        registry: where versions are served.
        limits: see UploadLimits.
    """

    registry: Registry
    limits: UploadLimits
    _count: int = 0

    async def receive_version(self, source: Source, name: str, number: int | None) -> tuple[Version, bool]:
        """Write the body to disk, unpack it, start its worker, store and serve it.

        Args:
            source: a zip, tar, tar.gz or tar.zst of a SavedModel, or a form with one.
            name: of the model.
            number: of the version; None for the one after the highest there has ever been.

        Returns:
            The version, and whether it is new; False where the same content was there already.

        Raises:
            ServiceError: it cannot be accepted; nothing is left behind.
        """
        _check_encoding(source.headers)
        media_type = _media_type(source.headers)
        boundary = boundary_of(source.headers.get(b"content-type", b""))
        if boundary is None:
            archive.check_media_type(media_type)
        limits = self.limits
        body = stream_body(source.receive, source.headers, limits.max_bytes, limits.pause_s)
        body = verified(body, expected_digests(source.headers))
        self._check_disk(source.headers)
        with self._turn(), self.registry.store.staging() as folder:
            async with _in_time(limits.timeout_s):
                if boundary is None:
                    await _write(body, folder / "archive")
                else:
                    media_type = await _write_form(FormFile(body, boundary), folder / "archive")
            model = await asyncio.to_thread(_unpacked, folder, limits.archive, media_type)
            return await self.store_version(model, name, number, source.who)

    async def store_version(self, model: Path, name: str, number: int | None, who: str) -> tuple[Version, bool]:
        """Store and serve a SavedModel that lies in staging; arguments and results as for `receive_version`."""
        await asyncio.to_thread(drop_unused, model)
        if number is None:
            return await self.registry.install_next(model, name, who)
        return await self.registry.install(model, VersionId(name, number), who)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One of the places for uploads."""
        if self._count >= self.limits.at_once:
            raise TooManyUploads(f"{self._count} uploads go on, and no more are taken at once: try again")
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1

    def _check_disk(self, headers: Headers) -> None:
        """Refuse, before anything is read, what would fill the disk."""
        declared = int(headers.get(b"content-length", b"0"))
        free = shutil.disk_usage(self.registry.store.root).free
        if free < declared * _COPIES + self.limits.disk_reserve_bytes:
            raise DiskFull(f"no room on the server's disk for {declared} bytes and what they unpack to")


def _check_encoding(headers: Headers) -> None:
    encoding = headers.get(b"content-encoding", b"identity").decode("latin-1").strip().lower()
    if encoding not in {"", "identity"}:
        raise UnsupportedMediaType(
            f"Content-Encoding: {encoding[:50]!r} is not taken here: send the archive as it is, "
            "a tar.gz as application/gzip"
        )


def _media_type(headers: Headers) -> str:
    return headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()


@contextlib.asynccontextmanager
async def _in_time(timeout_s: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except TimeoutError:
        raise UploadTimeout(f"the upload took longer than {timeout_s:g} s") from None


def _unpacked(folder: Path, limits: ArchiveLimits, media_type: str) -> Path:
    """Unpack the archive in a folder; returns where its SavedModel is."""
    unpacked = folder / "unpacked"
    unpacked.mkdir()
    archive.unpack(folder / "archive", unpacked, limits, media_type)
    (folder / "archive").unlink()
    return find_model(unpacked)


async def _write_form(form: FormFile, file: Path) -> str:
    """Write the file in a form; returns its media type."""
    await form.start()
    archive.check_media_type(form.media_type)
    await _write(form.pieces(), file)
    return form.media_type


async def _write(body: AsyncIterator[bytes], file: Path) -> None:
    """Write a body to a file, a buffer at a time and off the event loop."""
    buffer = bytearray()
    with file.open("wb") as target:
        async for piece in body:
            buffer += piece
            if len(buffer) >= _BUFFER_BYTES:
                await asyncio.to_thread(target.write, buffer)
                buffer = bytearray()
        await asyncio.to_thread(target.write, buffer)
        size = target.tell()
    if not size:
        raise InvalidRequest("the body is empty: send the archive, for example with curl -T model.zip", "empty_body")
