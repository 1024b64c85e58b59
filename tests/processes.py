"""Processes for the tests: functions run in forks of one TensorFlow process, and servers started for real.

Importing TensorFlow takes about nine seconds. The standard library's fork server imports it once for a whole
test session, and every function run here is a fork of that: fresh, and ready in a fraction of a second.
"""

from __future__ import annotations

import marshal
import multiprocessing
import os
import socket
import sys
import traceback
import types
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

RUN_TIMEOUT_S = 240

_FORK_SERVER_ENVIRONMENT = {"TF_CPP_MIN_LOG_LEVEL": "2", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class ChildError(AssertionError):
    """A function failed in its child process; the text is the child's traceback."""


def run_blocked(function: Callable[..., Any], *args: object, blocked: tuple[str, ...] = ()) -> Any:
    """Run a function in a fresh process that has TensorFlow imported and `blocked` modules impossible to import.

    The function travels as code, without the module around it: it makes its own imports and closes over nothing.

    Args:
        function: a plain function, also one defined inside a test.
        *args: its arguments; anything that pickles.
        blocked: names of modules whose import raises ImportError in that process.

    Returns:
        What the function returned; it must pickle.

    Raises:
        ChildError: the function raised, or its process died; with the child's traceback or exit code.
    """
    assert not function.__closure__, f"{function.__name__} closes over local names: pass them as arguments"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tensorflow"])
    os.environ.update(_FORK_SERVER_ENVIRONMENT)
    receiver, sender = context.Pipe(duplex=False)
    code = marshal.dumps(function.__code__)
    process = context.Process(target=_run, args=(sender, code, args, blocked), daemon=True)
    process.start()
    sender.close()
    with receiver:
        return _result(receiver, process, function.__name__)


def _result(receiver: Connection, process: Any, name: str) -> Any:
    try:
        if not receiver.poll(RUN_TIMEOUT_S):
            raise ChildError(f"{name} did not finish within {RUN_TIMEOUT_S} s")
        has_succeeded, value = receiver.recv()
    except EOFError:
        process.join(10)
        raise ChildError(f"the process of {name} died with exit code {process.exitcode}") from None
    finally:
        process.kill()
        process.join(10)
    if not has_succeeded:
        raise ChildError(f"{name} failed in its process:\n{value}")
    return value


def _run(sender: Connection, code: bytes, args: tuple[object, ...], blocked: tuple[str, ...]) -> None:
    """Body of the child: block, rebuild the function, run it, send what came of it."""
    _block(blocked)
    function = types.FunctionType(marshal.loads(code), {"__builtins__": __builtins__, "__name__": "__child__"})  # noqa: S302 -- our own bytes, from our own parent
    try:
        outcome = (True, function(*args))
    except BaseException:  # noqa: BLE001 -- whatever it was belongs to the caller
        outcome = (False, traceback.format_exc())
    sender.send(outcome)


def _block(names: tuple[str, ...]) -> None:
    """Make the modules, and what is below them, impossible to import."""
    for loaded in [module for module in sys.modules if module.startswith(tuple(f"{name}." for name in names))]:
        del sys.modules[loaded]
    sys.modules.update(dict.fromkeys(names))


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
