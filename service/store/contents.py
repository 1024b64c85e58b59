"""Contents: where in a folder a SavedModel is, and which of its files count."""

from __future__ import annotations

from pathlib import Path, PurePath

from service.engine.members import GRAPH, is_unused, member, paths
from service.errors import UploadRejected

_IGNORED_FOLDERS = {"__MACOSX"}
_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ\0", b"7z\xbc\xaf", b"Rar!")


def model_files(directory: Path) -> dict[str, Path]:
    """The files of a SavedModel by their paths below its folder, sorted; what is no part of one does not count."""
    return {name: path for name, path in paths(directory) if path.is_file() and not is_unused(name)}


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


def _has_place(path: PurePath) -> bool:
    """Whether a SavedModel has such a file, at the top or in one folder: numbers may begin as an archive does."""
    candidates = path.as_posix(), PurePath(*path.parts[1:]).as_posix()
    return "assets" in path.parts or any(member(each) for each in candidates)


def _refuse_archives(unpacked: Path) -> None:
    """An archive in the archive is a mistake that its sender wants to hear of; as an asset it may be meant."""
    for path in unpacked.rglob("*"):
        if path.is_file() and not _has_place(path.relative_to(unpacked)):
            with path.open("rb") as file:
                start = file.read(8)
            if start.startswith(_ARCHIVES):
                name = path.relative_to(unpacked).as_posix()
                raise UploadRejected(
                    f"{name!r} is an archive inside the archive: send the SavedModel's own files", "unexpected_file"
                )
