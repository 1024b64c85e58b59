"""Target: which version of which model a path names."""

from __future__ import annotations

from typing import NamedTuple

from service.store.names import checked_version


class Target(NamedTuple):
    """A model, and the version or label asked for; with neither, the version that is served by default.

    Args:
        name: as it stands in the path.
        number: of the version.
        label: a name for a version, which can be moved to another.
    """

    name: str
    number: int | None = None
    label: str | None = None

    def __str__(self) -> str:
        """As TensorFlow Serving writes it."""
        return f"Latest({self.name})" if self.number is None else f"Specific({self.name}, {self.number})"


def target_of(name: str, version: str | None = None, label: str | None = None) -> Target:
    """The target that the parts of a path name.

    Raises:
        InvalidVersion: the version is no number that a version can have.
    """
    return Target(name, checked_version(version) if version else None, label)
