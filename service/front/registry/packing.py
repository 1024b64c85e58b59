"""Packing: a stored version as a tar.gz, made while it is sent."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import os
import tarfile
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from service.store.contents import model_files

_CHUNK_BYTES = 1 << 16
_FILE_MODE = 0o644
_THREADS = ThreadPoolExecutor(8, "packing")
_FAST = 1  # weights are hardly compressible


def opened(directory: Path) -> dict[str, IO[bytes]]:
    """A SavedModel's files by their paths, open: from now on they can be read, whatever becomes of the folder."""
    with contextlib.ExitStack() as stack:
        files: dict[str, IO[bytes]] = {
            name: stack.enter_context(path.open("rb")) for name, path in model_files(directory).items()
        }
        stack.pop_all()
    return files


async def packed(files: dict[str, IO[bytes]]) -> AsyncIterator[bytes]:
    """A tar.gz of open files, piece by piece; the same files give the same bytes. They are closed at the end.

    A thread packs into a pipe. The pipe holds it back when the client is slow, and ends it when the client is gone. The
    threads are none of those that the rest of the server waits for; further copies wait for one of them.
    """
    loop = asyncio.get_running_loop()
    reader, writer = os.pipe()
    stream = asyncio.StreamReader(_CHUNK_BYTES)
    pipe, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(reader, "rb"))
    packing = loop.run_in_executor(_THREADS, _pack, files, writer)
    try:
        while piece := await stream.read(_CHUNK_BYTES):
            yield piece
    finally:
        pipe.close()
    await packing


def _pack(files: dict[str, IO[bytes]], writer: int) -> None:
    with contextlib.ExitStack() as closed:
        for file in files.values():
            closed.enter_context(file)
        pipe = closed.enter_context(os.fdopen(writer, "wb"))
        closed.enter_context(contextlib.suppress(BrokenPipeError))
        with (
            gzip.GzipFile(fileobj=pipe, mode="wb", compresslevel=_FAST, filename="", mtime=0) as stream,
            tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as archive,
        ):
            for name, file in files.items():
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = os.fstat(file.fileno()).st_size, _FILE_MODE
                archive.addfile(entry, file)
