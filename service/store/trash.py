"""Trash: deleted versions, kept for some days, `<models>/.trash/<name>/<number>-<Unix time of the deletion>`.

Time and number are in the folder's name, so that deleting and restoring are one rename each.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from service.store import disk
from service.store.names import is_name

TRASH = ".trash"
_HIGHEST_FILE = "highest.json"
_FOLDER = re.compile(r"([1-9][0-9]{0,18})-([0-9]{1,12})")
_DAY_S = 24 * 60 * 60


@dataclass(frozen=True)
class Deleted:
    """A version in the trash: its model and number, when it was deleted (Unix time), and where it lies."""

    name: str
    number: int
    deleted_s: int
    directory: Path


class Trash:
    """The deleted versions of a folder of models.

    Args:
        root: the folder of models.
    """

    def __init__(self, root: Path) -> None:
        self.folder = root / TRASH

    def entries(self, name: str | None = None) -> Iterator[Deleted]:
        """What is in it, of one model or of all."""
        models = self.folder.glob("*") if name is None else [self.folder / name]
        for model in models:
            for directory in model.glob("*-*") if is_name(model.name) else ():
                if match := _FOLDER.fullmatch(directory.name):
                    yield Deleted(model.name, int(match[1]), int(match[2]), directory)

    def find(self, name: str, number: int) -> Deleted | None:
        """A deleted version, if it is still here."""
        return next((entry for entry in self.entries(name) if entry.number == number), None)

    def put(self, directory: Path) -> None:
        """Move a version, `<name>/<number>`, here."""
        model = self.folder / directory.parent.name
        disk.make_folder(model)
        disk.move(directory, model / f"{directory.name}-{int(time.time())}")

    def restore(self, entry: Deleted, directory: Path) -> None:
        """Move a version back to where it was."""
        disk.make_folder(directory.parent)
        disk.move(entry.directory, directory)
        self._remove_empty(entry.directory.parent)

    def highest(self) -> Mapping[str, int]:
        """The highest number of each model that has ever been removed from here."""
        try:
            return {str(name): int(number) for name, number in json.loads(self._highest_file.read_bytes()).items()}
        except (OSError, ValueError, AttributeError):
            return {}

    def expired(self, keep_days: float) -> list[Deleted]:
        """What has been here for longer than it is kept."""
        return [entry for entry in self.entries() if time.time() - entry.deleted_s > keep_days * _DAY_S]

    def purge(self, entry: Deleted, staging: Path) -> None:
        """Remove a version for good.

        By way of staging, from where nothing is ever restored: what a crash leaves half removed must not come back. Its
        number is noted before, so that it is not given to another version.
        """
        highest = self.highest()
        if entry.number > highest.get(entry.name, 0):
            disk.write_json(self._highest_file, {**highest, entry.name: entry.number})
        leaving = staging / uuid.uuid4().hex
        disk.make_folder(staging)
        disk.move(entry.directory, leaving)
        shutil.rmtree(leaving, ignore_errors=True)
        self._remove_empty(entry.directory.parent)

    @property
    def _highest_file(self) -> Path:
        return self.folder / _HIGHEST_FILE

    def _remove_empty(self, model: Path) -> None:
        with contextlib.suppress(OSError):
            model.rmdir()
