"""Store: model versions as folders, `<models>/<name>/<version>/saved_model.pb`, TensorFlow Serving's own layout.

The folder is the truth: there is no database. A version appears by one rename and never changes afterwards, so a
crash at any instruction leaves it either whole or absent. `.staging` below the same root holds what is not yet a
version.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from service.errors import FolderReadOnly, UploadRejected, VersionExists
from service.store.names import is_name, is_version

STAGING = ".staging"
MANIFEST = "manifest.json"
GRAPH = "saved_model.pb"
_IGNORED_FOLDERS = {"__MACOSX"}

Fingerprint = tuple[tuple[str, int, int], ...]
"""Path, size and time of change of each file: the same twice means that nobody is writing."""


@dataclass(frozen=True, order=True)
class VersionId:
    """Which version of which model."""

    name: str
    number: int


@dataclass(frozen=True)
class Manifest:
    """What was stored, written into the version's folder when it was uploaded.

    Args:
        digest: of the content: the sorted paths and the SHA-256 of each file.
        bytes: all files together.
        created: when it was stored, ISO 8601, UTC.
    """

    digest: str
    bytes: int
    created: str


class Store:
    """The folder of models.

    Args:
        root: exists; each folder in it is a model, each numbered folder in that a version.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def directory(self, version: VersionId) -> Path:
        """Where a version lies, or will lie."""
        return self.root / version.name / str(version.number)

    def scan(self) -> dict[VersionId, Fingerprint]:
        """The versions that are there now, each with its fingerprint.

        Raises:
            OSError: the root cannot be read, or is not there; `Path.glob` would find nothing in it.
        """
        found = {}
        for folder in self.root.iterdir():
            for graph in folder.glob(f"*/{GRAPH}") if is_name(folder.name) else ():
                number = graph.parent.name
                if is_version(number):
                    found[VersionId(folder.name, int(number))] = fingerprint(graph.parent)
        return found

    def sweep(self) -> None:
        """Remove what an earlier process left half done."""
        shutil.rmtree(self.root / STAGING, ignore_errors=True)

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """A new empty folder on the same file system; whatever is left in it at the end is removed.

        Raises:
            FolderReadOnly: the root cannot be written, as it turns out here or in the block.
        """
        folder = self.root / STAGING / uuid.uuid4().hex
        try:
            folder.mkdir(parents=True)
            yield folder
        except OSError as exc:
            if exc.errno in FolderReadOnly.errnos:
                raise FolderReadOnly("the folder of models cannot be written: uploads are refused") from exc
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def install(self, staged: Path, version: VersionId, manifest: Manifest) -> Path:
        """Make a staged folder a version, by one rename, and be sure that it survives a power cut.

        Returns:
            Where it lies now.

        Raises:
            VersionExists: somebody else has installed that version.
        """
        (staged / MANIFEST).write_text(json.dumps(asdict(manifest), indent=1) + "\n")
        _flush_tree(staged)
        directory = self.directory(version)
        directory.parent.mkdir(exist_ok=True)
        _rename(staged, directory, version)
        _flush(directory.parent)
        _flush(self.root)
        return directory


def fingerprint(directory: Path) -> Fingerprint:
    """See Fingerprint; files that vanish meanwhile are left out."""
    entries = []
    for path in _files(directory):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        entries.append((path.relative_to(directory).as_posix(), status.st_size, status.st_mtime_ns))
    return tuple(entries)


def describe(directory: Path) -> Manifest:
    """The manifest of a folder's content as it is now; the manifest file itself does not count as content."""
    digest, size = hashlib.sha256(), 0
    for path in _files(directory):
        if path == directory / MANIFEST:
            continue
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        size += path.stat().st_size
        digest.update(f"{path.relative_to(directory).as_posix()}\0{content}\n".encode())
    return Manifest(f"sha256:{digest.hexdigest()}", size, datetime.now(UTC).isoformat(timespec="seconds"))


def read_manifest(directory: Path) -> Manifest | None:
    """The manifest stored with a version; None for a folder that an operator put there."""
    try:
        return Manifest(**json.loads((directory / MANIFEST).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def find_model(unpacked: Path) -> Path:
    """The folder of an unpacked archive that is the SavedModel: the top, or the one folder in it.

    Raises:
        UploadRejected: there is none.
    """
    folders = [path for path in unpacked.iterdir() if path.is_dir() and path.name not in _IGNORED_FOLDERS]
    for candidate in [unpacked, *(folders if len(folders) == 1 else [])]:
        if (candidate / GRAPH).is_file():
            return candidate
    names = ", ".join(sorted(path.name for path in unpacked.iterdir())[:5]) or "nothing"
    raise UploadRejected(
        f"no {GRAPH} at the archive's top or in its one folder; there is: {names}", "missing_saved_model"
    )


def _files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file())


def _rename(staged: Path, directory: Path, version: VersionId) -> None:
    try:
        staged.rename(directory)
    except OSError as exc:  # a folder that is not empty cannot be renamed onto
        if directory.exists():
            raise VersionExists(
                f"version {version.number} of {version.name} was stored by somebody else just now"
            ) from exc
        raise


def _flush_tree(directory: Path) -> None:
    """Files first, then their folders from the deepest up."""
    paths = sorted(directory.rglob("*"), key=lambda path: (path.is_dir(), -len(path.parts)))
    for path in [*paths, directory]:
        _flush(path)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
