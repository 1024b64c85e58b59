"""Version: one version of a model, kept served by workers that are started again when they die."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.engine.specs import Arrays, SignatureSpec
from service.errors import (
    DeadlineExceeded,
    ModelLoading,
    ServiceError,
    SignatureNotFound,
    Unavailable,
    UnsupportedDtype,
)
from service.front.models.batching import DEFAULT_PRIORITY, Batcher, BatchLimits, Told
from service.front.models.buckets import Buckets
from service.front.models.crew import Crew
from service.front.models.instance import Instance, InstanceLimits
from service.front.models.statistics import Spans, Statistics
from service.store.manifest import Manifest
from service.store.store import VersionId

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServingLimits:
    """What one version may use.

    Args:
        batch: of its batcher.
        instance: of its worker.
        restarts_max: deaths within crew.DEATHS_WINDOW_S after which it is not started again.
        instances: workers that share its calls.
        growth_max_mb: what a worker may grow by; see Crew.
        is_folder_strict: whether the static check refuses models that an operator put into the folder; else it warns.
    """

    batch: BatchLimits
    instance: InstanceLimits
    restarts_max: int
    instances: int = 1
    growth_max_mb: int = 0
    is_folder_strict: bool = False


class Version:
    """One version of a model: loading, then available, and at the end ended, with a reason if that was not asked for.

    Before `start` its state is START, as TensorFlow Serving calls what it knows of and does not load.

    The mutable state is `state`, `failure`, `signatures` and `loaded_s`, changed only by `start`, `refuse`, `_end` and
    `close`, and what the registry sets: `directory` and `manifest` of an upload, `signatures` and `has_ended` of one
    that was loaded and rests; its workers are the crew's.

    Args:
        id: the model's name and the version's number.
        directory: holds saved_model.pb; the registry sets it anew when an upload is moved to its place.
        limits: what it may use.
        manifest: what is known of its content; None for a folder an operator put there.
        statistics: that go on, where it takes the place of one with its number; None for new ones.
    """

    def __init__(
        self,
        id: VersionId,  # noqa: A002 -- the word for it
        directory: Path,
        limits: ServingLimits,
        manifest: Manifest | None,
        statistics: Statistics | None = None,
    ) -> None:
        self.id = id
        self.directory = directory
        self.manifest = manifest
        self.state = "START"
        self.failure: ServiceError | None = None
        self.loaded_s = 0.0
        self.has_ended = False
        self.signatures: Mapping[str, SignatureSpec] = manifest.signatures if manifest else {}
        self.statistics = statistics or Statistics()
        self.batcher = Batcher(self._call, limits.batch, self.statistics, limits.instances)
        self._limits = limits
        self._is_strict = manifest is not None or limits.is_folder_strict
        self._buckets = Buckets({})
        self._asking: set[asyncio.Task[dict[str, list[Any]]]] = set()
        self._crew = Crew(
            f"{id.name}/{id.number}", self._start_worker, limits.restarts_max, limits.growth_max_mb, self._given_up
        )

    def __repr__(self) -> str:
        return f"<Version {self.id.name}/{self.id.number} {self.state}>"

    @property
    def listed_state(self) -> str:
        """Its state as TensorFlow Serving tells it: what was unloaded has ended, though it may be loaded again."""
        return "END" if self.has_ended and self.state == "START" else self.state

    @property
    def worker_pids(self) -> list[int]:
        """The processes that serve it now."""
        return self._crew.pids

    async def start(self) -> None:
        """Start the first worker, and keep it running from then on; returns when it is ready.

        Raises:
            UploadRejected: the model cannot be loaded; the state is END then.
            Unavailable: it was closed before it was loaded.
        """
        self._check_not_closed()
        self.state = "LOADING"
        first = await self._loaded()
        self._log_findings(first)
        self.signatures = first.signatures
        self._buckets = Buckets(first.signatures)
        self.state = "AVAILABLE"
        self.loaded_s = time.time()
        self._crew.add(first)

    @property
    def used_s(self) -> float:
        """When it was last of use: Unix time."""
        return max(self.statistics.last_inference_ms / 1000, self.loaded_s)

    def staff(self) -> None:
        """Start the other workers beside the first; not before its files are where they stay."""
        if self.state == "AVAILABLE":
            self._crew.grow(self._limits.instances - 1)

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

    async def predict(
        self,
        signature: str,
        inputs: Arrays,
        timeout_s: float,
        *,
        has_rows: bool,
        priority: int = DEFAULT_PRIORITY,
        tell: Told | None = None,
    ) -> Arrays:
        """Outputs for inputs; see Batcher.submit."""
        return await self.batcher.submit(signature, inputs, timeout_s, has_rows=has_rows, priority=priority, tell=tell)

    async def infer_shapes(
        self, signature: str, shapes: Mapping[str, list[int | None]], timeout_s: float
    ) -> dict[str, list[Any]]:
        """Output shapes and dtypes for input shapes; the model is not run.

        Raises:
            DeadlineExceeded: it waited too long for a worker.
        """
        asking = asyncio.create_task(self._inferred(signature, shapes, timeout_s))
        self._asking.add(asking)
        asking.add_done_callback(self._asked)
        return await asyncio.shield(asking)  # a caller who leaves must not end the worker

    async def close(self) -> None:
        """Answer what was taken, then end the workers."""
        await self.batcher.close()
        self._end(None)
        await self._crew.close()

    async def _loaded(self) -> Instance:
        """The first worker; one that is ready only after `close` is ended."""
        try:
            instance = await self._start_worker()
        except ServiceError as exc:
            self._end(exc)
            raise
        if self.state == "END":
            await instance.close()
        self._check_not_closed()
        return instance

    async def _start_worker(self) -> Instance:
        start_ns = time.perf_counter_ns()
        try:
            instance = await Instance.start(self.directory, self._limits.instance, is_strict=self._is_strict)
        except ServiceError:
            self.statistics.load_failures += 1
            raise
        self.statistics.load.add(time.perf_counter_ns() - start_ns)
        return instance

    def _log_findings(self, instance: Instance) -> None:
        """One line of what the static check has against a model in the folder, which is served all the same."""
        findings = instance.findings
        if findings:
            rules = ", ".join(sorted({finding["rule"] for finding in findings}))
            text = f"{findings[0]['message']} ({len(findings)} findings of the rules {rules})"
            _log.warning("%s/%d is served, and would be refused as an upload: %s", self.id.name, self.id.number, text)

    def _check_not_closed(self) -> None:
        if self.state == "END":
            raise self._unavailable()

    async def _inferred(
        self, signature: str, shapes: Mapping[str, list[int | None]], timeout_s: float
    ) -> dict[str, list[Any]]:
        async with self._worker(asyncio.get_running_loop().time() + timeout_s) as instance:
            return await instance.infer_shapes(signature, shapes)

    def _asked(self, asking: asyncio.Task[dict[str, list[Any]]]) -> None:
        self._asking.discard(asking)
        if not asking.cancelled():
            asking.exception()  # seen, also where its caller has left

    async def _call(self, signature: str, inputs: Arrays, deadline: float) -> tuple[Arrays, Spans]:
        """One call of the model; where it was compiled for a batch size that holds these rows, of that signature."""
        bucket = self._buckets.holding(signature, inputs)
        async with self._worker(deadline) as instance:
            if bucket is None:
                return await instance.call(signature, inputs)
            outputs, spans = await instance.call(bucket.signature, bucket.padded(inputs))
            return bucket.cut(outputs), spans

    @contextlib.asynccontextmanager
    async def _worker(self, deadline: float) -> AsyncIterator[Instance]:
        """A worker that is free, for the block."""
        try:
            instance = await self._crew.take(deadline)
        except TimeoutError:
            raise DeadlineExceeded("not computed in time: no worker was free") from None
        except Unavailable as exc:
            raise self._unavailable() from exc
        try:
            yield instance
        finally:
            self._crew.give(instance)

    def _end(self, failure: ServiceError | None) -> None:
        self.state = "END"
        self.failure = failure
        if failure:
            _log.warning("%s/%d is not served: %s", self.id.name, self.id.number, failure.message)

    def _given_up(self, failure: ServiceError) -> None:
        """Its workers died too often, or it is being closed."""
        if self.state == "AVAILABLE":
            self._end(failure)

    def _unavailable(self) -> ServiceError:
        name, number = self.id.name, self.id.number
        if self.state in {"START", "LOADING"}:
            return ModelLoading(f"version {number} of {name} is still loading: try again")
        reason = self.failure.message if self.failure else "it was removed"
        return Unavailable(f"version {number} of {name} is not served: {reason}")
