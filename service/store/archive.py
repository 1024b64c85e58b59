"""Unpack an upload safely: zip, tar or tar.gz, told apart by their first bytes.

What is not plain is refused, never repaired: the standard library's own extraction silently renames, overlaps and
inflates. Declared sizes only allow an early no; the bytes that really come out are counted.
"""

from __future__ import annotations

import os
import stat
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO, Protocol

from service.errors import UploadRejected

_CHUNK_BYTES = 1 << 18
_NAME_MAX_BYTES = 255
_DEPTH_MAX = 8
_TAR_BLOCK_BYTES = 512
_TAR_MAGIC_OFFSET = 257
_ZIP_END = struct.Struct("<4s4H2LH")
_ZIP_LOCAL = struct.Struct("<4s22x2H")
_ZIP_ENCRYPTED = 0x1
_REFUSALS = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


@dataclass(frozen=True)
class ArchiveLimits:
    """How much may come out of an archive.

    Args:
        unpacked_max_bytes: all files together.
        files_max: files and directories.
        ratio_max: bytes that come out for each byte that went in; looked at beyond `ratio_from_bytes`.
        ratio_from_bytes: less than this is never a bomb.
    """

    unpacked_max_bytes: int
    files_max: int
    ratio_max: int = 100
    ratio_from_bytes: int = 64 << 20


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; none at the end."""
        ...


@dataclass
class Target:
    """The directory that is unpacked into, and how much it has taken so far."""

    directory: Path
    limits: ArchiveLimits
    archive_bytes: int
    written_bytes: int = 0
    members: int = 0
    files: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)

    def add_folder(self, name: str) -> None:
        """Note a directory member; directories are made for the files in them."""
        self._count_member()
        self._claim_folders(checked_parts(name.rstrip("/")))

    def add_file(self, name: str, content: Readable) -> None:
        """Write a file member, counting what really comes."""
        self._count_member()
        parts = checked_parts(name)
        folded = "/".join(parts).casefold()
        self._claim_folders(parts[:-1])
        if folded in self.files or folded in self.folders:
            raise UploadRejected(f"{name!r} is in the archive twice", "duplicate_member")
        self.files.add(folded)
        path = self.directory.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o644)
        with os.fdopen(descriptor, "wb") as file:
            self._copy(content, file)

    def _copy(self, content: Readable, file: IO[bytes]) -> None:
        while chunk := content.read(_CHUNK_BYTES):
            self.written_bytes += len(chunk)
            self.check_size(self.written_bytes)
            file.write(chunk)

    def check_size(self, size: int) -> None:
        """Refuse an archive that unpacks to so many bytes."""
        limits = self.limits
        is_bomb = size > limits.ratio_from_bytes and size > limits.ratio_max * self.archive_bytes
        if size > limits.unpacked_max_bytes:
            raise UploadRejected(
                f"the archive unpacks to more than {limits.unpacked_max_bytes} bytes", "archive_too_large"
            )
        if is_bomb:
            raise UploadRejected(
                f"the archive unpacks to more than {limits.ratio_max} times its own {self.archive_bytes} bytes",
                "archive_too_large",
            )

    def _count_member(self) -> None:
        self.members += 1
        if self.members > self.limits.files_max:
            raise UploadRejected(f"more than {self.limits.files_max} files in the archive", "archive_too_large")

    def _claim_folders(self, parts: list[str]) -> None:
        for depth in range(1, len(parts) + 1):
            folder = "/".join(parts[:depth]).casefold()
            if folder in self.files:
                raise UploadRejected(f"{'/'.join(parts[:depth])!r} is both a file and a directory", "duplicate_member")
            self.folders.add(folder)


def unpack(archive: Path, directory: Path, limits: ArchiveLimits) -> None:
    """Unpack an archive into an empty directory.

    Args:
        archive: a zip, tar or tar.gz file, whatever its name.
        directory: exists and is empty; on failure what was written is left there, for the caller to remove.
        limits: how much may come out.

    Raises:
        UploadRejected: the archive is damaged, too large, or not plain; the code says which.
    """
    target = Target(directory, limits, archive.stat().st_size)
    with archive.open("rb") as file:
        try:
            _unpacker(file)(file, target)
        except _REFUSALS as exc:
            raise UploadRejected(f"the archive is damaged: {exc}", "bad_archive") from exc


def checked_parts(name: str) -> list[str]:
    """The parts of a member's path, relative and harmless.

    Raises:
        UploadRejected: absolute, upwards, too long or too deep, or with characters that file systems disagree about.
    """
    parts = name.removeprefix("./").split("/")
    is_plain = unicodedata.is_normalized("NFC", name) and not any(
        character in "\\:" or unicodedata.category(character) in {"Cc", "Cs"} for character in name
    )
    if not is_plain or len(parts) > _DEPTH_MAX or any(not _is_plain_part(part) for part in parts):
        raise UploadRejected(f"unsafe path in the archive: {name[:100]!r}", "unsafe_path")
    return parts


def _is_plain_part(part: str) -> bool:
    return part not in {"", ".", ".."} and len(part.encode()) <= _NAME_MAX_BYTES


def _unpacker(file: BinaryIO) -> _Unpacker:
    start = file.read(_TAR_BLOCK_BYTES)
    file.seek(0)
    is_tar = start[_TAR_MAGIC_OFFSET:].startswith(b"ustar")
    if start.startswith(b"PK\x03\x04") and not is_tar:
        return _unpack_zip
    if start.startswith(b"\x1f\x8b") and not is_tar:
        return _unpack_tar_gz
    if is_tar:
        return _unpack_tar
    raise UploadRejected("this is no archive: a zip, tar or tar.gz of a SavedModel was expected", "bad_archive")


class _Unpacker(Protocol):
    def __call__(self, file: BinaryIO, target: Target, /) -> None: ...


def _unpack_zip(file: BinaryIO, target: Target) -> None:
    _check_zip_end(file, target)
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        _check_overlap(file, members, archive.start_dir)
        target.check_size(sum(member.file_size for member in members))
        for member in members:
            _check_zip_member(member)
            if member.is_dir():
                target.add_folder(member.filename)
                continue
            with archive.open(member) as content:
                target.add_file(member.filename, content)


def _check_zip_end(file: BinaryIO, target: Target) -> None:
    """The directory's end stands at the file's end and promises no more members than are taken."""
    file.seek(-min(_ZIP_END.size, target.archive_bytes), os.SEEK_END)
    record = file.read()
    if len(record) < _ZIP_END.size or not record.startswith(b"PK\x05\x06"):
        raise zipfile.BadZipFile("no end of the zip directory, or data behind it")
    if _ZIP_END.unpack(record)[4] > target.limits.files_max:
        raise UploadRejected(f"more than {target.limits.files_max} files in the archive", "archive_too_large")


def _check_overlap(file: BinaryIO, members: list[zipfile.ZipInfo], end: int) -> None:
    """Each member has bytes of its own: ten kilobytes could otherwise be made into hundreds of megabytes."""
    ordered = sorted(members, key=lambda member: member.header_offset)
    limits = [*(member.header_offset for member in ordered[1:]), end]
    for member, limit in zip(ordered, limits, strict=True):
        if not 0 <= member.header_offset < end:
            raise zipfile.BadZipFile("a member lies outside the file")
        file.seek(member.header_offset)
        signature, name_bytes, extra_bytes = _ZIP_LOCAL.unpack(file.read(_ZIP_LOCAL.size).ljust(_ZIP_LOCAL.size, b"\0"))
        data_start = member.header_offset + _ZIP_LOCAL.size + name_bytes + extra_bytes
        if signature != b"PK\x03\x04" or data_start + member.compress_size > limit:
            raise zipfile.BadZipFile("members overlap")


def _check_zip_member(member: zipfile.ZipInfo) -> None:
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise UploadRejected(f"{member.filename!r} is neither a file nor a directory", "unsupported_member")
    if member.orig_filename != member.filename:
        raise UploadRejected(f"unsafe path in the archive: {member.orig_filename[:100]!r}", "unsafe_path")
    if member.flag_bits & _ZIP_ENCRYPTED or member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise zipfile.BadZipFile(f"{member.filename!r} is encrypted, or compressed otherwise than by deflate")


def _unpack_tar(file: Readable, target: Target) -> None:
    budget = _Budget(file, target)
    with tarfile.open(fileobj=budget, mode="r|") as archive:  # type: ignore[call-overload]  # a reader is all it needs
        for member in archive:
            _add_tar_member(archive, member, target)
    while rest := budget.read(_CHUNK_BYTES):
        if rest.strip(b"\0"):
            raise tarfile.ReadError("data behind the end of the archive")


def _unpack_tar_gz(file: BinaryIO, target: Target) -> None:
    _unpack_tar(_Inflated(file), target)


def _add_tar_member(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Target) -> None:
    if member.isdir():
        if member.name not in {".", ""}:
            target.add_folder(member.name)
        return
    content = archive.extractfile(member) if member.isreg() and not member.issparse() else None
    if content is None:
        raise UploadRejected(f"{member.name!r} is neither a plain file nor a directory", "unsupported_member")
    target.add_file(member.name, content)


class _Budget:
    """A tar stream that ends in a refusal when it is longer than files of the allowed size and number could make it."""

    def __init__(self, stream: Readable, target: Target) -> None:
        self._stream = stream
        self._target = target
        self._left = target.limits.unpacked_max_bytes + (target.limits.files_max + 20) * 4 * _TAR_BLOCK_BYTES

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise UploadRejected("the archive unpacks to more bytes than are taken", "archive_too_large")
        return data


class _Inflated:
    """The bytes in a gzip stream, never more in memory than asked for; what follows the stream is an error."""

    def __init__(self, file: BinaryIO) -> None:
        self._pieces = _inflated_pieces(file)
        self._rest = b""

    def read(self, size: int = -1, /) -> bytes:
        while len(self._rest) < size and (piece := next(self._pieces, b"")):
            self._rest += piece
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


def _inflated_pieces(file: BinaryIO) -> Iterator[bytes]:
    inflater = zlib.decompressobj(wbits=31)
    while not inflater.eof:
        data = inflater.unconsumed_tail or file.read(_CHUNK_BYTES)
        piece = inflater.decompress(data, _CHUNK_BYTES)
        if piece:
            yield piece
        elif not data:
            raise zlib.error("the gzip stream is cut off")
    if inflater.unused_data or file.read(1):
        raise zlib.error("data behind the end of the gzip stream")
