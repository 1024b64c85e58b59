"""A server's process: started, waited for, asked, and ended with all that it started."""

from __future__ import annotations

import contextlib
import http.client
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.environments import ROOT, variables
from benchmarks.serving.family import Identity, family

LOGS = ROOT / "build" / "benchmarks" / "logs"

_MARK = "BENCHMARK_SERVER"  # an environment variable that all processes of a server have in common
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "BENTOML_DO_NOT_TRACK": "true", "DO_NOT_TRACK": "1"}
_START_LIMIT_S = 120
_STOP_LIMIT_S = 20
_ASK_LIMIT_S = 60
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - of the servers, not ours
_PORTS = 3  # a server may want the two that follow, too


class ServerError(Exception):
    """A server did not start or did not answer; the text says what happened."""


@dataclass(frozen=True)
class Answer:
    """What a server said: the names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Running:
    """A server that runs while its block does.

    Args:
        name: for its log.
        argv: the command.
        port: where it will listen; see `free_port`.
        ready: the path that answers 200 once it is ready.
        extra: environment variables beside the benchmark's.
    """

    def __init__(
        self, name: str, argv: Sequence[str], port: int, ready: str, extra: Mapping[str, str] | None = None
    ) -> None:
        self.port = port
        self._argv = argv
        self._ready = ready
        self._mark = uuid.uuid4().hex
        self._extra = dict(extra or {})
        self._log = LOGS / f"serving-{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.start_s = 0.0

    def __enter__(self) -> Self:
        LOGS.mkdir(parents=True, exist_ok=True)
        start = time.monotonic()
        environment = {**variables(), **_QUIET, **self._extra, _MARK: self._mark}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._argv, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            self._wait(start + _START_LIMIT_S)
        except BaseException:
            self._stop()
            raise
        self.start_s = time.monotonic() - start
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _wait(self, deadline_s: float) -> None:
        assert self._process
        while time.monotonic() < deadline_s:
            if self._process.poll() is not None:
                raise ServerError(f"it ended with code {self._process.returncode} before it was ready: {self._tail()}")
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.ask("GET", self._ready).status == http.HTTPStatus.OK:
                    return
            time.sleep(0.1)
        raise ServerError(f"it was not ready within {_START_LIMIT_S} s: {self._tail()}")

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_ASK_LIMIT_S)
        with contextlib.closing(connection):
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            told = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, told, response.read())

    def _tail(self) -> str:
        lines = [line for line in self._log.read_text(errors="replace").splitlines() if line.strip()]
        return " / ".join(lines[-3:])[-400:] + f" (see {self._log.relative_to(ROOT)})"

    def _stop(self) -> None:
        """Ask the first process to end, wait, and kill whatever it left."""
        assert self._process
        known = self.processes()
        self._process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_LIMIT_S)
        deadline_s = time.monotonic() + _STOP_LIMIT_S
        while (left := self.processes() | {one for one in known if one.runs()}) and time.monotonic() < deadline_s:
            for one in left:
                one.kill()
            self._process.poll()
            time.sleep(0.05)
        self._process.wait()
        for path in [path for one in known for path in _SHARED_MEMORY.glob(f"pytrtion{one.pid}-*")]:
            path.unlink(missing_ok=True)  # Triton leaves it behind

    def processes(self) -> set[Identity]:
        """All processes of this server: those that bear its mark, and what these have started."""
        return family(f"{_MARK}={self._mark}")


def free_port() -> int:
    """A TCP port of 127.0.0.1 that is free, and so are the next ones."""
    while True:
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError, OverflowError):
            first = stack.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            for i in range(1, _PORTS):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port + i))
            return port
