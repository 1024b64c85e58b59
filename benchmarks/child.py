"""The driver's side of the conversation with a contestant: a child process that answers JSON lines."""

from __future__ import annotations

import contextlib
import json
import select
import subprocess
from types import TracebackType
from typing import Any, Self

from benchmarks.contenders import Contender
from benchmarks.environments import ROOT, python_of, variables

_LOGS = ROOT / "build" / "benchmarks" / "logs"


class ChildError(Exception):
    """A contestant did not answer; the text says what happened to it."""


class Child:
    """A contestant's process, started at the first request and again at the first one after its end.

    Args:
        contender: who.
    """

    def __init__(self, contender: Contender) -> None:
        self.contender = contender
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def ask(self, do: str, *, timeout_s: float, **arguments: Any) -> dict[str, Any]:
        """Send a request and wait for its reply.

        Args:
            do: what is asked; see `contestants.worker`.
            timeout_s: the process is ended when it takes longer.
            **arguments: of the request, as JSON data.

        Raises:
            ChildError: if it failed, took too long or died.
        """
        process = self._running()
        try:
            _write(process, {"do": do, **arguments})
            reply = _read(process, timeout_s)
        except ChildError:
            self.stop()
            raise
        if "error" in reply:
            raise ChildError(reply["error"])
        return reply

    def stop(self) -> None:
        """End the process, if there is one."""
        if self._process:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()  # type: ignore[union-attr]  # both are pipes
        self._process = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = _start(self.contender)
        return self._process


def _start(contender: Contender) -> subprocess.Popen[bytes]:
    _LOGS.mkdir(parents=True, exist_ok=True)
    module = f"benchmarks.contestants.{contender.module}"
    with (_LOGS / f"{contender.name}.log").open("ab") as log:
        return subprocess.Popen(
            [python_of(contender.environment), "-m", module, *contender.arguments],
            cwd=ROOT,
            env=variables(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )


def _write(process: subprocess.Popen[bytes], request: dict[str, Any]) -> None:
    assert process.stdin
    try:
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
    except BrokenPipeError as error:
        raise ChildError(_end_of(process)) from error


def _read(process: subprocess.Popen[bytes], timeout_s: float) -> dict[str, Any]:
    """One line; the worker writes it at once, so that a line that has begun is soon complete."""
    assert process.stdout
    if not select.select([process.stdout], [], [], timeout_s)[0]:
        raise ChildError(f"no answer within {timeout_s:.0f} s")
    line = process.stdout.readline()
    if not line:
        raise ChildError(_end_of(process))
    return dict(json.loads(line))


def _end_of(process: subprocess.Popen[bytes]) -> str:
    code = process.wait()
    return f"the process ended with code {code} (out of memory, if it is -6 or -9); see {_LOGS.relative_to(ROOT)}"
