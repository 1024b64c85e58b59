"""Registry: which versions of which models are served.

A version has a worker if it shall always have one (see residence.py), or from when it is asked. Uploads come in through
`install`, which starts the new version's worker before anybody can see the version.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from service.errors import (
    LabelNotFound,
    ModelNotFound,
    StoreDamaged,
    Unavailable,
    UploadRejected,
    VersionExists,
    VersionInTrash,
)
from service.front.models.version import Version
from service.front.registry.catalog import Catalog
from service.front.registry.limits import RegistryLimits
from service.front.registry.loader import Loader
from service.front.registry.residence import idle, kept
from service.front.registry.target import Target
from service.store.manifest import Manifest, describe, read_manifest
from service.store.names import is_name
from service.store.store import Store, VersionId

_log = logging.getLogger(__name__)


class Registry:
    """Name -> versions -> running worker.

    The mutable state is the catalog, the models that were unloaded on purpose, the versions that were asked for without
    being loaded, and the locks of uploads that go on: one for each version, one for each model that gets its next.

    Args:
        store: the folder of models.
        limits: see RegistryLimits.
    """

    def __init__(self, store: Store, limits: RegistryLimits) -> None:
        self.store = store
        self.catalog = Catalog()
        self.settled = asyncio.Event()  # every version of the first look had its attempt; see follower.py
        self.loaded = asyncio.Event()  # a load has ended since somebody last looked
        self.unloaded: set[str] = set()
        self.loader = Loader(
            limits.load_parallel,
            limits.residence,
            known=lambda: list(self.catalog),
            idle=self._idle,
            unload=lambda version: self.loader.retire(self.put_to_rest(version)),
        )
        self.limits = limits
        self._demanded: set[VersionId] = set()
        self._numbering: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._installing: defaultdict[VersionId, asyncio.Lock] = defaultdict(asyncio.Lock)

    def models(self) -> Mapping[str, list[Version]]:
        """All versions by model, the names sorted, the versions newest first."""
        return self.catalog.models()

    def listed(self) -> list[Version]:
        """All versions, in the order of `models`."""
        return [version for own in self.models().values() for version in own]

    def versions(self, name: str, number: int | None = None) -> list[Version]:
        """The versions of a model, newest first, or the one asked for.

        Raises:
            ModelNotFound: there is none.
        """
        with contextlib.suppress(ModelNotFound):
            return self.catalog.versions(name, number)
        self.look_at(name)
        return self.catalog.versions(name, number)

    def labels(self, name: str) -> Mapping[str, int]:
        """The labels of a model: the numbers of the versions they point at."""
        return self.catalog.labels(name)

    def look_up(self, target: Target) -> Version:
        """The version given, or the default, with a worker or without.

        Raises:
            ModelNotFound: there is none.
            LabelNotFound: the model has no such label.
        """
        version = self._known(target)
        if version is None:
            self.look_at(target.name)
            version = self._known(target)
        if version is None:
            raise self._not_found(target)
        return version

    def answers(self, version: Version) -> bool:
        """Whether a version would answer if it were asked: it has a worker, or rests and gets one by being asked."""
        id_ = version.id
        rests = version.state == "START" and id_.name not in self.unloaded and id_ not in self.kept(id_.name)
        return version.state == "AVAILABLE" or rests

    async def ready(self, target: Target) -> Version:
        """The version to ask, as `look_up` has it; one without a worker gets one, and is waited for.

        Raises:
            Unavailable: the model was unloaded.
        """
        version = self.look_up(target)
        if version.state == "START":
            self._demand(version)
        if version.state == "AVAILABLE" or version.id not in self._demanded:
            return version
        if load := self.loader.pending(version.id):
            await asyncio.wait([load], timeout=self.limits.load_wait_s)
        return self.look_up(Target(version.id.name, version.id.number))

    async def install(self, staged: Path, id_: VersionId, uploader: str | None = None) -> tuple[Version, bool]:
        """Check a staged SavedModel by starting its worker, store it, and serve it by that same worker.

        Args:
            staged: folder that holds saved_model.pb, on the store's file system.
            id_: what it shall be.
            uploader: the id of the key it came with.

        Returns:
            The version, and whether it is new; False where the same content was there already.

        Raises:
            VersionExists: it is there with other content.
            VersionInTrash, QuotaExceeded: see Store.install.
            UploadRejected: the model cannot be loaded.
        """
        async with self._installing[id_]:
            manifest = await asyncio.to_thread(describe, staged, uploader)
            if self.store.has(id_):
                return await self._same(id_, manifest), False
            await asyncio.to_thread(self.store.check_room, id_, manifest)
            version = Version(id_, staged, self.limits.serving_of(id_.name), manifest, self.catalog.statistics(id_))
            await self.loader.start(version)
            version.manifest = manifest = replace(manifest, signatures=version.signatures)
            try:
                version.directory = await asyncio.to_thread(self.store.install, staged, id_, manifest)
            except VersionExists:  # another front was quicker; perhaps with the same
                await version.close()
                return await self._same(id_, manifest), False
            except BaseException:
                await version.close()
                raise
            version.staff()
            self.unloaded.discard(id_.name)
            self.serve(version)
            _log.info("%s/%d was uploaded and is served", id_.name, id_.number)
            return version, True

    async def install_next(self, staged: Path, name: str, uploader: str | None = None) -> tuple[Version, bool]:
        """As `install`, with the number behind the highest there has ever been, or that one if it has this content."""
        async with self._numbering[name]:
            while True:
                highest = await asyncio.to_thread(self.store.highest, name)
                with contextlib.suppress(VersionExists, VersionInTrash):
                    if self.store.has(VersionId(name, highest)):
                        return await self.install(staged, VersionId(name, highest), uploader)
                with contextlib.suppress(VersionExists):  # another front took the number just now
                    return await self.install(staged, VersionId(name, highest + 1), uploader)

    def serve(self, version: Version) -> None:
        """Let a version answer from now on, instead of what was in its place."""
        if replaced := self.catalog.put(version):
            self.loader.retire(replaced)

    def forget(self, id_: VersionId) -> asyncio.Task[None] | None:
        """Serve a version no more; returns the task that answers what it was asked, to wait for."""
        version = self.catalog.pop(id_)
        if not self.catalog.of_model(id_.name):
            self.unloaded.discard(id_.name)  # the next model of this name is another
        return self.loader.retire(version) if version else None

    async def close(self) -> None:
        """Answer what was taken and end all workers."""
        await self.loader.close()
        await asyncio.gather(*(version.close() for version in self.catalog))

    def fresh(self, id_: VersionId) -> Version:
        """A version as it is in the store now, without a worker."""
        directory, statistics = self.store.directory(id_), self.catalog.statistics(id_)
        limits = self.limits.serving_of(id_.name)
        try:
            return Version(id_, directory, limits, read_manifest(directory), statistics)
        except UploadRejected as exc:
            version = Version(id_, directory, limits, None, statistics)
            version.refuse(exc)
            return version

    def put_to_rest(self, version: Version) -> Version:
        """Let a version be asked again only with a new worker; returns the old one, to be retired."""
        self._demanded.discard(version.id)
        rested = self.fresh(version.id)
        rested.signatures = version.signatures
        rested.has_ended = version.has_ended or version.loaded_s > 0
        self.catalog.put(rested)
        return version

    def look_at(self, name: str) -> None:
        """Know what the store has of a model now: another front may have changed it since the last look.

        Only uploads are seen so: what an operator copies by hand may not be whole yet.
        """
        if not is_name(name):
            return  # it stands in a path that anybody may send
        with contextlib.suppress(StoreDamaged):
            self.catalog.relabel(name, self.store.labels(name))
        for number in self.store.uploaded(name):
            id_ = VersionId(name, number)
            if self.catalog.get(id_) is None and not self.is_installing(id_):
                self.catalog.put(self.fresh(id_))

    def is_installing(self, id_: VersionId) -> bool:
        """Whether a version is being uploaded here now."""
        return id_ in self._installing and self._installing[id_].locked()

    def kept(self, name: str) -> set[VersionId]:
        """The versions of a model that shall always be loaded."""
        if name in self.unloaded:
            return set()
        labelled = self.catalog.labels(name).values()
        return kept(self.catalog.of_model(name), labelled, self.limits.residence.newest)

    def load_kept(self) -> None:
        """Begin to load what shall be loaded and is not."""
        for name in self.catalog.models():
            for id_ in sorted(self.kept(name), key=lambda id_: -id_.number):
                version = self.catalog.get(id_)
                if version and version.state == "START":
                    self.loader.begin(version, self._after_load)

    def _known(self, target: Target) -> Version | None:
        if target.label is not None:
            number = self.catalog.labels(target.name).get(target.label)
            return None if number is None else self.catalog.get(VersionId(target.name, number))
        if target.number is not None:
            return self.catalog.get(VersionId(target.name, target.number))
        return self.catalog.default(target.name)

    def _not_found(self, target: Target) -> ModelNotFound | LabelNotFound:
        labels = self.catalog.labels(target.name)
        if target.label is not None and self.catalog.of_model(target.name):
            known = ", ".join(labels) or "none"
            return LabelNotFound(f"Unrecognized servable version label: {target.label}; labels here: {known}")
        return ModelNotFound(f"Servable not found for request: {target}; GET /v1/models lists what there is")

    def _demand(self, version: Version) -> None:
        name = version.id.name
        if name in self.unloaded:
            raise Unavailable(f"{name} is unloaded: load it by POST /v2/repository/models/{name}/load")
        self._demanded.add(version.id)
        self.loader.begin(version, self._after_load)

    async def _same(self, id_: VersionId, manifest: Manifest) -> Version:
        """The version that is there already, if it has this content."""
        directory = self.store.directory(id_)
        stored = read_manifest(directory)
        digest = stored.digest if stored else (await asyncio.to_thread(describe, directory)).digest
        if digest != manifest.digest:
            raise VersionExists(
                f"version {id_.number} of {id_.name} is there with other content ({digest}): take another number"
            )
        if self.catalog.get(id_) is None:
            self.catalog.put(self.fresh(id_))
        self.unloaded.discard(id_.name)
        return await self.ready(Target(id_.name, id_.number))

    def _after_load(self, version: Version) -> None:
        """A version that could not be loaded because it was deleted meanwhile is forgotten; others may be next."""
        if version.failure and self.catalog.get(version.id) is version and not self.store.has(version.id):
            self.catalog.pop(version.id)
        self.load_kept()
        self.loaded.set()

    def _idle(self) -> list[Version]:
        """The versions that may lose their worker now."""
        return [version for name, own in self.catalog.models().items() for version in idle(own, self.kept(name))]
