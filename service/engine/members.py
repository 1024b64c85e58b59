"""Which files a SavedModel may consist of, and how large each may be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

GRAPH = "saved_model.pb"
CARD = "assets.extra/circuit.json"
WARMUP = "assets.extra/tf_serving_warmup_requests"

_MB = 1 << 20
CARD_MAX_BYTES = 8 * _MB  # of what is taken, and of what is read again


@dataclass(frozen=True)
class Member:
    """A row of the table of files.

    Args:
        pattern: of the whole path, relative to the SavedModel.
        max_bytes: of one such file; None where another limit holds.
    """

    pattern: re.Pattern[str]
    max_bytes: int | None


MEMBERS = [
    Member(re.compile(pattern), max_bytes)
    for pattern, max_bytes in (
        (r"saved_model\.pb", None),
        (r"fingerprint\.pb", _MB),
        (r"variables/variables\.index", 32 * _MB),
        (r"variables/variables\.data-\d{5}-of-\d{5}", None),
        (re.escape(CARD), CARD_MAX_BYTES),
        (re.escape(WARMUP), 64 * _MB),
    )
]
"""The files of a SavedModel that is served."""

_UNUSED = re.compile(r"keras_metadata\.pb|manifest\.json|__MACOSX/.*|(.*/)?(\.DS_Store|\._[^/]*)")


def member(path: str) -> Member | None:
    """The row of a file, by its path relative to the SavedModel; None for one that has no place there."""
    return next((row for row in MEMBERS if row.pattern.fullmatch(path)), None)


def is_unused(path: str) -> bool:
    """Whether a file is harmless, and no part of what is served: uploads lose it, and it counts for nothing.

    keras_metadata.pb holds the Python of Lambda layers, which Keras would run and TensorFlow does not read;
    manifest.json is written by the store, and comes back with an archive that was downloaded.
    """
    return _UNUSED.fullmatch(path) is not None


def paths(directory: Path) -> Iterator[tuple[str, Path]]:
    """Everything below a SavedModel that is no folder: its relative path, and where it is; links are not followed."""
    for path in sorted(directory.rglob("*")):
        if path.is_symlink() or not path.is_dir():
            yield path.relative_to(directory).as_posix(), path


def drop_unused(directory: Path) -> None:
    """Remove what `is_unused` from an unpacked upload, and folders in which nothing is."""
    for name, path in paths(directory):
        if is_unused(name):
            path.unlink()
    for folder in sorted((path for path in directory.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
