"""Instance: one worker process, as the front sees it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from service.engine import forkserver
from service.engine.channel import Message
from service.engine.sandbox import Limits
from service.engine.specs import Arrays, SignatureSpec
from service.errors import CallTimeout, ModelFailed, ServiceError, Unavailable, UploadRejected, WorkerLost
from service.front.models.link import Link
from service.front.models.memory import private_bytes
from service.front.models.statistics import Spans

_EXIT_WAIT_S = 2.0
_MB = 1 << 20
_FRAME_EXTRA_BYTES = 64 * _MB  # signatures and findings, when it has loaded


@dataclass(frozen=True)
class InstanceLimits:
    """What a worker may use, and for how long the front waits for it.

    Args:
        worker: limits inside the process.
        load_timeout_s: wall-clock time for loading and warming up.
        call_timeout_s: wall-clock time for one call; a worker that takes longer is ended.
    """

    worker: Limits
    load_timeout_s: float
    call_timeout_s: float


class Instance:
    """A worker that has loaded its model and answers calls, one after the other, until it is closed or dies.

    Made by `Instance.start`. Its mutable state is the connection, with at most one request on it, for whoever has taken
    it from its crew, whether the worker was ended for taking too long, and its memory when it had loaded.
    """

    def __init__(self, process: BaseProcess, link: Link, limits: InstanceLimits) -> None:
        self._process = process
        self.pid = process.pid or 0
        self._link = link
        self._limits = limits
        self._has_overrun = False
        self._loaded_bytes = 0
        self.signatures: Mapping[str, SignatureSpec] = {}
        self.findings: list[dict[str, Any]] = []

    @classmethod
    async def start(cls, directory: Path, limits: InstanceLimits, *, is_strict: bool) -> Instance:
        """Fork a worker and wait until it has checked, loaded and warmed up its model.

        Args:
            directory: the SavedModel.
            limits: what the worker may use.
            is_strict: whether findings of the static check refuse the model; else they are in `findings`.

        Raises:
            UploadRejected: the model cannot be loaded; the code and text say why.
        """
        ours, process = await _forked(directory, limits.worker, is_strict=is_strict)
        loop = asyncio.get_running_loop()
        max_bytes = limits.worker.answer_max_mb * _MB + _FRAME_EXTRA_BYTES
        _, link = await loop.create_connection(lambda: Link(loop, max_bytes), sock=ours)
        instance = cls(process, link, limits)
        try:
            await instance._load()
            instance._loaded_bytes = private_bytes(instance.pid)
        except BaseException:
            await instance.close()
            raise
        return instance

    async def call(self, signature: str, inputs: Arrays) -> tuple[Arrays, Spans]:
        """Outputs by name for inputs by name, and how long the parts of the call took.

        Raises:
            ModelFailed: the model's graph refused the values.
            CallTimeout: the call took too long; the worker is ended.
            WorkerLost: the worker died.
        """
        start_ns = time.perf_counter_ns()
        answer = await self._ask(Message("call", {"signature": signature}, inputs))
        began_ns, ended_ns = answer.data["start_ns"], answer.data["end_ns"]
        spans = Spans(began_ns - start_ns, ended_ns - began_ns, time.perf_counter_ns() - ended_ns)
        return answer.arrays, spans

    async def infer_shapes(self, signature: str, shapes: Mapping[str, list[int | None]]) -> dict[str, list[Any]]:
        """For each output its shape and dtype, by shape inference; raises as `call` does."""
        answer = await self._ask(Message("shape", {"signature": signature, "shapes": dict(shapes)}))
        return answer.data

    @property
    def is_lost(self) -> bool:
        """Whether the worker is gone."""
        return self._link.closed.is_set()

    @property
    def growth_mb(self) -> float:
        """What its memory has grown by since it had loaded its model, in MiB."""
        return (private_bytes(self.pid) - self._loaded_bytes) / _MB

    async def is_lost_within(self, seconds: float) -> bool:
        """Wait until the worker is gone, but not longer; whether it is."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._link.closed.wait()
        return self.is_lost

    async def close(self) -> None:
        """End the worker and wait until it is gone."""
        self._kill()
        await self.is_lost_within(_EXIT_WAIT_S)
        self._link.close()
        with contextlib.suppress(ValueError):  # it still runs, or was closed before
            await asyncio.to_thread(self._process.join, _EXIT_WAIT_S)
            self._process.close()  # its descriptors too: nobody knows when the collector comes

    def _kill(self) -> None:
        """End the worker, if it is still at its end of the socket.

        Not by `Process.kill`: that does nothing once the fork server, which tells it who is alive, has died.
        """
        if not self.is_lost:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    async def _ask(self, request: Message) -> Message:
        answer = await self._exchanged(request)
        if answer.kind == "failure":
            raise _call_error(answer.data)
        return answer

    async def _exchanged(self, request: Message) -> Message:
        """Send a request and wait for its answer; a worker whose answer nobody waits for is ended."""
        overdue = asyncio.get_running_loop().call_later(self._limits.call_timeout_s, self._overrun)
        try:
            return await self._link.ask(request)
        except WorkerLost:
            if self._has_overrun:
                raise CallTimeout(f"the model computed longer than {self._limits.call_timeout_s:g} s") from None
            raise
        except asyncio.CancelledError:
            self._kill()
            raise
        finally:
            overdue.cancel()

    def _overrun(self) -> None:
        self._has_overrun = True
        self._kill()

    async def _load(self) -> None:
        step = _LOADING
        try:
            async with asyncio.timeout(self._limits.load_timeout_s):
                loaded = _checked(await self._link.report, step)
                step = _WARMING_UP
                _checked(await self._link.ask(Message("warm_up")), step)
        except TimeoutError:
            text = f"{step.text} took longer than {self._limits.load_timeout_s:g} s"
            raise UploadRejected(text, step.timeout_code) from None
        except WorkerLost:
            raise await self._death(step) from None
        signatures = loaded["signatures"].items()
        self.signatures = {name: SignatureSpec.from_plain(plain) for name, plain in signatures}
        self.findings = loaded["findings"]

    async def _death(self, step: _Step) -> UploadRejected:
        """Why a worker died at a step, from its exit status."""
        await asyncio.to_thread(self._process.join, _EXIT_WAIT_S)
        number = -(self._process.exitcode or 0)
        name = signal.Signals(number).name if number > 0 else f"exit code {-number}"
        if number == signal.SIGXCPU:
            return UploadRejected(f"{step.text} took more processor time than it may ({name})", step.timeout_code)
        if number == signal.SIGKILL:
            text = f"the worker was ended while {step.text}, most likely for its memory ({name})"
            return UploadRejected(text, "model_out_of_memory")
        return UploadRejected(
            f"the model crashed the process that ran it: {step.text} ({name})", "model_crashed_loader"
        )


@dataclass(frozen=True)
class _Step:
    """A step of starting a worker: what it is called, and the codes of its failures."""

    text: str
    failure: str
    failure_code: str
    timeout_code: str


_LOADING = _Step("loading the model", "the model cannot be loaded", "load_failed", "model_load_timeout")
_WARMING_UP = _Step("calling the model once", "a first call of the model failed", "warmup_failed", "warmup_timeout")


async def _forked(directory: Path, limits: Limits, *, is_strict: bool) -> tuple[socket.socket, BaseProcess]:
    """Our end of the socket to a new worker, and its process."""
    try:
        ours, theirs = socket.socketpair()
    except OSError as exc:
        raise Unavailable(f"no worker could be started: {exc.strerror}") from exc
    try:
        with theirs:
            return ours, await asyncio.to_thread(
                forkserver.start_worker, theirs, directory, limits, is_strict=is_strict
            )
    except (EOFError, OSError) as exc:
        ours.close()
        raise Unavailable("no worker could be started: the process that forks them has ended") from exc
    except BaseException:
        ours.close()
        raise


def _checked(answer: Message, step: _Step) -> dict[str, Any]:
    """What a step's answer holds.

    Raises:
        UploadRejected: it is a failure.
    """
    if answer.kind != "failure":
        return answer.data
    failure = answer.data
    if failure["is_memory"]:
        text = f"the model needs more memory than it may have: {failure['message']}"
        raise UploadRejected(text, "model_out_of_memory")
    if failure["details"]:
        raise UploadRejected(f"the model is not accepted: {failure['message']}", failure["code"], failure["details"])
    raise UploadRejected(f"{step.failure}: {failure['message']}", failure["code"] or step.failure_code)


def _call_error(failure: dict[str, Any]) -> ServiceError:
    if failure["is_callers"]:
        return ModelFailed(f"the model refused these values: {failure['message']}")
    if failure["is_memory"]:
        return ServiceError(f"the model ran out of memory: {failure['message']}", "model_out_of_memory")
    return ServiceError(f"the model failed: {failure['message']}", "model_failed")
