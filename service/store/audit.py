"""Audit: a line for each change of the store, with who made it; appended before the change and never changed again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from service.errors import ServiceError

AUDIT_FILE = ".audit.jsonl"


@dataclass(frozen=True)
class Change:
    """What is about to be changed.

    Args:
        what: upload, delete, restore, label, unlabel, rollback, purge, key-create, ...
        who: the id of the key; "operator" for the command line, "service" for what happens by itself.
        model: its name.
        version: its number.
        digest: of the version's content.
        label: its name.
        note: whatever else is worth a line.
    """

    what: str
    who: str
    model: str | None = None
    version: int | None = None
    digest: str | None = None
    label: str | None = None
    note: str | None = None


def audit(root: Path, change: Change) -> None:
    """Append a change to the log of a folder of models: one write, which no other one can tear apart, and a flush."""
    entry = {"when": datetime.now(UTC).isoformat(timespec="milliseconds"), **asdict(change)}
    line = json.dumps({name: value for name, value in entry.items() if value is not None}) + "\n"
    descriptor = os.open(root / AUDIT_FILE, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_NOFOLLOW, 0o640)
    try:
        os.write(descriptor, line.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def audited(root: Path, change: Change) -> Iterator[None]:
    """Log a change before the block makes it, and again if the block fails: no change is ever without its line."""
    audit(root, change)
    try:
        yield
    except BaseException as exc:
        reason = exc.code if isinstance(exc, ServiceError) else type(exc).__name__
        audit(root, Change(f"{change.what}-failed", change.who, change.model, change.version, note=reason))
        raise
