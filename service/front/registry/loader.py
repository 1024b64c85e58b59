"""Loader: starts the workers of versions, a few at a time, and lets go of those that are not needed any more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from service.errors import MemoryBudget, ServiceError, UploadRejected
from service.front.models.version import Version
from service.front.registry.residence import Residence, memory_mb
from service.store.manifest import verify
from service.store.store import VersionId


class Loader:
    """The tasks that load versions and let go of them.

    The mutable state is these tasks, and when each version was loaded.

    Args:
        parallel: versions that are loaded at the same time.
        rules: which versions have a worker.
        known: all versions, whose workers count against the budget.
        idle: the loaded versions that may lose their worker now.
        unload: takes the worker from one.
    """

    def __init__(
        self,
        parallel: int,
        rules: Residence,
        *,
        known: Callable[[], list[Version]],
        idle: Callable[[], list[Version]],
        unload: Callable[[Version], object],
    ) -> None:
        self._rules = rules
        self._known = known
        self._idle = idle
        self._unload = unload
        self._turns = asyncio.Semaphore(parallel)
        self._loads: dict[VersionId, asyncio.Task[None]] = {}
        self._retiring: set[asyncio.Task[Any]] = set()

    def begin(self, version: Version, then: Callable[[Version], None]) -> None:
        """Load a version in the background, unless that goes on already; `then` is called at the end."""
        if version.id not in self._loads:
            task = asyncio.create_task(self._load(version, then))
            self._loads[version.id] = task

    def pending(self, id_: VersionId) -> asyncio.Task[None] | None:
        """The task that loads a version now, to wait for; not to cancel."""
        return self._loads.get(id_)

    async def start(self, version: Version) -> None:
        """Check what is stored of a version, and start its worker.

        Raises:
            MemoryBudget: there is no room for its worker.
            UploadRejected: its files are not those that were stored, or they cannot be loaded.
        """
        async with self._turns:
            self._make_room()
            if version.manifest:
                await asyncio.to_thread(verify, version.directory, version.manifest)
            await version.start()

    def retire(self, version: Version) -> asyncio.Task[None]:
        """Let a version answer what it was asked, and end its worker; the task can be waited for."""
        task = asyncio.create_task(version.close())
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)
        return task

    def unload_idle(self) -> None:
        """Take the workers from versions that nobody has asked for a while, and more of them where memory is short."""
        now = time.time()
        resting = self._resting()
        if self._rules.idle_unload_s:
            for version in [item for item in resting if now - item.used_s > self._rules.idle_unload_s]:
                self._unload(version)
                resting.remove(version)
        while resting and self.is_over():
            self._unload(resting.pop(0))

    async def close(self) -> None:
        """End all that goes on."""
        tasks: list[asyncio.Task[Any]] = [*self._loads.values(), *self._retiring]
        for task in self._loads.values():
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _load(self, version: Version, then: Callable[[Version], None]) -> None:
        try:
            await self.start(version)
            version.staff()
        except (ServiceError, OSError) as exc:  # the version keeps the reason, and is listed with it
            failure = (
                exc if isinstance(exc, ServiceError) else UploadRejected("its files cannot be read", "load_failed")
            )
            if version.failure is None:
                version.refuse(failure)
        finally:
            del self._loads[version.id]
            then(version)

    def _make_room(self) -> None:
        """Take workers from those that rest, the one that rested longest first, until memory is below its budget."""
        resting = self._resting()
        while self.is_over():
            if not resting:
                raise MemoryBudget(
                    f"the workers use the {self._rules.memory_budget_mb} MiB that they may (memory_budget_mb), and "
                    "none of them is idle: try again later, or unload a model"
                )
            self._unload(resting.pop(0))

    def is_over(self) -> bool:
        """Whether the workers use more memory than they may."""
        budget = self._rules.memory_budget_mb
        return budget is not None and memory_mb(self._known()) >= budget

    def _resting(self) -> list[Version]:
        return sorted(self._idle(), key=lambda version: version.used_s)
