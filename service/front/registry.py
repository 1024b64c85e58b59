"""Registry: which versions of which models are served; the only mutable state of the front.

It follows the store: versions that appear and stand still are started, versions that vanish are let go. Uploads come in
through `install`, which starts the new version's worker before anybody can see the version.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path

from service.errors import LabelNotFound, ModelLoading, ModelNotFound, ServiceError, VersionExists
from service.front.target import Target
from service.front.version import ServingLimits, Version
from service.store.store import Fingerprint, Manifest, Store, VersionId, describe, read_manifest

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RegistryLimits:
    """How the registry follows its store.

    Args:
        serving: what each version may use.
        load_parallel: versions that are loaded at the same time.
        poll_interval_s: time between two looks at the folder.
    """

    serving: ServingLimits
    load_parallel: int
    poll_interval_s: float


class Registry:
    """Name -> versions -> running worker.

    The mutable state is `_versions`, the fingerprints that the last look at the folder saw and those that a load was
    tried with, and the tasks that start or let go of versions; changed by `_follow` and `install` only.

    Args:
        store: the folder of models.
        limits: see RegistryLimits.
    """

    def __init__(self, store: Store, limits: RegistryLimits) -> None:
        self.store = store
        self.settled = asyncio.Event()  # every version of the first look had its attempt
        self._limits = limits
        self._versions: dict[VersionId, Version] = {}
        self._seen: dict[VersionId, Fingerprint] = {}
        self._tried: dict[VersionId, Fingerprint] = {}
        self._first: Collection[VersionId] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._loading = asyncio.Semaphore(limits.load_parallel)
        self._installing: defaultdict[VersionId, asyncio.Lock] = defaultdict(asyncio.Lock)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Registry]:
        """Follow the store; at the end answer what was taken and end all workers."""
        await asyncio.to_thread(self.store.sweep)
        poll = asyncio.create_task(self._poll())
        try:
            yield self
        finally:
            for task in [poll, *self._tasks]:
                task.cancel()
            await asyncio.gather(poll, *self._tasks, return_exceptions=True)
            await asyncio.gather(*(version.close() for version in self._versions.values()))

    def models(self) -> Mapping[str, list[Version]]:
        """All versions by model, the names sorted, the versions newest first."""
        models: dict[str, list[Version]] = {}
        for id_ in sorted(self._versions, key=lambda id_: (id_.name, -id_.number)):
            models.setdefault(id_.name, []).append(self._versions[id_])
        return models

    def versions(self, name: str, number: int | None = None) -> list[Version]:
        """The versions of a model, newest first, or the one asked for.

        Raises:
            ModelNotFound: there is none.
        """
        found = [version for version in self.models().get(name, []) if number in {None, version.id.number}]
        if not found and number is None:
            raise ModelNotFound(f"Could not find any versions of model {name}")
        if not found:
            raise ModelNotFound(f"Could not find version {number} of model {name}")
        return found

    def find(self, target: Target) -> Version:
        """The version to ask: the one given, or the newest that is available, or else the newest.

        Raises:
            ModelNotFound: there is none.
            LabelNotFound: the model has no such label.
        """
        if target.label is not None:
            raise LabelNotFound(f"Unrecognized servable version label: {target.label}")
        number = target.number
        version = self._default(target.name) if number is None else self._versions.get(VersionId(target.name, number))
        if version is None:
            known = ", ".join(self.models()) or "none"
            raise ModelNotFound(f"Servable not found for request: {target}; models here: {known}")
        return version

    async def install(self, staged: Path, id_: VersionId) -> tuple[Version, bool]:
        """Check a staged SavedModel by starting its worker, store it, and serve it by that same worker.

        Args:
            staged: folder that holds saved_model.pb, on the store's file system.
            id_: what it shall be.

        Returns:
            The version, and whether it is new; False where the same content was there already.

        Raises:
            VersionExists: it is there with other content.
            UploadRejected: the model cannot be loaded.
        """
        async with self._installing[id_]:
            manifest = await asyncio.to_thread(describe, staged)
            if self.store.directory(id_).exists():
                return await self._same(id_, manifest), False
            version = Version(id_, staged, self._limits.serving, manifest)
            await self._start(version)
            try:
                version.directory = await asyncio.to_thread(self.store.install, staged, id_, manifest)
            except BaseException:
                await version.close()
                raise
            if replaced := self._versions.get(id_):  # its folder was taken out and no look has found that yet
                self._spawn(replaced.close())
            self._versions[id_] = version
            _log.info("%s/%d was uploaded and is served", id_.name, id_.number)
            return version, True

    def _default(self, name: str) -> Version | None:
        own = [version for id_, version in self._versions.items() if id_.name == name]
        return max(own, key=lambda version: (version.state == "AVAILABLE", version.id.number), default=None)

    async def _same(self, id_: VersionId, manifest: Manifest) -> Version:
        """The version that is there already, if it has this content."""
        directory = self.store.directory(id_)
        stored = read_manifest(directory)
        if stored is None:
            stored = await asyncio.to_thread(describe, directory)
        version = self._versions.get(id_)
        if stored.digest != manifest.digest:
            raise VersionExists(
                f"version {id_.number} of {id_.name} is there with other content ({stored.digest}): take another number"
            )
        if version is None:
            raise ModelLoading(f"version {id_.number} of {id_.name} is in the folder and not loaded yet: try again")
        return version

    async def _poll(self) -> None:
        complaint = ""
        while True:
            known = dict(self._versions)
            try:
                found = await asyncio.to_thread(self.store.scan)
            except OSError as exc:
                if complaint != str(exc):
                    _log.warning("the folder of models cannot be read, what is served stays: %s", exc)
                complaint = str(exc)
            else:
                complaint = ""
                self._follow(found, known)
            await asyncio.sleep(self._limits.poll_interval_s)

    def _follow(self, found: dict[VersionId, Fingerprint], known: dict[VersionId, Version]) -> None:
        """Start what is new and stood still since the last look; let go of what was known before it and is gone."""
        self._first = found.keys() if self._first is None else self._first
        for id_ in known.keys() - found.keys():
            if self._versions.get(id_) is known[id_]:  # or else it was uploaded while the folder was looked at
                self._spawn(self._versions.pop(id_).close())
        for id_ in sorted(found, key=lambda id_: -id_.number):
            if self._seen.get(id_) == found[id_] and self._is_wanted(id_, found[id_]):
                self._tried[id_] = found[id_]
                directory = self.store.directory(id_)
                self._versions[id_] = Version(id_, directory, self._limits.serving, read_manifest(directory))
                self._spawn(self._load(self._versions[id_]))
        self._seen = found
        self._settle()

    def _is_wanted(self, id_: VersionId, fingerprint: Fingerprint) -> bool:
        """Whether a version in the folder needs a worker: it is new, or it failed and its files are others now."""
        if id_ in self._installing and self._installing[id_].locked():
            return False
        version = self._versions.get(id_)
        return version is None or (version.state == "END" and self._tried.get(id_, fingerprint) != fingerprint)

    def _settle(self) -> None:
        """Note when every version of the first look had its attempt, or is gone."""
        waiting = [id_ for id_ in self._first or () if id_ in self._seen]
        if all(id_ in self._versions and self._versions[id_].state != "LOADING" for id_ in waiting):
            self.settled.set()

    async def _load(self, version: Version) -> None:
        with contextlib.suppress(ServiceError):  # the version keeps the reason, and is listed with it
            await self._start(version)
        self._settle()

    async def _start(self, version: Version) -> None:
        async with self._loading:
            await version.start()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
