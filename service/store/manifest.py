"""Manifest: what was stored of a version, by whom and when; and whether it is still so."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from service.engine.specs import SignatureSpec
from service.errors import UploadRejected
from service.store import disk
from service.store.contents import model_files

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class FileRecord:
    """One file: its size in bytes, and its SHA-256 in hexadecimal."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What was stored, written into the version's folder when it was uploaded.

    Args:
        digest: of the content: the sorted paths and the SHA-256 of each file.
        bytes: all files together.
        created: when it was stored, ISO 8601, UTC.
        uploader: the id of the key it was uploaded with.
        files: by their paths below the version's folder.
        signatures: as its worker found them when it was stored, by name; none where that was before they were kept.
    """

    digest: str
    bytes: int
    created: str
    uploader: str | None = None
    files: Mapping[str, FileRecord] = field(default_factory=dict)
    signatures: Mapping[str, SignatureSpec] = field(default_factory=dict)


_FIELDS = {item.name for item in fields(Manifest)}


def describe(directory: Path, uploader: str | None = None) -> Manifest:
    """The manifest of a folder's content as it is now; what is no part of a SavedModel does not count."""
    files = {name: _file_record(path) for name, path in model_files(directory).items()}
    digest = hashlib.sha256("".join(f"{name}\0{file.sha256}\n" for name, file in files.items()).encode())
    size = sum(file.size for file in files.values())
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return Manifest(f"sha256:{digest.hexdigest()}", size, created, uploader, files)


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Put a manifest beside the content it describes."""
    signatures = {name: spec.to_plain() for name, spec in manifest.signatures.items()}
    disk.write_json(directory / MANIFEST, {**asdict(manifest), "signatures": signatures})


def read_manifest(directory: Path) -> Manifest | None:
    """The manifest stored with a version; None for a folder that an operator put there.

    Raises:
        UploadRejected: there is one, and it cannot be read.
    """
    try:
        document: dict[str, Any] = json.loads((directory / MANIFEST).read_bytes())
        files = {name: FileRecord(**record) for name, record in document.get("files", {}).items()}
        known = {name: value for name, value in document.items() if name in _FIELDS}
        return replace(Manifest(**known), files=files, signatures=_signatures(document))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as exc:
        raise UploadRejected("its files cannot be read: let the server's user read them", "load_failed") from exc
    except (OSError, ValueError, TypeError, AttributeError) as exc:
        raise UploadRejected(
            f"its {MANIFEST} cannot be read ({type(exc).__name__}): restore the version from a backup, or delete it",
            "digest_mismatch",
        ) from exc


def verify(directory: Path, manifest: Manifest) -> None:
    """Be sure that a version is what was stored.

    Raises:
        UploadRejected: a file is missing, new, or another; the code is digest_mismatch.
    """
    found = describe(directory)
    if found.digest == manifest.digest:
        return
    known = manifest.files
    differing = sorted(name for name in {*known, *found.files} if known.get(name) != found.files.get(name))
    raise UploadRejected(
        f"its files are not those that were stored: {', '.join(differing[:5]) if known else 'their digest differs'}; "
        "restore the version from a backup, or delete it",
        "digest_mismatch",
    )


def _signatures(document: Mapping[str, Any]) -> dict[str, SignatureSpec]:
    """What is listed before a version is loaded; nothing where it is written as a newer service may."""
    try:
        return {name: SignatureSpec.from_plain(signature) for name, signature in document.get("signatures", {}).items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _file_record(path: Path) -> FileRecord:
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    return FileRecord(path.stat().st_size, content)


def digest_of(directory: Path) -> str | None:
    """The digest of a version, for the audit log; None of one that an operator put there, or that cannot be told."""
    with contextlib.suppress(UploadRejected):
        manifest = read_manifest(directory)
        return manifest.digest if manifest else None
    return None
