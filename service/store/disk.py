"""The few ways in which the store changes the disk: after a crash there is the old or the new, nothing in between."""

from __future__ import annotations

import fcntl
import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from service.errors import DiskFull, FolderReadOnly

_PARTIAL_SUFFIX = ".partial"


def flush(path: Path) -> None:
    """Be sure that a file, or the names in a folder, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_tree(directory: Path) -> None:
    """Flush a folder: files first, then their folders from the deepest up."""
    paths = sorted(directory.rglob("*"), key=lambda path: (path.is_dir(), -len(path.parts)))
    for path in [*paths, directory]:
        flush(path)


def make_folder(directory: Path) -> None:
    """Make a folder and those above it, where they are missing, and flush their names."""
    if not directory.is_dir():
        make_folder(directory.parent)
        directory.mkdir(exist_ok=True)
        flush(directory.parent)


def move(source: Path, target: Path) -> None:
    """Rename, and flush the folders on both sides.

    Raises:
        OSError: above all, a folder that is not empty cannot be renamed onto.
    """
    source.rename(target)
    flush(target.parent)
    flush(source.parent)


def write_json(path: Path, document: Any) -> None:  # noqa: ANN401 -- whatever JSON can hold
    """Replace a file by one that holds a document."""
    partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}{_PARTIAL_SUFFIX}")
    try:
        partial.write_text(json.dumps(document, indent=1) + "\n")
        flush(partial)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    flush(path.parent)


def partial_files(folder: Path) -> list[Path]:
    """What `write_json` left in a folder when it was interrupted."""
    return sorted(folder.glob(f"*{_PARTIAL_SUFFIX}"))


@contextmanager
def writable() -> Iterator[None]:
    """Let a disk that is full, or cannot be written, be an error of the service's."""
    try:
        yield
    except OSError as exc:
        if exc.errno in FolderReadOnly.errnos:
            raise FolderReadOnly("the folder of models cannot be written: changes are refused") from exc
        if exc.errno in DiskFull.errnos:
            raise DiskFull("no room on the server's disk for this: nothing of it was kept") from exc
        raise


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock that ends with the block or with the process, whichever is first; waits for whoever holds it."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_locked(path: Path) -> bool:
    """Whether a process that still runs holds the lock of a file."""
    try:
        with path.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
