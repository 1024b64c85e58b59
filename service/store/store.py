"""Store: model versions as folders, `<models>/<name>/<version>/saved_model.pb`, TensorFlow Serving's own layout.

The folder is the truth: there is no database. A version appears by one rename, leaves by one rename, and never changes
in between, so a crash at any instruction leaves it either whole or absent. `.staging` below the same root holds
what is not yet a version, `.trash` what is none any more. Processes may share a root: who changes it has the lock.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from service.engine.members import GRAPH
from service.errors import (
    FolderModel,
    ModelNotFound,
    VersionExists,
    VersionInTrash,
    VersionLabelled,
)
from service.store import disk, staging
from service.store.audit import Change, audit, audited
from service.store.fingerprints import Fingerprint, fingerprint
from service.store.labels import labels_of, read_labels, write_labels
from service.store.manifest import MANIFEST, Manifest, digest_of, write_manifest
from service.store.names import is_name, is_version
from service.store.quotas import Quotas, Usage, check_quotas
from service.store.trash import Deleted, Trash
from service.store.usage import usage_with

_LOCK_FILE = ".lock"


@dataclass(frozen=True, order=True)
class VersionId:
    """Which version of which model."""

    name: str
    number: int


class Store:
    """The folder of models.

    Args:
        root: exists; each folder in it is a model, each numbered folder in that a version.
        quotas: how much it may hold.
    """

    def __init__(self, root: Path, quotas: Quotas | None = None) -> None:
        self.root = root
        self.trash = Trash(root)
        self._quotas = quotas or Quotas()

    def directory(self, version: VersionId) -> Path:
        """Where a version lies, or will lie."""
        return self.root / version.name / str(version.number)

    def has(self, version: VersionId) -> bool:
        """Whether a version is there now."""
        return _is_stored(self.directory(version))

    def names(self) -> list[str]:
        """The names of what may be models."""
        return [folder.name for folder in self.root.iterdir() if is_name(folder.name) and folder.is_dir()]

    def numbers(self, name: str) -> list[int]:
        """The versions of a model that are there now, the lowest first."""
        folders = (self.root / name).glob("[1-9]*") if is_name(name) else ()
        return sorted(int(folder.name) for folder in folders if is_version(folder.name) and _is_stored(folder))

    def uploaded(self, name: str) -> list[int]:
        """Those of them that were uploaded, and are whole for that reason."""
        return [
            number
            for number in self.numbers(name)
            if os.path.exists(self.directory(VersionId(name, number)) / MANIFEST)  # noqa: PTH110 -- Path's raises
        ]

    def misplaced(self) -> list[str]:
        """Folders with a graph that are no `<name>/<version>`, relative to the root."""
        graphs = [*self.root.glob(f"[!.]*/{GRAPH}"), *self.root.glob(f"[!.]*/[!.]*/{GRAPH}")]
        places = [graph.parent.relative_to(self.root).parts for graph in graphs]
        is_fine = [len(place) > 1 and is_name(place[0]) and is_version(place[1]) for place in places]
        return sorted("/".join(place) for place, fine in zip(places, is_fine, strict=True) if not fine)

    def scan(self) -> dict[VersionId, Fingerprint]:
        """The versions that are there now, each with its fingerprint.

        Raises:
            OSError: the root cannot be read, or is not there; `Path.glob` would find nothing in it.
        """
        found = {}
        for folder in self.root.iterdir():
            for number in self.numbers(folder.name):
                id_ = VersionId(folder.name, number)
                found[id_] = fingerprint(self.directory(id_))
        return found

    def labels(self, name: str) -> dict[str, int]:
        """The labels of a model; StoreDamaged if they cannot be read."""
        return read_labels(self.root / name)

    def highest(self, name: str) -> int:
        """The highest number that a version of a model has ever had, as far as anything is left of it; 0 for none."""
        numbers = [int(path.name) for path in (self.root / name).glob("[1-9]*") if is_version(path.name)]
        numbers += [entry.number for entry in self.trash.entries(name)]
        return max([*numbers, self.trash.highest().get(name, 0)], default=0)

    def partial_files(self) -> list[Path]:
        """What a process that ended while it wrote has left in the trash's folder and in those of the models."""
        folders = [self.trash.folder, *(self.root / name for name in self.names())]
        return [path for folder in folders for path in disk.partial_files(folder)]

    def sweep(self) -> None:
        """Remove what processes that run no more left half done, where that can be."""
        if self._leftovers():
            with contextlib.suppress(OSError), self._changing():  # who writes holds the lock: what is left is nobody's
                for path in self._leftovers():
                    staging.remove(path)

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """A new empty folder on the same file system; whatever is left in it at the end is removed.

        Raises:
            FolderReadOnly: the root cannot be written, as it turns out here or in the block.
        """
        with disk.writable(), staging.staged(self.root, self._changing()) as folder:
            yield folder

    def install(self, staged: Path, version: VersionId, manifest: Manifest) -> Path:
        """Make a staged folder a version, by one rename, and be sure that it survives a power cut.

        Returns:
            Where it lies now.

        Raises:
            VersionExists: somebody else has installed that version.
            VersionInTrash: it was deleted and can be restored.
            QuotaExceeded: there is no more room for it.
        """
        write_manifest(staged, manifest)
        disk.flush_tree(staged)
        directory = self.directory(version)
        who = manifest.uploader or "unknown"
        with disk.writable(), self._changing():
            self.check_room(version, manifest)
            with audited(self.root, Change("upload", who, version.name, version.number, manifest.digest)):
                disk.make_folder(directory.parent)
                _rename(staged, directory, version)
        return directory

    def check_room(self, version: VersionId, manifest: Manifest) -> None:
        """Whether a version may come in.

        Raises:
            VersionInTrash: it was deleted and can still be restored.
            QuotaExceeded: there is no more room for it.
        """
        if self.trash.find(version.name, version.number):
            raise VersionInTrash(
                f"version {version.number} of {version.name} was deleted and is in the trash: take another number, or "
                f"restore it by POST /v1/models/{version.name}/versions/{version.number}:restore"
            )
        if self._quotas != Quotas():
            check_quotas(self._usage_with(version, manifest), self._quotas)

    def delete(self, name: str, numbers: list[int], who: str) -> None:
        """Move versions of a model to the trash, the lowest first.

        Raises:
            ModelNotFound: one is not there.
            VersionLabelled, FolderModel: one cannot be deleted; none is then.
        """
        with disk.writable(), self._changing():
            for number in numbers:
                self._check_deletable(VersionId(name, number))
            for number in sorted(numbers):
                directory = self.directory(VersionId(name, number))
                with audited(self.root, Change("delete", who, name, number, digest_of(directory))):
                    self.trash.put(directory)
            _remove_empty_model(self.root / name)

    def restore(self, version: VersionId, who: str) -> None:
        """Move a version back from the trash.

        Raises:
            ModelNotFound: it is not in the trash.
            VersionExists: there is another by now.
        """
        with disk.writable(), self._changing():
            entry = self.trash.find(version.name, version.number)
            if entry is None:
                raise ModelNotFound(f"version {version.number} of {version.name} is not in the trash")
            directory = self.directory(version)
            if directory.exists():
                raise VersionExists(f"version {version.number} of {version.name} is there: delete it first")
            with audited(self.root, Change("restore", who, version.name, version.number, digest_of(entry.directory))):
                self.trash.restore(entry, directory)

    def set_label(self, name: str, label: str, number: int | None, who: str, *, what: str = "label") -> dict[str, int]:
        """Let a label point at a version, or remove it; returns the model's labels as they are then.

        Raises:
            ModelNotFound: there is no such version.
        """
        with disk.writable(), self._changing():
            labels = self.labels(name)
            labels.pop(label, None)
            if number is not None:
                if not self.has(VersionId(name, number)):
                    raise ModelNotFound(f"version {number} of {name} is not there: a label needs a version to point at")
                labels[label] = number
            digest = None if number is None else digest_of(self.directory(VersionId(name, number)))
            with audited(self.root, Change(what, who, name, number, digest, label)):
                write_labels(self.root / name, labels)
        return labels

    def note(self, what: str, name: str | None, who: str) -> None:
        """Keep in the audit log, where it can be written, what was done without a change of the store."""
        with contextlib.suppress(OSError):
            audit(self.root, Change(what, who, name))

    def empty_trash(self, keep_days: float) -> list[VersionId]:
        """Remove for good what has been in the trash for longer; returns what that was."""
        return self.purge(lambda entry: entry.age_days > keep_days, "service")

    def purge(self, is_chosen: Callable[[Deleted], bool], who: str) -> list[VersionId]:
        """Remove for good what is in the trash and chosen; returns what that was."""
        purged: list[VersionId] = []
        leaving: list[Path] = []
        if any(map(is_chosen, self.trash.entries())):
            with self._changing():  # chosen anew: one may have been restored, or another process was quicker
                for entry in filter(is_chosen, self.trash.entries()):
                    change = Change("purge", who, entry.name, entry.number, digest_of(entry.directory))
                    with audited(self.root, change):
                        leaving.append(self.trash.purge(entry, self.root / staging.STAGING))
                    purged.append(VersionId(entry.name, entry.number))
        for folder in leaving:  # it may be much: without the lock, which uploads wait for
            staging.remove(folder)
        return purged

    def _leftovers(self) -> list[Path]:
        return staging.orphans(self.root) + self.partial_files()

    def _changing(self) -> contextlib.AbstractContextManager[None]:
        """The lock of this root: one change at a time, whichever process makes it."""
        return disk.locked(self.root / _LOCK_FILE)

    def _check_deletable(self, version: VersionId) -> None:
        path = f"/v1/models/{version.name}"
        if not self.has(version):
            raise ModelNotFound(f"Could not find version {version.number} of model {version.name}")
        if labels := labels_of(self.labels(version.name), version.number):
            raise VersionLabelled(
                f"version {version.number} of {version.name} has the label {labels[0]!r}: move it by "
                f"PUT {path}/labels/{labels[0]}, or remove it by DELETE, and then delete the version"
            )
        if not (self.directory(version) / MANIFEST).exists():
            raise FolderModel(
                f"version {version.number} of {version.name} was put into the folder of models by an operator, and "
                "only an operator takes it out of there: it has no manifest, and was not uploaded"
            )

    def _usage_with(self, version: VersionId, manifest: Manifest) -> Usage:
        """What there would be if a version came in."""
        stored = {self.directory(id_): found for id_, found in self.scan().items()}
        return usage_with(manifest, self.root / version.name, stored, [each.directory for each in self.trash.entries()])


def _remove_empty_model(model: Path) -> None:
    """Remove a model's folder if nothing is left in it but labels that point nowhere."""
    with contextlib.suppress(OSError):
        if not any(is_version(path.name) for path in model.iterdir()):
            for path in model.glob(".labels.json*"):
                path.unlink()
            model.rmdir()


def _rename(staged: Path, directory: Path, version: VersionId) -> None:
    try:
        disk.move(staged, directory)
    except OSError as exc:  # a folder that is not empty cannot be renamed onto
        if directory.exists():
            text = f"version {version.number} of {version.name} was stored by somebody else just now"
            raise VersionExists(text) from exc
        raise


def _is_stored(directory: Path) -> bool:
    """Whether a folder is a version: one that lost its graph, or cannot be entered, is one still, and fails to load."""
    try:
        return (directory / GRAPH).is_file() or (directory / MANIFEST).is_file()
    except PermissionError:
        return True
