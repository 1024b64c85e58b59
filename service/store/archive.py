"""Unpack an upload safely: zip, tar, tar.gz or tar.zst, told apart by their first bytes.

What is not plain is refused, never repaired: the standard library's own extraction silently renames, overlaps and
inflates. Declared sizes only allow an early no; the bytes that really come out are counted.
"""

from __future__ import annotations

import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from backports import zstd

from service.errors import UnsupportedMediaType, UploadRejected
from service.store.extraction import ArchiveLimits, Extraction
from service.store.tars import unpack_tar, unpack_tar_gz, unpack_tar_zst
from service.store.zips import unpack_zip

_START_BYTES = 512
_DAMAGES = (  # all that the libraries raise for what is no archive, or a broken one
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    zstd.ZstdError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    IndexError,
    struct.error,
)


@dataclass(frozen=True)
class Format:
    """A kind of archive.

    Args:
        name: for people.
        media_types: what it may be declared as.
        magic: its first bytes, from `offset` on.
        offset: see there.
        unpack: writes its members.
    """

    name: str
    media_types: tuple[str, ...]
    magic: bytes
    offset: int
    unpack: Callable[[BinaryIO, Extraction], None]


FORMATS = (
    Format("zip", ("application/zip", "application/x-zip-compressed"), b"PK\x03\x04", 0, unpack_zip),
    Format("tar", ("application/x-tar",), b"ustar", 257, unpack_tar),
    Format(
        "tar.gz",
        ("application/gzip", "application/x-gzip", "application/x-compressed-tar", "application/x-gtar"),
        b"\x1f\x8b",
        0,
        unpack_tar_gz,
    ),
    Format("tar.zst", ("application/zstd", "application/x-zstd"), b"\x28\xb5\x2f\xfd", 0, unpack_tar_zst),
)
UNDECLARED = {"", "application/octet-stream", "application/x-www-form-urlencoded", "binary/octet-stream"}
"""Media types that say nothing: none, what browsers say of files they do not know, what curl says of any data."""


def unpack(archive: Path, directory: Path, limits: ArchiveLimits, media_type: str = "") -> None:
    """Unpack an archive into an empty directory.

    Args:
        archive: a zip, tar, tar.gz or tar.zst file, whatever its name.
        directory: exists and is empty; on failure what was written is left there, for the caller to remove.
        limits: how much may come out.
        media_type: what it was declared as; one of UNDECLARED says nothing.

    Raises:
        UploadRejected: the archive is damaged, too large, or not plain; the code says which.
        UnsupportedMediaType: it was declared as another kind of archive.
    """
    extraction = Extraction(directory, limits, archive.stat().st_size)
    with archive.open("rb") as file:
        found = _format_of(file)
        declared = media_type in UNDECLARED or media_type in found.media_types
        if not declared:
            raise UnsupportedMediaType(f"the body is a {found.name}, and Content-Type says {media_type!r}")
        try:
            found.unpack(file, extraction)
        except _DAMAGES as exc:
            raise UploadRejected(f"the archive is damaged: {exc}", "bad_archive") from exc


def check_media_type(media_type: str) -> None:
    """Raises UnsupportedMediaType for a type that no archive has."""
    known = [name for form in FORMATS for name in form.media_types]
    if media_type not in UNDECLARED and media_type not in known:
        raise UnsupportedMediaType(
            f"Content-Type {media_type[:100]!r} is no archive's: send {', '.join(form.name for form in FORMATS)}, "
            "as what it is, as application/octet-stream, or in a form"
        )


def _format_of(file: BinaryIO) -> Format:
    """The kind of archive that a file's first bytes say it is; two kinds at once are none."""
    start = file.read(_START_BYTES)
    file.seek(0)
    found = [form for form in FORMATS if start[form.offset :].startswith(form.magic)]
    if len(found) != 1:
        names = ", ".join(form.name for form in FORMATS)
        text = f"{' and '.join(form.name for form in found)} at once" if found else "no archive"
        raise UploadRejected(f"this is {text}: a {names} of a SavedModel was expected", "bad_archive")
    return found[0]
