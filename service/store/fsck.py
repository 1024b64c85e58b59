"""Check a folder of models: is every version what was stored, and does everything else belong here?"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from service.errors import ServiceError, StoreDamaged
from service.store import staging
from service.store.labels import read_labels
from service.store.manifest import read_manifest, verify
from service.store.store import Store, VersionId


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be.

    Args:
        kind: damaged_version, damaged_trash, orphan, dangling_label, damaged_labels or partial_file.
        where: a path below the folder of models.
        text: what is wrong, and what to do.
        repair: puts it right without losing anything; None where only a person can.
        leftover: what the repair removes, if it removes a file or a folder.
    """

    kind: str
    where: str
    text: str
    repair: Callable[[], object] | None = None
    leftover: Path | None = None

    def repaired(self) -> bool:
        """Put it right, and say whether it is: what cannot be written stays as it is."""
        if self.repair is None:
            return False
        try:
            self.repair()
        except (ServiceError, OSError):
            return False
        return self.leftover is None or not os.path.lexists(self.leftover)


def partial_file(where: str, path: Path, repair: Callable[[], object]) -> Finding:
    """What a process that ended while it wrote has left."""
    text = "left by a process that ended while it wrote: it can be removed"
    return Finding("partial_file", where, text, repair, path)


def check(store: Store) -> Iterator[Finding]:
    """Everything that is wrong, as it is found; reads every byte of every version."""
    for part in (_versions, _trash, _orphans, _labels, _partial_files):
        yield from part(store)


def _versions(store: Store) -> Iterator[Finding]:
    for name in sorted(store.names()):
        for number in store.numbers(name):
            directory = store.directory(VersionId(name, number))
            if problem := _problem(directory):
                yield Finding("damaged_version", _where(store, directory), problem)


def _trash(store: Store) -> Iterator[Finding]:
    for entry in store.trash.entries():
        if problem := _problem(entry.directory):
            yield Finding("damaged_trash", _where(store, entry.directory), problem)


def _problem(directory: Path) -> str | None:
    """What is wrong with a version; nothing can be with one that an operator put there."""
    try:
        manifest = read_manifest(directory)
        if manifest:
            verify(directory, manifest)
    except ServiceError as exc:
        return exc.message
    except OSError as exc:
        return f"it cannot be read: {exc.strerror}"
    return None


def _orphans(store: Store) -> Iterator[Finding]:
    for path in sorted(staging.orphans(store.root)):
        yield Finding(
            "orphan",
            _where(store, path),
            "left by a process that ended in the middle of an upload: it can be removed",
            lambda path=path: staging.remove(path),  # type: ignore[misc]  # mypy does not see the default
            path,
        )


def _labels(store: Store) -> Iterator[Finding]:
    for name in sorted(store.names()):
        try:
            labels = read_labels(store.root / name)
        except StoreDamaged as exc:
            yield Finding("damaged_labels", name, exc.message)
            continue
        numbers = store.numbers(name)
        for label, number in labels.items():
            if number not in numbers:
                yield Finding(
                    "dangling_label",
                    f"{name}/{label}",
                    f"the label points at version {number}, which is not there: it can be removed",
                    lambda name=name, label=label: store.set_label(name, label, None, "operator", what="unlabel"),  # type: ignore[misc]
                )


def _partial_files(store: Store) -> Iterator[Finding]:
    for path in store.partial_files():
        yield partial_file(_where(store, path), path, store.sweep)


def _where(store: Store, path: Path) -> str:
    with contextlib.suppress(ValueError):
        return path.relative_to(store.root).as_posix()
    return path.name
