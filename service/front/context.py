"""Context: what the routes share while the server runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from service.errors import ModelNotFound, ServiceError
from service.front.access.auth import Keys
from service.front.registry.registry import Registry
from service.front.registry.uploads import Uploads
from service.settings import Settings

_UNFOUND = (ModelNotFound.status, ModelNotFound.code)


@dataclass
class Context:
    """Settings, keys, the registry, the way into it, and the number of this front where there are several.

    `is_draining` is set once, when the server is asked to end; `refusals` counts, by status and code, the errors
    that no version's statistics have.
    """

    settings: Settings
    keys: Keys
    registry: Registry
    uploads: Uploads
    front: int | None = None
    is_draining: bool = False
    refusals: Counter[tuple[int, str]] = field(default_factory=lambda: Counter({_UNFOUND: 0}))

    def count(self, error: Exception) -> None:
        """Count a request that was refused, unless a version has."""
        if isinstance(error, ServiceError) and not error.is_counted:
            self.refusals[error.status, error.code] += 1

    @property
    def is_ready(self) -> bool:
        """Whether every model had its attempt to load, with success if that was asked for, and no end is near."""
        has_failed = self.settings.strict_readiness and any(version.failure for version in self.registry.listed())
        return self.registry.settled.is_set() and not self.is_draining and not has_failed

    @property
    def unreadiness(self) -> str:
        """Why it is not ready."""
        reason = "a version cannot be loaded" if self.registry.settled.is_set() else "models are still loading"
        return f"the server is not ready: {'it is about to end' if self.is_draining else reason}"
