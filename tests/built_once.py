"""Folders that all pytest workers of a run share: what takes long to build is built once."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def built_once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], object]) -> Path:
    """A folder that the first pytest worker that asks builds, while the others wait; to be read only.

    Args:
        factory: pytest's `tmp_path_factory`.
        name: of the folder, one of its own for each thing that is built.
        build: fills the folder, which is there and empty.
    """
    base = factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, done = root / name, root / f"{name}.done"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of a worker that failed
            folder.mkdir()
            build(folder)
            done.touch()
    return folder
