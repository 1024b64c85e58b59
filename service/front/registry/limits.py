"""Limits of the registry: how it follows its store, and what the versions of each model may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from service.front.models.version import ServingLimits
from service.front.registry.residence import Residence


@dataclass(frozen=True)
class RegistryLimits:
    """How the registry follows its store.

    Args:
        serving: what each version may use.
        load_parallel: versions that are loaded at the same time.
        poll_interval_s: time between two looks at the folder; see follower.py.
        load_wait_s: how long a request waits for a version that is loaded because of it.
        residence: which versions have a worker.
        instances: how many workers the versions of single models have, by the models' names.
    """

    serving: ServingLimits
    load_parallel: int
    poll_interval_s: float
    load_wait_s: float = 30.0
    residence: Residence = field(default_factory=Residence)
    instances: Mapping[str, int] = field(default_factory=dict)

    def serving_of(self, name: str) -> ServingLimits:
        """What each version of a model may use."""
        return replace(self.serving, instances=self.instances.get(name, self.serving.instances))
