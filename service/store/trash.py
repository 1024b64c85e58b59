"""Trash: deleted versions, kept for some days, `<models>/.trash/<name>/<number>-<Unix time of the deletion>`.

Time and number are in the folder's name, so that deleting and restoring are one rename each.
"""

from __future__ import annotations

import contextlib
import json
import re
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

    @property
    def age_days(self) -> float:
        """How long it has been in the trash."""
        return (time.time() - self.deleted_s) / _DAY_S


class Trash:
    """The deleted versions of a folder of models.

    Args:
        root: the folder of models.
    """

    def __init__(self, root: Path) -> None:
        self.folder = root / TRASH

    def entries(self, name: str | None = None) -> list[Deleted]:
        """What is in it, of one model or of all, by name and number."""
        return sorted(self._entries(name), key=lambda entry: (entry.name, entry.number))

    def _entries(self, name: str | None) -> Iterator[Deleted]:
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

    def purge(self, entry: Deleted, staging: Path) -> Path:
        """Take a version out for good; returns where it is now, to be removed.

        By way of staging, from where nothing is ever restored: what a crash leaves half removed must not come back. Its
        number is noted before, so that it is not given to another version.
        """
        highest = self.highest()
        if entry.number > highest.get(entry.name, 0):
            disk.write_json(self._highest_file, {**highest, entry.name: entry.number})
        leaving = staging / uuid.uuid4().hex
        disk.make_folder(staging)
        disk.move(entry.directory, leaving)
        self._remove_empty(entry.directory.parent)
        return leaving

    @property
    def _highest_file(self) -> Path:
        return self.folder / _HIGHEST_FILE

    def _remove_empty(self, model: Path) -> None:
        with contextlib.suppress(OSError):
            model.rmdir()
