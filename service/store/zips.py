"""Zip archives, read as strictly as a package index reads them.

The library's own reader takes the last of two members of one name, inflates one member under many names, and ignores
what lies before, between and behind the members.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from typing import BinaryIO

from service.errors import UploadRejected
from service.store.extraction import Extraction, unsafe_path

_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_END_64_LOCATOR_BYTES = 20
_LOCAL = struct.Struct("<4s2xH10x2L2H")
_ENCRYPTED, _HAS_DESCRIPTOR, _IS_UTF8 = 0x1, 0x8, 0x800
_SIZES_ELSEWHERE = 0xFFFFFFFF
_ENTRY_MAX_BYTES = 2048
"""Of one member in the directory: 46, a name and what else packers note there."""


def unpack_zip(file: BinaryIO, extraction: Extraction) -> None:
    """Write a zip's members; raises UploadRejected or one of the library's errors for what is not plain."""
    _check_end(file, extraction)
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        _check_places(file, entries, archive.start_dir)
        extraction.check_size(sum(entry.file_size for entry in entries))
        for entry in entries:
            _check_entry(entry)
            if entry.is_dir():
                extraction.add_folder(entry.filename)
                continue
            with archive.open(entry) as content:
                extraction.add_file(entry.filename, content)


def _check_end(file: BinaryIO, extraction: Extraction) -> None:
    """The directory's end stands at the file's end and promises no more than is taken: the library believes it."""
    tail_bytes = _END.size + _END_64_LOCATOR_BYTES + _END_64.size
    file.seek(-min(tail_bytes, extraction.archive_bytes), os.SEEK_END)
    tail = file.read()
    end, tail_64 = tail[-_END.size :], tail[: -_END.size]
    if len(end) < _END.size or not end.startswith(b"PK\x05\x06"):
        raise zipfile.BadZipFile("no end of the zip directory, or data behind it")
    count, directory_bytes = _END.unpack(end)[4:6]
    if tail_64[-_END_64_LOCATOR_BYTES:].startswith(b"PK\x06\x07"):
        if len(tail) < tail_bytes or not tail.startswith(b"PK\x06\x06"):
            raise zipfile.BadZipFile("the end of the zip directory is not where it should be")
        count, directory_bytes = _END_64.unpack_from(tail)[7:9]
    extraction.check_count(count)
    if directory_bytes > (extraction.limits.files_max + 1) * _ENTRY_MAX_BYTES:
        raise UploadRejected("the zip's directory is larger than that of any model", "archive_too_large")


def _check_places(file: BinaryIO, entries: list[zipfile.ZipInfo], end: int) -> None:
    """Each member has bytes of its own, the first ones at the start, and is what the directory says it is."""
    ordered = sorted(entries, key=lambda entry: entry.header_offset)
    limits = [*(entry.header_offset for entry in ordered[1:]), end]
    for entry, limit in zip(ordered, limits, strict=True):
        if not 0 <= entry.header_offset < end:
            raise zipfile.BadZipFile("a member lies outside the file")
        file.seek(entry.header_offset)
        header = file.read(_LOCAL.size).ljust(_LOCAL.size, b"\0")
        signature, flags, packed, size, name_bytes, extra_bytes = _LOCAL.unpack(header)
        data_start = entry.header_offset + _LOCAL.size + name_bytes + extra_bytes
        if signature != b"PK\x03\x04" or data_start + entry.compress_size > limit:
            raise zipfile.BadZipFile("members overlap")
        _check_sizes(entry, flags, packed, size)
    if ordered and ordered[0].header_offset:
        raise zipfile.BadZipFile("data before the first member")


def _check_sizes(entry: zipfile.ZipInfo, flags: int, packed: int, size: int) -> None:
    """A member's own header agrees with the directory, where it knows its sizes at all."""
    if not flags & _HAS_DESCRIPTOR and (
        packed not in {entry.compress_size, _SIZES_ELSEWHERE} or size not in {entry.file_size, _SIZES_ELSEWHERE}
    ):
        raise zipfile.BadZipFile("a member's sizes differ from those in the directory")


def _check_entry(entry: zipfile.ZipInfo) -> None:
    if not entry.filename:
        raise unsafe_path(entry.filename)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise UploadRejected(f"{entry.filename!r} is neither a file nor a directory", "unsupported_member")
    if entry.orig_filename != entry.filename or not (entry.filename.isascii() or entry.flag_bits & _IS_UTF8):
        raise unsafe_path(entry.orig_filename)
    if entry.flag_bits & _ENCRYPTED or entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise zipfile.BadZipFile(f"{entry.filename!r} is encrypted, or compressed otherwise than by deflate")
