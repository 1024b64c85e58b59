"""Version: one version of a model, kept served by a worker that is started again when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.engine.specs import SignatureSpec
from service.errors import (
    DeadlineExceeded,
    ModelLoading,
    ServiceError,
    SignatureNotFound,
    Unavailable,
    UnsupportedDtype,
)
from service.front.batching import Arrays, Batcher, BatchLimits
from service.front.instance import Instance, InstanceLimits
from service.front.statistics import Spans, Statistics
from service.store.manifest import Manifest
from service.store.store import VersionId

DEATHS_WINDOW_S = 60.0
_BACK_OFF_S = 0.1
_BACK_OFF_MAX_S = 10.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServingLimits:
    """What one version may use.

    Args:
        batch: of its batcher.
        instance: of its worker.
        restarts_max: deaths within DEATHS_WINDOW_S after which it is not started again.
    """

    batch: BatchLimits
    instance: InstanceLimits
    restarts_max: int


class Version:
    """One version of a model: loading, then available, and at the end ended, with a reason if that was not asked for.

    Before `start` its state is START, as TensorFlow Serving calls what it knows of and does not load.

    The mutable state is `state`, `failure`, the worker and the times of its deaths, changed only by `start`,
    `refuse`, `_supervise` and `close`.

    Args:
        id: the model's name and the version's number.
        directory: holds saved_model.pb; the registry sets it anew when an upload is moved to its place.
        limits: what it may use.
        manifest: what is known of its content; None for a folder an operator put there.
    """

    def __init__(self, id: VersionId, directory: Path, limits: ServingLimits, manifest: Manifest | None) -> None:  # noqa: A002 -- the word for it
        self.id = id
        self.directory = directory
        self.manifest = manifest
        self.state = "START"
        self.failure: ServiceError | None = None
        self.signatures: Mapping[str, SignatureSpec] = {}
        self.statistics = Statistics()
        self.batcher = Batcher(self._call, limits.batch, self.statistics)
        self._limits = limits
        self._instance: Instance | None = None
        self._up = asyncio.Event()
        self._deaths: deque[float] = deque(maxlen=limits.restarts_max + 1)
        self._supervisor: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<Version {self.id.name}/{self.id.number} {self.state}>"

    @property
    def worker_pid(self) -> int | None:
        """The process that serves it now."""
        return self._instance.pid if self._instance else None

    async def start(self) -> None:
        """Start the worker, and keep one running from then on.

        Raises:
            UploadRejected: the model cannot be loaded; the state is END then.
            Unavailable: it was closed before it was loaded.
        """
        self._check_not_closed()
        self.state = "LOADING"
        self._instance = await self._loaded()
        self.signatures = self._instance.signatures
        self.state = "AVAILABLE"
        self._up.set()
        self._supervisor = asyncio.create_task(self._supervise())

    def refuse(self, failure: ServiceError) -> None:
        """Never start it: there is something wrong with what is stored of it."""
        self._end(failure)

    def served_signatures(self) -> Mapping[str, SignatureSpec]:
        """All signatures; raises ModelLoading or Unavailable as `signature` does."""
        if self.state != "AVAILABLE":
            raise self._unavailable()
        return self.signatures

    def signature(self, name: str) -> SignatureSpec:
        """A signature by its name.

        Raises:
            ModelLoading, Unavailable: there is no model behind this version now.
            SignatureNotFound: the model has no signature of that name.
            UnsupportedDtype: it has, but with tensors that cannot be sent.
        """
        spec = self.served_signatures().get(name)
        if spec is None:
            known = ", ".join(self.signatures)
            raise SignatureNotFound(
                f'Serving signature name: "{name[:100]}" not found in signature def; it has: {known}'
            )
        if not spec.is_callable:
            raise UnsupportedDtype(f'signature "{name}" has tensors of dtypes that cannot be sent')
        return spec

    async def predict(self, signature: str, inputs: Arrays, timeout_s: float, *, has_rows: bool) -> Arrays:
        """Outputs for inputs; see Batcher.submit."""
        start_ns = time.perf_counter_ns()
        try:
            outputs = await self.batcher.submit(signature, inputs, timeout_s, has_rows=has_rows)
        except BaseException as exc:
            code = exc.code if isinstance(exc, ServiceError) else "client_left"
            self.statistics.failed(code, time.perf_counter_ns() - start_ns)
            raise
        self.statistics.answered(time.perf_counter_ns() - start_ns)
        return outputs

    async def infer_shapes(
        self, signature: str, shapes: Mapping[str, list[int | None]], timeout_s: float
    ) -> dict[str, list[Any]]:
        """Output shapes and dtypes for input shapes; the model is not run.

        Raises:
            DeadlineExceeded: it waited too long for a worker.
        """
        try:
            async with asyncio.timeout(timeout_s):
                instance = await self._running()
        except TimeoutError:
            raise DeadlineExceeded(f"no worker was there within {timeout_s:g} s") from None
        return await instance.infer_shapes(signature, shapes)

    async def close(self) -> None:
        """Answer what was taken, then end the worker."""
        await self.batcher.close()
        if self._supervisor:
            self._supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervisor
        if self._instance:
            await self._instance.close()
        self._end(None)

    async def _loaded(self) -> Instance:
        """The first worker; one that is ready only after `close` is ended."""
        try:
            instance = await Instance.start(self.directory, self._limits.instance)
        except ServiceError as exc:
            self._end(exc)
            raise
        if self.state == "END":
            await instance.close()
        self._check_not_closed()
        return instance

    def _check_not_closed(self) -> None:
        if self.state == "END":
            raise self._unavailable()

    async def _call(self, signature: str, inputs: Arrays) -> tuple[Arrays, Spans]:
        instance = await self._running()
        return await instance.call(signature, inputs)

    async def _running(self) -> Instance:
        """The worker; while one is started again, wait for it."""
        if self.state == "AVAILABLE" and self._instance and self._instance.is_lost:
            self._up.clear()  # its supervisor has not been told yet
        await self._up.wait()
        if self._instance is None or self.state != "AVAILABLE":
            raise self._unavailable()
        return self._instance

    async def _supervise(self) -> None:
        while self._instance:
            await self._instance.lost()
            self._up.clear()
            self._deaths.append(time.monotonic())
            _log.warning("the worker of %s/%d died", self.id.name, self.id.number)
            await self._instance.close()
            self._instance = await self._restarted()

    async def _restarted(self) -> Instance | None:
        """A new worker after a pause that doubles with each death; None when there were too many."""
        while (deaths := self._recent_deaths()) <= self._limits.restarts_max:
            await asyncio.sleep(min(_BACK_OFF_S * 2 ** (deaths - 1), _BACK_OFF_MAX_S))
            try:
                instance = await Instance.start(self.directory, self._limits.instance)
            except ServiceError as exc:
                self._deaths.append(time.monotonic())
                _log.warning("the worker of %s/%d did not come back: %s", self.id.name, self.id.number, exc.message)
                continue
            self._instance = instance
            self._up.set()
            return instance
        self._end(Unavailable(f"its worker died {deaths} times within {DEATHS_WINDOW_S:g} s and is not started again"))
        return None

    def _recent_deaths(self) -> int:
        now = time.monotonic()
        return sum(now - death < DEATHS_WINDOW_S for death in self._deaths)

    def _end(self, failure: ServiceError | None) -> None:
        self.state = "END"
        self.failure = failure
        self._up.set()  # who waits for a worker is told that none will come
        if failure:
            _log.warning("%s/%d is not served: %s", self.id.name, self.id.number, failure.message)

    def _unavailable(self) -> ServiceError:
        name, number = self.id.name, self.id.number
        if self.state in {"START", "LOADING"}:
            return ModelLoading(f"version {number} of {name} is still loading: try again")
        reason = self.failure.message if self.failure else "it was removed"
        return Unavailable(f"version {number} of {name} is not served: {reason}")
