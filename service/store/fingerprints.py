"""Fingerprints: whether a folder is still what it was at the last look, without reading its files."""

from __future__ import annotations

import stat
from pathlib import Path

Fingerprint = tuple[tuple[str, int, int], ...]
"""Path, size and time of change of each file: the same twice means that nobody is writing."""


def fingerprint(directory: Path) -> Fingerprint:
    """See Fingerprint; files that vanish meanwhile, or cannot be looked at, are left out."""
    entries = []
    for path in sorted(directory.rglob("*")):
        try:
            status = path.stat()
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode):
            entries.append((path.relative_to(directory).as_posix(), status.st_size, status.st_mtime_ns))
    return tuple(entries)


def size_bytes(found: Fingerprint) -> int:
    """The size of all files together."""
    return sum(size for _, size, _ in found)
