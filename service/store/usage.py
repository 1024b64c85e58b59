"""Usage: how much of what the quotas are about there would be with one more version."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping
from pathlib import Path

from service.errors import UploadRejected
from service.store.fingerprints import Fingerprint, fingerprint, size_bytes
from service.store.manifest import Manifest, read_manifest
from service.store.quotas import Usage


def usage_with(manifest: Manifest, model: Path, stored: Mapping[Path, Fingerprint], deleted: Collection[Path]) -> Usage:
    """What there would be if a version came in.

    Args:
        manifest: of that version.
        model: the folder of the model it would be of.
        stored: the folders of all versions, `<model>/<number>`, with their fingerprints.
        deleted: the folders of those in the trash.
    """
    own = [item for item in map(_manifest_or_none, [*stored, *deleted]) if item and item.uploader == manifest.uploader]
    in_trash = sum(size_bytes(fingerprint(directory)) for directory in deleted)
    return Usage(
        models=len({directory.parent for directory in stored} | {model}),
        versions=sum(directory.parent == model for directory in stored) + 1,
        stored_bytes=sum(map(size_bytes, stored.values())) + in_trash + manifest.bytes,
        key_bytes=sum(item.bytes for item in own) + manifest.bytes,
    )


def _manifest_or_none(directory: Path) -> Manifest | None:
    with contextlib.suppress(UploadRejected):
        return read_manifest(directory)
    return None
