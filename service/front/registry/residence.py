"""Residence: which versions have a worker without being asked, and which of the others lose theirs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from service.front.models.memory import private_bytes
from service.front.models.version import Version
from service.store.store import VersionId

_MB = 1024 * 1024


@dataclass(frozen=True)
class Residence:
    """Who has a worker.

    Args:
        newest: so many versions of each model are always loaded, beside those with labels; None: all.
        idle_unload_s: any other version loses its worker after so long without a prediction; 0: never.
        memory_budget_mb: memory of all workers beyond which those others lose theirs earlier; None: no limit.
    """

    newest: int | None = 1
    idle_unload_s: float = 300.0
    memory_budget_mb: int | None = None


def parse_load(policy: str) -> int | None:
    """How many of the newest versions `latest:N` stands for; None for `all`."""
    return None if policy == "all" else int(policy.removeprefix("latest:"))


def kept(versions: Iterable[Version], labelled: Collection[int], newest: int | None) -> set[VersionId]:
    """The versions of a model that shall always be loaded: the newest that did not fail, and those with labels.

    Args:
        versions: of one model, newest first.
        labelled: numbers that labels point at.
        newest: how many; None: all.
    """
    fit = [version.id for version in versions if version.failure is None]
    return {*fit[:newest], *(id_ for id_ in fit if id_.number in labelled)}


def idle(versions: Iterable[Version], keep: Collection[VersionId]) -> list[Version]:
    """The versions of a model that may lose their worker now, if it has all that it shall have: no gap may open."""
    versions = list(versions)
    if any(version.id in keep and version.state != "AVAILABLE" for version in versions):
        return []
    return [
        version for version in versions if version.state == "AVAILABLE" and version.id not in keep and _rests(version)
    ]


def memory_mb(versions: Iterable[Version]) -> int:
    """Memory of the workers that they share with nobody, in MiB."""
    return sum(private_bytes(pid) for version in versions for pid in version.worker_pids) // _MB


def _rests(version: Version) -> bool:
    return not version.batcher.queued_rows
