"""Fuzz the extractor of uploads: whatever comes, files within the limits or a refusal of ours.

PYTHONPATH=. python tests/fuzz/fuzz_archive.py NEW_CORPUS tests/fuzz/corpus/archive -max_total_time=60
"""

import contextlib
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["service.store", "zipfile", "tarfile"]):
    from service.errors import ServiceError
    from service.store.archive import unpack
    from service.store.contents import find_model
    from service.store.extraction import ArchiveLimits

LIMITS = ArchiveLimits(unpacked_max_bytes=200_000, files_max=30, file_max_bytes=100_000, timeout_s=5)


def unpack_one(data: bytes) -> None:
    """Unpack an archive as an upload is, and look at what is there afterwards."""
    with tempfile.TemporaryDirectory() as name:
        world = Path(name)
        target = world / "target"
        (world / "archive").write_bytes(data)
        target.mkdir()
        with contextlib.suppress(ServiceError):
            unpack(world / "archive", target, LIMITS)
            find_model(target)
        if {path.name for path in world.iterdir()} != {"archive", "target"}:
            raise AssertionError("something was written beside the target")
        files = [path for path in target.rglob("*") if not path.is_dir()]
        if any(path.is_symlink() or not path.is_file() for path in files):
            raise AssertionError("something that is no plain file was written")
        if len(files) > LIMITS.files_max or sum(path.stat().st_size for path in files) > LIMITS.unpacked_max_bytes:
            raise AssertionError("more was written than the limits allow")


if __name__ == "__main__":
    atheris.Setup(sys.argv, unpack_one)
    atheris.Fuzz()
