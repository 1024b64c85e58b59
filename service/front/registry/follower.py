"""Follower: lets the registry follow its store, which operators and other fronts change too."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from service.errors import MemoryBudget, StoreDamaged
from service.front.models.version import Version
from service.front.registry.registry import Registry
from service.store.fingerprints import Fingerprint
from service.store.store import Store, VersionId

_log = logging.getLogger(__name__)
_NAMES = "letters, digits, '.', '_' or '-' in the name, and a version from 1 without leading zeros"
_TRASH_INTERVAL_S = 60.0


@dataclass(frozen=True)
class _Look:
    """What one look at the store found: the versions, and the labels of the models where they can be read."""

    versions: dict[VersionId, Fingerprint]
    labels: dict[str, dict[str, int]]


@dataclass(frozen=True)
class _Known:
    """What the registry knew before a look: where it knows something else by now, that is newer than the look."""

    versions: list[Version]
    labels: Mapping[str, Mapping[str, int]]


@dataclass
class Follower:
    """Versions that appear and stand still become known; versions that vanish are let go.

    The mutable state is the versions of the first look, the fingerprints that the last look saw and those that
    versions became known with, and the last complaint.
    """

    registry: Registry
    _first: Collection[VersionId] | None = None
    _seen: dict[VersionId, Fingerprint] = field(default_factory=dict)
    _tried: dict[VersionId, Fingerprint] = field(default_factory=dict)
    _complaint: str = ""

    async def follow(self) -> None:
        """Look again and again; a store that cannot be read changes nothing."""
        registry = self.registry
        while True:
            known = _Known(list(registry.catalog), registry.catalog.all_labels())
            try:
                look = await asyncio.to_thread(_look, registry.store)
            except OSError as exc:
                self._complain(str(exc), "the folder of models cannot be read, what is served stays: %s")
            else:
                self._complain("", "")
                self._update(look, known)
            await self._pause()

    async def _pause(self) -> None:
        """Until the next look; what is loaded meanwhile may be the last that the first look waits for."""
        loaded = self.registry.loaded
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.registry.limits.poll_interval_s):
                while True:
                    await loaded.wait()
                    loaded.clear()
                    self._settle()

    def _update(self, look: _Look, known: _Known) -> None:
        """Bring the registry to what a look found."""
        registry = self.registry
        self._first = look.versions.keys() if self._first is None else self._first
        current = registry.catalog.all_labels()
        for name, labels in look.labels.items():
            if current.get(name) is known.labels.get(name):
                registry.catalog.relabel(name, labels)
        for version in known.versions:
            # it may have been uploaded again while the folder was looked at
            if version.id not in look.versions and registry.catalog.get(version.id) is version:
                registry.forget(version.id)
        for id_, fingerprint in look.versions.items():
            if self._seen.get(id_) == fingerprint and self._is_new(id_, fingerprint):
                self._tried[id_] = fingerprint
                registry.serve(registry.fresh(id_))
        self._seen = look.versions
        registry.load_kept()
        registry.loader.unload_idle()
        self._settle()

    def _is_new(self, id_: VersionId, fingerprint: Fingerprint) -> bool:
        """Whether a version is not known, or failed and might not fail now."""
        registry = self.registry
        if registry.is_installing(id_):
            return False
        version = registry.catalog.get(id_)
        if version is None:
            return registry.store.has(id_)  # or it was deleted while the folder was looked at
        if isinstance(version.failure, MemoryBudget):
            return not registry.loader.is_over()
        return version.state == "END" and self._tried.get(id_, fingerprint) != fingerprint

    def _settle(self) -> None:
        """Note when every version of the first look had its attempt, or needs none, or is gone."""
        for id_ in self._first or ():
            version = self.registry.catalog.get(id_)
            if id_ in self._seen and (version is None or _is_pending(version, self.registry.kept(id_.name))):
                return
        self.registry.settled.set()

    def _complain(self, complaint: str, text: str) -> None:
        """Say once what is wrong."""
        if complaint and complaint != self._complaint:
            _log.warning(text, complaint)
        self._complaint = complaint


@asynccontextmanager
async def following(registry: Registry, trash_keep_days: float) -> AsyncIterator[None]:
    """Follow the store and empty its trash; at the end answer what was taken and end all workers."""
    await asyncio.to_thread(registry.store.sweep)
    for place in await asyncio.to_thread(registry.store.misplaced):
        _log.warning("%r is not served: expected <name>/<version>/saved_model.pb, with %s", place, _NAMES)
    tasks = [
        asyncio.create_task(Follower(registry).follow()),
        asyncio.create_task(_empty_trash(registry.store, trash_keep_days)),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await registry.close()


async def _empty_trash(store: Store, keep_days: float) -> None:
    while True:
        with contextlib.suppress(OSError):  # a folder that cannot be written now may be later
            for id_ in await asyncio.to_thread(store.empty_trash, keep_days):
                _log.info("%s/%d was in the trash for %g days and is removed", id_.name, id_.number, keep_days)
        await asyncio.sleep(_TRASH_INTERVAL_S)


def _look(store: Store) -> _Look:
    """Labels first: one that points at what is deleted meanwhile is looked up again when it is asked for."""
    labels = {}
    for name in store.names():
        with contextlib.suppress(StoreDamaged):
            labels[name] = store.labels(name)
    return _Look(store.scan(), labels)


def _is_pending(version: Version, kept: Collection[VersionId]) -> bool:
    return version.state == "LOADING" or (version.state == "START" and version.id in kept)
