"""Changes of what is stored and served: each first on disk, for all fronts, and then in the registry of this one."""

from __future__ import annotations

import asyncio

from service.errors import LabelNotFound, ModelNotFound, NoOlderVersion, NotFound, ServiceError, VersionNotReady
from service.front.models.version import Version
from service.front.registry.registry import Registry
from service.front.registry.target import Target
from service.store.labels import DEFAULT_LABEL
from service.store.store import VersionId


async def delete(registry: Registry, name: str, number: int | None, who: str) -> list[VersionId]:
    """Move a version, or all of a model, to the trash; what they were asked is answered before this returns.

    Raises:
        ModelNotFound: there is none.
        VersionLabelled, FolderModel: see Store.delete.
    """
    numbers = registry.store.numbers(name) if number is None else [number]
    if not numbers:
        raise ModelNotFound(f"Could not find any versions of model {name}")
    await asyncio.to_thread(registry.store.delete, name, numbers, who)
    ids = [VersionId(name, each) for each in numbers]
    retired = [task for id_ in ids if (task := registry.forget(id_))]
    await asyncio.gather(*retired)
    return ids


async def restore(registry: Registry, id_: VersionId, who: str) -> Version:
    """Bring a version back from the trash, and load it.

    Raises:
        ModelNotFound: it is not in the trash.
        VersionExists: there is another by now.
    """
    await asyncio.to_thread(registry.store.restore, id_, who)
    registry.unloaded.discard(id_.name)
    registry.serve(registry.fresh(id_))
    return await registry.ready(Target(id_.name, id_.number))


async def set_label(registry: Registry, name: str, label: str, number: int, *, who: str, what: str = "label") -> None:
    """Let a label point at a version that is ready, which is loaded for that.

    Raises:
        ModelNotFound: there is no such version.
        VersionNotReady: it cannot be loaded.
    """
    version = await registry.ready(Target(name, number))
    if version.state != "AVAILABLE":
        reason = version.failure.message if version.failure else "it is still loading: try again"
        raise VersionNotReady(f"version {number} of {name} is not ready, so no label may point at it: {reason}")
    labels = await asyncio.to_thread(registry.store.set_label, name, label, number, who, what=what)
    registry.catalog.relabel(name, labels)


async def remove_label(registry: Registry, name: str, label: str, who: str) -> None:
    """Remove a label.

    Raises:
        ModelNotFound: there is no such model.
        NotFound: it has no such label.
    """
    registry.versions(name)
    if label not in await asyncio.to_thread(registry.store.labels, name):
        raise NotFound(f"the model {name} has no label {label!r}", LabelNotFound.code)
    labels = await asyncio.to_thread(registry.store.set_label, name, label, None, who, what="unlabel")
    registry.catalog.relabel(name, labels)


async def roll_back(registry: Registry, name: str, who: str) -> Version:
    """Let the label `default` point at the newest version that is older than the default one and ready.

    Raises:
        NoOlderVersion: there is none.
    """
    registry.versions(name)
    current = registry.look_up(Target(name))
    for version in registry.versions(name):
        if version.id.number < current.id.number and version.failure is None:
            try:
                await set_label(registry, name, DEFAULT_LABEL, version.id.number, who=who, what="rollback")
            except VersionNotReady:
                continue
            return registry.look_up(Target(name))
    raise NoOlderVersion(f"{name} has no ready version older than {current.id.number}, which is served by default")


async def load(registry: Registry, name: str, who: str) -> None:
    """Load a model's versions, or load them anew; what serves goes on until its successor is ready.

    Raises:
        ModelNotFound: there is none.
        ServiceError: none of its versions can be loaded.
    """
    registry.unloaded.discard(name)
    registry.look_at(name)
    versions = registry.versions(name)
    await asyncio.to_thread(registry.store.note, "load", name, who)
    for version in versions:
        if version.state == "END":  # it may have been repaired
            registry.serve(registry.fresh(version.id))
    loaded = {version.id for version in versions if version.state == "AVAILABLE"}
    tried: set[VersionId] = set()
    while chosen := (loaded | registry.kept(name)) - tried:  # one that fails lets the one before it be kept
        for id_ in sorted(chosen):
            await _reload(registry, id_)
        tried |= chosen
    if not any(version.state == "AVAILABLE" for version in registry.catalog.of_model(name)):
        failure = next((version.failure for version in registry.versions(name) if version.failure), None)
        raise failure or ModelNotFound(f"failed to load '{name}', no version is available")


async def unload(registry: Registry, name: str, who: str) -> None:
    """Take the workers from all versions of a model until it is loaded again; what they were asked is answered.

    Raises:
        ModelNotFound: there is none.
    """
    versions = registry.versions(name)
    await asyncio.to_thread(registry.store.note, "unload", name, who)
    registry.unloaded.add(name)
    resting = [registry.put_to_rest(version) for version in versions if version.state != "START"]
    await asyncio.gather(*(registry.loader.retire(version) for version in resting))


async def _reload(registry: Registry, id_: VersionId) -> None:
    """Start a new worker for a version, and only then end the old one."""
    version = registry.fresh(id_)
    try:
        await registry.loader.start(version)
        version.staff()
    except ServiceError as exc:
        old = registry.catalog.get(id_)
        if old is None or old.state != "AVAILABLE":
            version.refuse(exc)
            registry.serve(version)
            return
        raise
    registry.serve(version)
