"""The process that has TensorFlow imported and forks the workers.

The standard library's fork server does all that is needed: it imports our worker module once, forks a worker in a few
milliseconds, and is started again by the next `start_worker` if it died. Running workers do not depend on it: each is
known to the front by its socket, and ends when the front's end of that socket is closed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Event, Lock
from typing import Any

from service.engine.sandbox import Limits, environment

WORKER_MODULE = "service.engine.worker"

_starting = Lock()
_ended = Event()  # a load that goes on while the front ends must not start the fork server again


@contextmanager
def running() -> Iterator[None]:
    """Have the fork server started at once, so that its import of TensorFlow begins; at the end, end it."""
    _ended.clear()
    _ensure()
    try:
        yield
    finally:
        with _starting:
            _ended.set()
            _stop()


def _ensure() -> None:
    """Start the fork server if none runs; returns at once, while it goes on importing TensorFlow."""
    multiprocessing.get_context("forkserver").set_forkserver_preload([WORKER_MODULE])
    with _starting, _scrubbed_environment():
        if _ended.is_set():
            raise ProcessLookupError("the fork server has ended")
        resource_tracker.ensure_running()  # first: starting it would let interrupts through again
        with _blocked_interrupts():
            forkserver.ensure_running()


def start_worker(connection: socket.socket, directory: Path, limits: Limits, *, is_strict: bool) -> BaseProcess:
    """Fork a worker that loads a SavedModel and answers on a socket.

    Blocks until the fork server has imported TensorFlow: call it in a thread.

    Args:
        connection: the worker's end of a socket pair; close it afterwards.
        directory: holds saved_model.pb.
        limits: what the worker may use.
        is_strict: whether it refuses a model that the static check has something against, or only says so.

    Returns:
        The process.

    Raises:
        OSError: the fork server has ended, or died meanwhile.
    """
    _ensure()
    process = multiprocessing.get_context("forkserver").Process(
        target=_worker_main, args=(connection, str(directory.absolute()), limits, is_strict), daemon=True
    )
    try:
        process.start()
    except TypeError as exc:  # the standard library's, where its descriptors are closed meanwhile
        raise ProcessLookupError("the fork server has ended") from exc
    return process


def _stop() -> None:
    """End the fork server and wait for it, so that no process outlives the front.

    There is no public way. It would end by itself a moment after the front, or, while it imports TensorFlow, seconds
    after it: it does not look at its pipe then.
    """
    server: Any = forkserver._forkserver  # noqa: SLF001 -- as said above
    tracker: Any = resource_tracker._resource_tracker  # noqa: SLF001 -- its companion
    for companion, pid in ((server, server._forkserver_pid), (tracker, tracker._pid)):  # noqa: SLF001
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            companion._stop()  # noqa: SLF001


def _worker_main(connection: socket.socket, directory: str, limits: Limits, is_strict: bool) -> None:
    """Runs in the fork: there, and only there, the worker module is imported already."""
    from service.engine import worker  # noqa: PLC0415 -- it imports TensorFlow

    worker.main(connection, directory, limits, is_strict=is_strict)


@contextmanager
def _scrubbed_environment() -> Iterator[None]:
    """Let a child inherit only what running models needs: above all, no key."""
    own = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment())
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(own)


@contextmanager
def _blocked_interrupts() -> Iterator[None]:
    """Let a child and its children never see Ctrl-C, which a terminal sends to the whole group."""
    signals = {signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
