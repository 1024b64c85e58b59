"""Contents: which files of a folder are a SavedModel; the rest is not stored."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from service.errors import UploadRejected

GRAPH = "saved_model.pb"
_IGNORED_FOLDERS = {"__MACOSX"}
_NEEDED = (
    re.compile(r"saved_model\.pb"),
    re.compile(r"fingerprint\.pb"),
    re.compile(r"variables/variables\.index"),
    re.compile(r"variables/variables\.data-[0-9]{5}-of-[0-9]{5}"),
    re.compile(r"assets/.+", re.DOTALL),
    re.compile(r"assets\.extra/circuit\.json"),
    re.compile(r"assets\.extra/tf_serving_warmup_requests"),
)
_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ\0", b"7z\xbc\xaf", b"Rar!")


def is_needed(name: str) -> bool:
    """Whether a file, by its path below the model's folder, is part of a SavedModel."""
    return any(pattern.fullmatch(name) for pattern in _NEEDED)


def needed_files(directory: Path) -> dict[str, Path]:
    """The files of a SavedModel by their paths below its folder, sorted."""
    found = {path.relative_to(directory).as_posix(): path for path in directory.rglob("*") if path.is_file()}
    return {name: found[name] for name in sorted(found) if is_needed(name)}


def find_model(unpacked: Path) -> Path:
    """The folder of an unpacked archive that is the SavedModel: the top, or the one folder in it.

    Raises:
        UploadRejected: there is none.
    """
    _refuse_archives(unpacked)
    folders = [path for path in unpacked.iterdir() if path.is_dir() and path.name not in _IGNORED_FOLDERS]
    for candidate in [unpacked, *(folders if len(folders) == 1 else [])]:
        if (candidate / GRAPH).is_file():
            return candidate
    names = ", ".join(sorted(path.name for path in unpacked.iterdir())[:5]) or "nothing"
    raise UploadRejected(
        f"no {GRAPH} at the archive's top or in its one folder; there is: {names}", "missing_saved_model"
    )


def keep_needed(model: Path) -> None:
    """Remove what is no part of a SavedModel from its folder: notes, caches, what a file manager adds."""
    kept = needed_files(model)
    for path in sorted(model.rglob("*"), reverse=True):
        if path.is_dir():
            shutil.rmtree(path) if not any(file.is_relative_to(path) for file in kept.values()) else None
        elif path not in kept.values():
            path.unlink()


def _refuse_archives(unpacked: Path) -> None:
    """An archive in the archive is a mistake that its sender wants to hear of; as an asset it may be meant."""
    for path in unpacked.rglob("*"):
        if path.is_file() and "assets" not in path.relative_to(unpacked).parts:
            with path.open("rb") as file:
                start = file.read(8)
            if start.startswith(_ARCHIVES):
                name = path.relative_to(unpacked).as_posix()
                raise UploadRejected(
                    f"{name!r} is an archive inside the archive: send the SavedModel's own files", "unexpected_file"
                )
