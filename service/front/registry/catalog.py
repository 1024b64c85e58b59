"""Catalog: the versions that this front knows, by model and number, and the labels that point at them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from service.errors import ModelNotFound
from service.front.models.statistics import Statistics
from service.front.models.version import Version
from service.store.labels import DEFAULT_LABEL
from service.store.store import VersionId


class Catalog:
    """Name -> number -> version, and name -> label -> number; and the counters of versions that are known no more.

    Nothing of it waits for anything; the registry alone changes it.
    """

    def __init__(self) -> None:
        self._models: dict[str, dict[int, Version]] = {}
        self._labels: dict[str, dict[str, int]] = {}
        self._gone: dict[VersionId, Statistics] = {}

    def __iter__(self) -> Iterator[Version]:
        return iter([version for versions in self._models.values() for version in versions.values()])

    def get(self, id_: VersionId) -> Version | None:
        """A version, if it is known."""
        return self._models.get(id_.name, {}).get(id_.number)

    def put(self, version: Version) -> Version | None:
        """Know a version; returns the one that was in its place."""
        versions = self._models.setdefault(version.id.name, {})
        replaced = versions.get(version.id.number)
        versions[version.id.number] = version
        return replaced

    def pop(self, id_: VersionId) -> Version | None:
        """Forget a version, but not its counters; returns it."""
        versions = self._models.get(id_.name, {})
        version = versions.pop(id_.number, None)
        if version:
            self._gone[id_] = version.statistics
        if not versions:
            self._models.pop(id_.name, None)
        return version

    def statistics(self, id_: VersionId) -> Statistics | None:
        """The counters that a version with this id goes on with, if there has been one."""
        version = self.get(id_)
        return version.statistics if version else self._gone.get(id_)

    def counted(self) -> list[tuple[str, Statistics]]:
        """The counters of all versions that there have been, with their models' names: no sum of them ever falls."""
        counters = self._gone | {version.id: version.statistics for version in self}
        return [(id_.name, statistics) for id_, statistics in counters.items()]

    def all_labels(self) -> Mapping[str, Mapping[str, int]]:
        """The labels of all models that have some, each the same object until they are known anew."""
        return dict(self._labels)

    def models(self) -> Mapping[str, list[Version]]:
        """All versions by model, the names sorted, the versions newest first."""
        return {name: self.of_model(name) for name in sorted(self._models)}

    def of_model(self, name: str) -> list[Version]:
        """The versions of a model, newest first; none where it is not known."""
        return sorted(self._models.get(name, {}).values(), key=lambda version: -version.id.number)

    def versions(self, name: str, number: int | None = None) -> list[Version]:
        """The versions of a model, newest first, or the one asked for.

        Raises:
            ModelNotFound: there is none.
        """
        found = [version for version in self.of_model(name) if number in {None, version.id.number}]
        if not found and number is None:
            raise ModelNotFound(f"Could not find any versions of model {name}")
        if not found:
            raise ModelNotFound(f"Could not find version {number} of model {name}")
        return found

    def default(self, name: str) -> Version | None:
        """The version with the label `default`; without one the newest that is available, or else the newest."""
        own = self._models.get(name, {})
        labelled = self._labels.get(name, {}).get(DEFAULT_LABEL)
        if labelled is not None and labelled in own:
            return own[labelled]
        return max(own.values(), key=lambda version: (version.state == "AVAILABLE", version.id.number), default=None)

    def labels(self, name: str) -> Mapping[str, int]:
        """The labels of a model."""
        return self._labels.get(name, {})

    def relabel(self, name: str, labels: dict[str, int]) -> None:
        """Know the labels of a model as they are now."""
        if labels:
            self._labels[name] = labels
        else:
            self._labels.pop(name, None)
