"""Store: model versions as folders, `<models>/<name>/<version>/saved_model.pb`, TensorFlow Serving's own layout.

The folder is the truth: there is no database. A version appears by one rename, leaves by one rename, and never changes
in between, so a crash at any instruction leaves it either whole or absent. `.staging` below the same root holds
what is not yet a version, `.trash` what is no version any more. Several processes may use one root: whoever changes it
holds the lock.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from service.engine.members import GRAPH
from service.errors import (
    FolderModel,
    ModelNotFound,
    UploadRejected,
    VersionExists,
    VersionInTrash,
    VersionLabelled,
)
from service.store import disk, staging
from service.store.audit import Change, audited
from service.store.fingerprints import Fingerprint, fingerprint, size_bytes
from service.store.labels import labels_of, read_labels, write_labels
from service.store.manifest import MANIFEST, Manifest, read_manifest, write_manifest
from service.store.names import is_name, is_version
from service.store.quotas import Quotas, Usage, check_quotas
from service.store.trash import Trash

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
        return (self.directory(version) / GRAPH).is_file()

    def names(self) -> list[str]:
        """The names of what may be models."""
        return [folder.name for folder in self.root.iterdir() if is_name(folder.name) and folder.is_dir()]

    def numbers(self, name: str) -> list[int]:
        """The versions of a model that are there now, the lowest first."""
        graphs = (self.root / name).glob(f"*/{GRAPH}") if is_name(name) else ()
        return sorted(int(graph.parent.name) for graph in graphs if is_version(graph.parent.name))

    def uploaded(self, name: str) -> list[int]:
        """Those of them that were uploaded, and are whole for that reason."""
        return [
            number for number in self.numbers(name) if (self.directory(VersionId(name, number)) / MANIFEST).exists()
        ]

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
                with audited(self.root, Change("delete", who, name, number)):
                    self.trash.put(self.directory(VersionId(name, number)))
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
            with audited(self.root, Change("restore", who, version.name, version.number)):
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
            with audited(self.root, Change(what, who, name, number, label=label)):
                write_labels(self.root / name, labels)
        return labels

    def empty_trash(self, keep_days: float) -> list[VersionId]:
        """Remove for good what has been in the trash for longer; returns what that was."""
        expired = self.trash.expired(keep_days)
        if expired:
            with self._changing():
                expired = self.trash.expired(keep_days)  # one may have been restored, or another front was quicker
                for entry in expired:
                    with audited(self.root, Change("purge", "service", entry.name, entry.number)):
                        self.trash.purge(entry, self.root / staging.STAGING)
        return [VersionId(entry.name, entry.number) for entry in expired]

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
        found = self.scan()
        deleted = list(self.trash.entries())
        manifests = [
            _manifest_or_none(directory)
            for directory in [*(self.directory(id_) for id_ in found), *(entry.directory for entry in deleted)]
        ]
        own = [item for item in manifests if item and item.uploader == manifest.uploader]
        in_trash = sum(size_bytes(fingerprint(entry.directory)) for entry in deleted)
        stored = sum(map(size_bytes, found.values()))
        return Usage(
            models=len({id_.name for id_ in found} | {version.name}),
            versions=sum(id_.name == version.name for id_ in found) + 1,
            stored_bytes=stored + in_trash + manifest.bytes,
            key_bytes=sum(item.bytes for item in own) + manifest.bytes,
        )


def _manifest_or_none(directory: Path) -> Manifest | None:
    with contextlib.suppress(UploadRejected):
        return read_manifest(directory)
    return None


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
            raise VersionExists(
                f"version {version.number} of {version.name} was stored by somebody else just now"
            ) from exc
        raise
