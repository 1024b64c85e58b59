"""The contestants' environments: virtual environments of pinned versions, made when they are first needed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OURS = "ours"  # the project's own environment, which runs the driver as well

_LOCKS = ROOT / "benchmarks" / "environments"
_ENVIRONMENTS = ROOT / "build" / "benchmarks" / "environments"

_MEMORY_SHARE = 0.75  # of the machine's memory, for one contestant
_UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")  # workarounds of some machines that would slow the rivals down
_VARIABLES = {
    "JAX_PLATFORMS": "cpu",
    "PYTHONPATH": str(ROOT),
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "TF_USE_LEGACY_KERAS": "1",
}


def python_of(environment: str) -> Path:
    """The Python of an environment, which is made if it is not there or its pins have changed.

    Args:
        environment: `OURS`, or the name of a file in benchmarks/environments without its ending.

    Raises:
        subprocess.CalledProcessError: if it cannot be made.
    """
    if environment == OURS:
        return Path(sys.executable)
    folder, lock = _ENVIRONMENTS / environment, _LOCKS / f"{environment}.txt"
    stamp, pins = folder / "pins", hashlib.sha256(lock.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != pins:
        _make(folder, lock)
        stamp.write_text(pins)
    return folder / "bin" / "python"


def variables() -> dict[str, str]:
    """The environment variables of a contestant's process."""
    kept = {name: value for name, value in os.environ.items() if name not in _UNSET}
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {**kept, **_VARIABLES, "BENCHMARK_MEMORY_BYTES": str(int(memory_bytes * _MEMORY_SHARE))}


def _make(folder: Path, lock: Path) -> None:
    print(f"making the environment {folder.name} (up to 1 GB to download; a minute or two)", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    install = ["-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    subprocess.run([folder / "bin" / "python", *install, "--requirement", lock], check=True)
