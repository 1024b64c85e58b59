"""Tar archives: plain, gzip or zstd, read as a stream and with little of it in memory at a time."""

from __future__ import annotations

import tarfile
import zlib
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

from backports import zstd

from service.errors import UploadRejected
from service.store.extraction import CHUNK_BYTES, Extraction, Readable

_HEADERS_BYTES = 1 << 21  # beside the members' own: padding, and what lies between
_HEADER_BYTES = 4096  # for each member, long names and all
_READS_KEPT = 4  # the library reads no more ahead than a record
_ZSTD_WINDOW_LOG_MAX = 27
"""128 MiB, what the command line takes without being asked for more; a frame may ask for two gigabytes."""


def unpack_tar(file: Readable, extraction: Extraction) -> None:
    """Write a tar's members; raises UploadRejected or one of the library's errors for what is not plain."""
    budget = _Budget(file, extraction)
    with tarfile.open(fileobj=budget, mode="r|") as archive:  # type: ignore[call-overload]  # a reader is all it needs
        for entry in archive:
            _add(archive, entry, extraction)
            archive.members = []  # or it would keep them all
    end = budget.behind(archive.offset)
    if len(end) < tarfile.BLOCKSIZE:
        raise tarfile.ReadError("the archive is cut off")
    while end:
        if end.strip(b"\0"):  # the library takes a damaged header for the end
            raise tarfile.ReadError("a damaged header, or data behind the end of the archive")
        end = budget.read(CHUNK_BYTES)


def unpack_tar_gz(file: BinaryIO, extraction: Extraction) -> None:
    """The same for one in a gzip stream."""
    unpack_tar(_Pieces(_gzip_pieces(file)), extraction)


def unpack_tar_zst(file: BinaryIO, extraction: Extraction) -> None:
    """The same for one in a zstd frame."""
    unpack_tar(_Pieces(_zstd_pieces(file)), extraction)


def _add(archive: tarfile.TarFile, entry: tarfile.TarInfo, extraction: Extraction) -> None:
    if entry.size < 0:
        raise tarfile.ReadError("a member of less than no bytes")
    if entry.isdir():
        if entry.name not in {".", ""}:
            extraction.add_folder(entry.name)
        return
    content = archive.extractfile(entry) if entry.isreg() and not entry.issparse() else None
    if content is None:
        raise UploadRejected(f"{entry.name[:100]!r} is neither a plain file nor a directory", "unsupported_member")
    extraction.add_file(entry.name, content)


class _Budget:
    """A tar stream that ends in a refusal when more of it is no file's content than headers need.

    The library reads a header's extensions into memory whole, whatever their size.
    """

    def __init__(self, stream: Readable, extraction: Extraction) -> None:
        self._stream = stream
        self._extraction = extraction
        self._read_bytes = 0
        self._last: deque[bytes] = deque(maxlen=_READS_KEPT)

    def behind(self, offset: int) -> bytes:
        """What the library has read ahead of an offset."""
        last = b"".join(self._last)
        return last[len(last) - (self._read_bytes - offset) :]

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(size)
        self._read_bytes += len(data)
        self._last.append(data)
        allowed = self._extraction.written_bytes + _HEADERS_BYTES + self._extraction.count * _HEADER_BYTES
        if self._read_bytes > allowed:
            raise UploadRejected("the archive's headers unpack to more bytes than are taken", "archive_too_large")
        self._extraction.check_time()
        return data


class _Pieces:
    """A stream of pieces, none of them larger than a chunk."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int = -1, /) -> bytes:
        while len(self._rest) < size and (piece := next(self._pieces, b"")):
            self._rest += piece
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


def _gzip_pieces(file: BinaryIO) -> Iterator[bytes]:
    inflater = zlib.decompressobj(wbits=31)
    while not inflater.eof:
        data = inflater.unconsumed_tail or file.read(CHUNK_BYTES)
        piece = inflater.decompress(data, CHUNK_BYTES)
        if piece:
            yield piece
        elif not data:
            raise zlib.error("the gzip stream is cut off")
    if inflater.unused_data or file.read(1):
        raise zlib.error("data behind the end of the gzip stream")


def _zstd_pieces(file: BinaryIO) -> Iterator[bytes]:
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG_MAX}
    inflater = zstd.ZstdDecompressor(options=options)
    while not inflater.eof:
        data = file.read(CHUNK_BYTES) if inflater.needs_input else b""
        if inflater.needs_input and not data:
            raise zstd.ZstdError("the zstd frame is cut off")
        if piece := inflater.decompress(data, CHUNK_BYTES):
            yield piece
    if inflater.unused_data or file.read(1):
        raise zstd.ZstdError("data behind the end of the zstd frame")
