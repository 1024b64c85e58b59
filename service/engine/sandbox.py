"""What a worker may use and touch: memory, processor time while loading, environment, signals."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "PYTHONPATH")
_TENSORFLOW_VARIABLES = {
    # One thread, until the first operation runs: only then is it safe to fork.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
}


@dataclass(frozen=True)
class Limits:
    """What a worker may use.

    Args:
        memory_max_mb: address space. TensorFlow itself maps about 3 GB without touching it.
        load_cpu_s: processor seconds for loading and warming up; lifted afterwards.
    """

    memory_max_mb: int
    load_cpu_s: int


def environment() -> dict[str, str]:
    """The environment of processes that run models: nothing secret, nothing that is not needed."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return kept | _TENSORFLOW_VARIABLES


def confine(limits: Limits) -> None:
    """Apply the limits to this process, for good.

    What goes wrong in it reaches the front as a message or as an exit status; the terminal, with its Ctrl-C and
    TensorFlow's stack traces, is none of its business.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _silence_stderr()
    _lower(resource.RLIMIT_AS, limits.memory_max_mb * 1024 * 1024)
    _lower(resource.RLIMIT_CORE, 0)
    os.environ.clear()
    os.environ.update(_TENSORFLOW_VARIABLES)


@contextmanager
def limited_cpu(cpu_s: int) -> Iterator[None]:
    """Let the block use so many processor seconds; the kernel ends the process if it takes more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    used_s = int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
    resource.setrlimit(resource.RLIMIT_CPU, (used_s + cpu_s, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


@contextmanager
def silenced_stderr() -> Iterator[None]:
    """Keep native libraries from writing to the terminal; Python's exceptions pass as usual."""
    kept = os.dup(2)
    _silence_stderr()
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _silence_stderr() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)


def _lower(limit: int, value: int) -> None:
    """Set a limit, or keep the one that is lower already."""
    _, hard = resource.getrlimit(limit)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(limit, (value, value))
