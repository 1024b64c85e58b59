"""S1: the folder holds the files of a SavedModel and nothing else, none of them too large."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from service.engine import members
from service.engine.inspection.findings import Finding, shortened
from service.engine.inspection.objects import ADVICE

_MB = 1 << 20


def check(directory: Path) -> Iterator[Finding]:
    """Each file; those that the store drops do not count."""
    for name, path in members.paths(directory):
        if not members.is_unused(name):
            yield from _check_file(name, path)


def _check_file(name: str, path: Path) -> Iterator[Finding]:
    row = members.member(name)
    if name.startswith("assets/"):
        text = f"the model reads a file, {shortened(name)!r}, when it is loaded. {ADVICE}"
        yield Finding("S3", "assets_not_supported", text, node=name)
    elif row is None or path.is_symlink() or not path.is_file():
        text = f"{shortened(name)!r} is no file of a SavedModel: upload what tf.saved_model.save or qlayer.export wrote"
        yield Finding("S1", "unexpected_file", text, node=name)
    elif row.max_bytes is not None and path.stat().st_size > row.max_bytes:
        text = f"{name} has more than {row.max_bytes // _MB} MiB"
        yield Finding("S1", "model_too_large", text, node=name)
