"""Uploads: from a request to a version that is served."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fastapi.concurrency import contextmanager_in_threadpool

from service.engine.members import drop_unused
from service.errors import (
    DiskFull,
    InvalidRequest,
    ServiceError,
    TooManyUploads,
    UnsupportedMediaType,
    UploadTimeout,
)
from service.front.http.asgi import Receive
from service.front.http.bodies import ClientLeft, Headers, stream_body
from service.front.http.digests import expected_digests, verified
from service.front.http.forms import FormFile, boundary_of
from service.front.models.version import Version
from service.front.registry.overrides import write_overrides
from service.front.registry.registry import Registry
from service.store import archive
from service.store.contents import find_model
from service.store.extraction import ArchiveLimits
from service.store.reserve import Reserve
from service.store.store import VersionId

_log = logging.getLogger(__name__)

_BUFFER_BYTES = 1 << 20
_COPIES = 2
"""An archive and what comes out of it are on the disk together."""


@dataclass(frozen=True)
class UploadLimits:
    """What one upload may bring, and how many there may be.

    Args:
        archive: what may come out of it, and what of the disk stays free meanwhile.
        max_bytes: of its body.
        pause_s: how long nothing of it may arrive.
        timeout_s: how long it may take in all.
        at_once: uploads at the same time.
    """

    archive: ArchiveLimits
    max_bytes: int
    pause_s: float
    timeout_s: float
    at_once: int


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
        declared = int(source.headers.get(b"content-length", b"0"))
        async with self._turn(declared, f"{name}/{number or 'next'}", source.who) as folder:
            target = _ArchiveFile(folder / "archive", self._reserve())
            async with _in_time(limits.timeout_s):
                if boundary is None:
                    await target.write(body)
                else:
                    media_type = await _write_form(FormFile(body, boundary), target)
            model = await asyncio.to_thread(_unpacked, folder, limits.archive, media_type)
            return await self._store(model, name, number, source.who)

    async def receive_files(self, files: Mapping[str, bytes], id_: VersionId, who: str) -> tuple[Version, bool]:
        """Store and serve a version that came as base64 of its files; results and errors as for `receive_version`."""
        async with self._turn(sum(map(len, files.values())), f"{id_.name}/{id_.number}", who) as folder:
            model = await write_overrides(files, folder, self.limits.archive)
            return await self._store(model, id_.name, id_.number, who)

    async def _store(self, model: Path, name: str, number: int | None, who: str) -> tuple[Version, bool]:
        """Store and serve a SavedModel that lies in staging."""
        await asyncio.to_thread(drop_unused, model)
        if number is None:
            return await self.registry.install_next(model, name, who)
        return await self.registry.install(model, VersionId(name, number), who)

    @asynccontextmanager
    async def _turn(self, declared: int, what: str, who: str) -> AsyncIterator[Path]:
        """One of the places for uploads, and a folder for it; one that comes to nothing leaves a line in the log."""
        try:
            self._check_disk(declared)
            if self._count >= self.limits.at_once:
                raise TooManyUploads(f"{self._count} uploads go on, and no more are taken at once: try again")
            self._count += 1
            try:
                # in threads: it waits for the store's lock, and what is removed may be much
                async with contextmanager_in_threadpool(self.registry.store.staging()) as folder:
                    yield folder
            finally:
                self._count -= 1
        except (ServiceError, ClientLeft) as exc:
            _log.info("an upload of %s by %s was not stored (%s): %s", what, who, exc.code, exc)
            raise

    def _reserve(self) -> Reserve:
        return Reserve(self.registry.store.root, self.limits.archive.disk_reserve_bytes)

    def _check_disk(self, declared: int) -> None:
        """Refuse, before anything is read, what would fill the disk."""
        if not self._reserve().has_room(declared * _COPIES):
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


@asynccontextmanager
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


async def _write_form(form: FormFile, target: _ArchiveFile) -> str:
    """Write the file in a form; returns its media type."""
    await form.start()
    archive.check_media_type(form.media_type)
    await target.write(form.pieces())
    return form.media_type


@dataclass(frozen=True)
class _ArchiveFile:
    """The file that a body is written to, on a disk that is not filled."""

    path: Path
    reserve: Reserve

    async def write(self, body: AsyncIterator[bytes]) -> None:
        """Write a body, a buffer at a time and off the event loop."""
        buffer = bytearray()
        with self.path.open("wb") as file:
            async for piece in body:
                buffer += piece
                if len(buffer) >= _BUFFER_BYTES:
                    await asyncio.to_thread(self._append, file, buffer)
                    buffer = bytearray()
            await asyncio.to_thread(self._append, file, buffer)
            size = file.tell()
        if not size:
            raise InvalidRequest(
                "the body is empty: send the archive, for example with curl -T model.zip", "empty_body"
            )

    def _append(self, file: BinaryIO, data: bytearray) -> None:
        file.write(data)
        self.reserve.count(len(data))
