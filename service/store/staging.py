"""Staging: what is not yet a version, `<models>/.staging/<random>`, each beside a lock of the process it belongs to."""

from __future__ import annotations

import contextlib
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.store import disk

STAGING = ".staging"
_LOCK_SUFFIX = ".lock"


@contextmanager
def staged(root: Path, changing: contextlib.AbstractContextManager[None]) -> Iterator[Path]:
    """A new empty folder on the same file system; whatever is left in it at the end is removed.

    Args:
        root: the folder of models.
        changing: its lock, or else a sweep could come between the folder and the folder's own lock.
    """
    folder = root / STAGING / uuid.uuid4().hex
    with contextlib.ExitStack() as held:
        try:
            with changing:
                folder.mkdir(parents=True)
                held.enter_context(disk.locked(_lock_of(folder)))
            yield folder
        finally:
            remove(folder)
            remove(_lock_of(folder))


def orphans(root: Path) -> list[Path]:
    """What is in staging and belongs to no process that runs."""
    return [path for path in (root / STAGING).glob("*") if not _is_held(path)]


def remove(path: Path) -> None:
    """Remove a file or a folder, as far as that is possible."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


def _is_held(path: Path) -> bool:
    lock = path if path.suffix == _LOCK_SUFFIX else _lock_of(path)
    return lock.exists() and disk.is_locked(lock)


def _lock_of(folder: Path) -> Path:
    """Beside the folder, so that the folder begins empty."""
    return folder.with_name(folder.name + _LOCK_SUFFIX)
