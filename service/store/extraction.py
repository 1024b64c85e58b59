"""Extraction: the members of an archive, written below one folder: only what is plain, within limits."""

from __future__ import annotations

import os
import time
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from service.errors import UploadRejected
from service.store.reserve import Reserve

CHUNK_BYTES = 1 << 18
_PART_MAX_BYTES = 255  # of Linux's file systems
_NAME_MAX_BYTES = 1024  # below the kernel's 4,096, with room for the folder it goes to
_DEPTH_MAX = 8  # a SavedModel in a folder needs three


@dataclass(frozen=True)
class ArchiveLimits:
    """How much may come out of an archive.

    Args:
        unpacked_max_bytes: all files together.
        files_max: files and directories.
        file_max_bytes: one file.
        timeout_s: how long unpacking may take.
        ratio_max: bytes that come out for each byte that went in; looked at beyond `ratio_from_bytes`.
        ratio_from_bytes: less than this is never a bomb.
        disk_reserve_bytes: that stay free on the disk.
    """

    unpacked_max_bytes: int
    files_max: int
    file_max_bytes: int = 1 << 30
    timeout_s: float = 120.0
    ratio_max: int = 100
    ratio_from_bytes: int = 64 << 20
    disk_reserve_bytes: int = 0


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; none at the end."""
        ...


@dataclass
class Extraction:
    """What was written so far, below a directory.

    Args:
        directory: exists and is empty.
        limits: how much may come.
        archive_bytes: of the archive as it was sent.
    """

    directory: Path
    limits: ArchiveLimits
    archive_bytes: int
    written_bytes: int = 0
    count: int = 0
    _files: set[str] = field(default_factory=set)
    _folders: set[str] = field(default_factory=set)
    _started_s: float = field(default_factory=time.monotonic)
    _reserve: Reserve = field(init=False)

    def __post_init__(self) -> None:
        self._reserve = Reserve(self.directory, self.limits.disk_reserve_bytes)

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
        if folded in self._files or folded in self._folders:
            raise UploadRejected(f"{name!r} is in the archive twice", "duplicate_member")
        self._files.add(folded)
        path = self.directory.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o644)
        with os.fdopen(descriptor, "wb") as file:
            self._copy(content, file, parts)

    def check_size(self, size: int) -> None:
        """Refuse an archive that unpacks to so many bytes."""
        limits = self.limits
        is_bomb = size > limits.ratio_from_bytes and size > limits.ratio_max * self.archive_bytes
        if size > limits.unpacked_max_bytes:
            raise _too_large(f"the archive unpacks to more than {limits.unpacked_max_bytes} bytes")
        if is_bomb:
            raise _too_large(
                f"the archive unpacks to more than {limits.ratio_max} times its own {self.archive_bytes} bytes"
            )

    def check_count(self, count: int) -> None:
        """Refuse an archive of so many members."""
        if count > self.limits.files_max:
            raise _too_large(f"more than {self.limits.files_max} files in the archive")

    def check_time(self) -> None:
        """Refuse an archive that takes too long."""
        if time.monotonic() - self._started_s > self.limits.timeout_s:
            raise UploadRejected(f"unpacking took longer than {self.limits.timeout_s:g} s", "unpack_timeout")

    def _copy(self, content: Readable, file: IO[bytes], parts: list[str]) -> None:
        size, most = 0, self.limits.file_max_bytes
        while chunk := content.read(CHUNK_BYTES):
            size += len(chunk)
            self.written_bytes += len(chunk)
            self.check_size(self.written_bytes)
            self.check_time()
            if size > most:
                raise _too_large(f"{'/'.join(parts)!r} is larger than the {most} bytes that are taken")
            file.write(chunk)
            self._reserve.count(len(chunk))

    def _count_member(self) -> None:
        self.count += 1
        self.check_count(self.count)
        self.check_time()

    def _claim_folders(self, parts: list[str]) -> None:
        for depth in range(1, len(parts) + 1):
            folder = "/".join(parts[:depth]).casefold()
            if folder in self._files:
                raise UploadRejected(f"{'/'.join(parts[:depth])!r} is both a file and a directory", "duplicate_member")
            self._folders.add(folder)


def checked_parts(name: str) -> list[str]:
    """The parts of a member's path, relative and harmless.

    Raises:
        UploadRejected: absolute, upwards, too long or too deep, or with characters that file systems disagree about.
    """
    parts = name.removeprefix("./").split("/")
    is_plain = unicodedata.is_normalized("NFC", name) and not any(
        character in "\\:" or unicodedata.category(character) in {"Cc", "Cs"} for character in name
    )
    if (
        not is_plain
        or len(parts) > _DEPTH_MAX
        or len(name.encode()) > _NAME_MAX_BYTES
        or any(not _is_plain_part(part) for part in parts)
    ):
        raise unsafe_path(name)
    return parts


def unsafe_path(name: str) -> UploadRejected:
    """The refusal of a member's name."""
    return UploadRejected(f"unsafe path in the archive: {name[:100]!r}", "unsafe_path")


def _is_plain_part(part: str) -> bool:
    return part not in {"", ".", ".."} and len(part.encode()) <= _PART_MAX_BYTES


def _too_large(text: str) -> UploadRejected:
    return UploadRejected(text, "archive_too_large")
