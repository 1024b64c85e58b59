"""What a worker may use and touch: memory, processor time while loading, files, network, environment, signals."""

from __future__ import annotations

import importlib.util
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from service.engine import landlock, seccomp

_KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "PYTHONPATH")
_TENSORFLOW_VARIABLES = {
    # One thread, until the first operation runs: only then is it safe to fork.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
}
_FILES_MAX = 128  # open ones; a worker of TensorFlow has about twenty
_SYSTEM_PATHS = (
    # shared libraries, what a process may know of itself and of the machine's processors, and random numbers
    "/usr/lib",
    "/usr/lib64",
    "/lib",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys/vm",
    "/sys/devices/system",
    "/sys/fs/cgroup",
    "/dev/null",
    "/dev/urandom",
)


@dataclass(frozen=True)
class Limits:
    """What a worker may use.

    Args:
        memory_max_mb: address space. TensorFlow itself maps about 3 GB without touching it.
        load_cpu_s: processor seconds for loading, and again for warming up; lifted afterwards.
        graph_max_mb: size of saved_model.pb.
        is_sandbox_required: refuse to run a model where the kernel has no Landlock.
        threads: that compute a call which takes long.
        answer_max_mb: size of a call's outputs.
    """

    memory_max_mb: int
    load_cpu_s: int
    graph_max_mb: int = 32
    is_sandbox_required: bool = False
    threads: int = 1
    answer_max_mb: int = 128


@dataclass(frozen=True)
class Protection:
    """What the kernel enforces beside the limits.

    Args:
        landlock: version of Landlock, which keeps a worker from files and TCP; 0: none.
        seccomp: whether system calls are filtered, which keeps it from sockets and programs.
    """

    landlock: int
    seccomp: bool


class SandboxMissing(RuntimeError):
    """The kernel has no Landlock, and the operator wants it."""


def protection() -> Protection:
    """What this machine's kernel can enforce."""
    return Protection(landlock.version(), seccomp.is_available())


def environment() -> dict[str, str]:
    """The environment of processes that run models: nothing secret, nothing that is not needed."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return kept | _TENSORFLOW_VARIABLES


def confine(limits: Limits, directory: Path) -> Protection:
    """Apply the limits to this process, for good: before TensorFlow's first operation, while there is one thread.

    What goes wrong in it reaches the front as a message or as an exit status; the terminal, with its Ctrl-C and
    TensorFlow's stack traces, is none of its business. Nor is a SIGTERM to all processes of a service: the front, which
    got it too, answers what it has taken, and then ends this one.

    Args:
        limits: what it may use.
        directory: the SavedModel, absolute; beside the programs it is all that can be read.

    Returns:
        What the kernel enforces.

    Raises:
        SandboxMissing: the kernel has no Landlock, and the limits ask for it.
    """
    for sent_to_all in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sent_to_all, signal.SIG_IGN)
    if os.getpgrp() != os.getpid():
        os.setsid()
    _silence(1, 2)
    readable = [*map(Path, _SYSTEM_PATHS), *_program_paths(), *_model_paths(directory)]
    _enter_nowhere()
    _lower(resource.RLIMIT_AS, limits.memory_max_mb * 1024 * 1024)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_NOFILE, _FILES_MAX)
    os.environ.clear()
    os.environ.update(_TENSORFLOW_VARIABLES)
    applied = Protection(landlock.restrict(readable), seccomp.restrict())
    if limits.is_sandbox_required and not applied.landlock:
        raise SandboxMissing("the kernel has no Landlock, and --require-sandbox asks for it")
    return applied


def _program_paths() -> list[Path]:
    """Where Python, its packages and this service lie; not all of sys.path, which may hold the folder of models."""
    packages = [Path(entry) for entry in sys.path if Path(entry).name in {"site-packages", "dist-packages"}]
    tensorflow = importlib.util.find_spec("tensorflow")
    if tensorflow and tensorflow.origin:
        packages.append(Path(tensorflow.origin).parents[1])  # wherever PYTHONPATH has it
    return [Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parents[1], *packages]


def _model_paths(directory: Path) -> list[Path]:
    """The SavedModel, and what is linked from it: an operator may mount a folder of links."""
    return [directory, *(path.resolve() for path in directory.rglob("*") if path.is_symlink())]


def _enter_nowhere() -> None:
    """Make a folder that is empty and removed already the current one: relative paths find nothing and make nothing."""
    try:
        folder = Path(tempfile.mkdtemp())
    except OSError:  # no folder can be written, and so nothing can be made in this one
        os.chdir("/")
        return
    os.chdir(folder)
    folder.rmdir()


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
    _silence(2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@contextmanager
def hidden(*packages: str) -> Iterator[None]:
    """Import in this block as if packages were not installed; those that are imported already stay."""
    absent = [package for package in packages if package not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # None is what the import system takes for it
    try:
        yield
    finally:
        for package in absent:
            del sys.modules[package]


def _silence(*descriptors: int) -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    for descriptor in descriptors:
        os.dup2(null, descriptor)
    os.close(null)


def _lower(limit: int, value: int) -> None:
    """Set a limit, or keep the one that is lower already."""
    _, hard = resource.getrlimit(limit)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(limit, (value, value))
