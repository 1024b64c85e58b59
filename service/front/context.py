"""Context: what the routes share while the server runs."""

from __future__ import annotations

from dataclasses import dataclass

from service.front.auth import Keys
from service.front.registry import Registry
from service.front.uploads import Uploads
from service.settings import Settings


@dataclass
class Context:
    """Settings, keys, the registry, the way into it, and the number of this front where there are several.

    `is_draining` is set once, when the server is asked to end; `unfound_requests` counts those for models that are not
    there, which have no statistics of their own.
    """

    settings: Settings
    keys: Keys
    registry: Registry
    uploads: Uploads
    front: int | None = None
    is_draining: bool = False
    unfound_requests: int = 0

    @property
    def is_ready(self) -> bool:
        """Whether every model had its attempt to load and the server is not about to end."""
        return self.registry.settled.is_set() and not self.is_draining
