"""Processes for the tests: functions run in forks of one TensorFlow process, and servers started for real.

Importing TensorFlow takes about nine seconds. The standard library's fork server imports it once for a whole
test session, and every function run here is a fork of that: fresh, and ready in a fraction of a second.
"""

from __future__ import annotations

import contextlib
import marshal
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import types
from collections.abc import Callable, Iterable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

import httpx
import numpy as np

RUN_TIMEOUT_S = 900
START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 60
MANAGE_KEY = "a-key-for-the-tests"

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


def run_pytest(*arguments: str, environment: Mapping[str, str]) -> None:
    """Run pytest in an interpreter of its own, for what is decided before TensorFlow is imported.

    Args:
        *arguments: of pytest: files, options.
        environment: variables beside those of this process.

    Raises:
        ChildError: a test failed; with pytest's output.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ChildError(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Server:
    """A server started for real: `python -m service serve`, on a free port, ended with its block.

    Args:
        models: the folder it serves.
        *flags: further command-line arguments.
        environment: variables beside those of this process.
    """

    def __init__(self, models: Path, *flags: str, environment: Mapping[str, str] | None = None) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [sys.executable, "-W", "error", "-m", "service", "serve"]
        self._command += ["--models", str(models), "--port", str(self.port), *flags]
        quick = {"SERVICE_MANAGE_KEY": MANAGE_KEY, "SERVICE_POLL_INTERVAL_S": "0.5", "SERVICE_DRAIN_WAIT_S": "0"}
        self._environment = {**os.environ, **quick, **(environment or {})}
        self.process: subprocess.Popen[bytes] | None = None
        self.output = ""
        self._written = tempfile.TemporaryFile()  # noqa: SIM115 -- closed with the server; a full pipe would stop it

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            self._command, env=self._environment, stdout=self._written, stderr=subprocess.STDOUT
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process
        if self.process.poll() is None:
            self.process.terminate()
        self.wait()
        self._written.close()

    def wait(self) -> int:
        """Wait until the server has ended; keep all it wrote in `output`; returns its exit status."""
        assert self.process
        self.process.wait(STOP_TIMEOUT_S)
        file = self._written.fileno()  # whose position is that of its children too: it is not moved
        self.output = os.pread(file, os.fstat(file).st_size, 0).decode()
        return self.process.returncode

    def wait_until_all_are_ready(self) -> None:
        """Wait until each of twenty connections, which the kernel spreads over the fronts, finds one that is."""
        self.wait_until("/readyz")
        wait_for(lambda: {httpx.get(f"{self.url}/readyz").status_code for _ in range(20)} == {200})

    def wait_until(self, path: str, status: int = 200) -> httpx.Response:
        """Ask a path again and again until it answers with a status."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            assert self.process
            assert self.process.poll() is None, f"the server has ended: {self.wait()} {self.output}"
            with contextlib.suppress(httpx.TransportError):
                answer = httpx.get(self.url + path, timeout=10)
                if answer.status_code == status:
                    return answer
            time.sleep(0.05)
        raise AssertionError(f"{path} did not answer {status} within {START_TIMEOUT_S} s")


def exchange(port: int, data: bytes, *, until: bytes | None = None, timeout_s: float = 15) -> bytes:
    """Send bytes to a server of this machine, and read until it closes or something has come.

    Raises:
        TimeoutError: neither happened in time.
    """
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as connection:
        with contextlib.suppress(ConnectionError):  # it may close before all is sent: what it said before counts
            connection.sendall(data)
        with contextlib.suppress(ConnectionError):
            while (piece := connection.recv(65536)) and not (until and until in answer + piece):
                answer += piece
            answer += piece
    return answer


def children(pid: int) -> dict[int, str]:
    """All processes below a process that still run: their command lines by their ids."""
    parents, commands = {}, {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = status.read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                command = (status.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                child = int(status.parent.name)
                parents[child], commands[child] = int(parent), command
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return {child: commands[child] for child in found - {pid}}


def fork_server(pid: int) -> int:
    """The process of a server that has TensorFlow imported and forks its workers."""
    family = children(pid)
    [server] = [child for child, line in family.items() if "forkserver" in line and parent_of(child) == pid]
    return server


def workers(pid: int) -> list[int]:
    """The workers of a server: the processes that its fork server forked."""
    return sorted(children(fork_server(pid)))


def parent_of(pid: int) -> int:
    """The process that started a process; 0 of one that is gone."""
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def running(pids: Iterable[int]) -> list[int]:
    """Those of some processes that still run."""
    return [pid for pid in pids if _is_running(pid)]


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def footprint(pid: int) -> tuple[float, int]:
    """Memory in MB and the number of open descriptors of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, len(list(Path(f"/proc/{pid}/fd").iterdir()))


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process, if it still runs."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def wait_for(condition: Callable[[], object], timeout_s: float = 60) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen within {timeout_s:g} s"
        time.sleep(0.05)


def saved_model_cli(folder: str, name: str, inputs: np.ndarray, workspace: Path) -> np.ndarray:
    """What TensorFlow's own command line makes of a SavedModel's serving_default.

    Args:
        folder: the SavedModel.
        name: of its input.
        inputs: what it is fed.
        workspace: an empty folder.
    """
    np.save(workspace / "inputs.npy", inputs)
    command = [sys.executable, "-m", "tensorflow.python.tools.saved_model_cli", "run", "--dir", folder]
    command += ["--tag_set", "serve", "--signature_def", "serving_default", "--outdir", str(workspace), "--overwrite"]
    command += ["--inputs", f"{name}={workspace / 'inputs.npy'}"]
    done = subprocess.run(command, cwd=workspace, capture_output=True, text=True, check=False)
    (result,) = [path for path in workspace.glob("*.npy") if path.stem != "inputs"] or [None]
    assert result, done.stderr
    return np.load(result)
