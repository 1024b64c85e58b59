"""Limits: what each part of the front may take, from the settings that an operator can decide."""

from __future__ import annotations

import os

from service.engine.sandbox import Limits
from service.front.access.auth import Rates
from service.front.http.protocol import WireLimits
from service.front.models.batching import BatchLimits
from service.front.models.instance import InstanceLimits
from service.front.models.version import ServingLimits
from service.front.registry.limits import RegistryLimits
from service.front.registry.residence import Residence, parse_load
from service.front.registry.uploads import UploadLimits
from service.settings import Settings
from service.store.extraction import ArchiveLimits
from service.store.quotas import Quotas

_MB = 1024 * 1024


def rates(settings: Settings) -> Rates:
    """How often each caller may ask."""
    return Rates(settings.rate_limit_per_s, settings.uploads_per_minute, settings.key_failures_per_minute)


def wire_limits(settings: Settings) -> WireLimits:
    """What one connection may cost."""
    return WireLimits(
        idle_timeout_s=settings.idle_timeout_s,
        header_timeout_s=settings.header_timeout_s,
        stall_timeout_s=settings.body_timeout_s,
        header_max_bytes=settings.header_max_bytes,
        headers_max=settings.headers_max,
        url_max_bytes=settings.url_max_bytes,
        connections_max=settings.connections_max,
    )


def quotas(settings: Settings) -> Quotas:
    """How much the store may hold."""
    return Quotas(settings.models_max, settings.versions_max, settings.stored_max_bytes, settings.key_max_bytes)


def upload_limits(settings: Settings) -> UploadLimits:
    """What uploads may bring, and what may come out of them."""
    return UploadLimits(
        archive=ArchiveLimits(
            settings.unpacked_max_bytes,
            settings.archive_files_max,
            settings.file_max_bytes,
            settings.unpack_timeout_s,
            disk_reserve_bytes=settings.disk_reserve_mb * _MB,
        ),
        max_bytes=settings.upload_max_bytes,
        pause_s=settings.body_timeout_s,
        timeout_s=settings.upload_timeout_s,
        at_once=settings.uploads_max,
    )


def registry_limits(settings: Settings) -> RegistryLimits:
    """Which versions have workers, and what may be asked of them."""
    return RegistryLimits(
        serving_limits(settings),
        settings.load_parallel,
        settings.poll_interval_s,
        settings.request_timeout_s,
        Residence(parse_load(settings.load), settings.idle_unload_s, settings.memory_budget_mb),
        settings.instances_by_model,
    )


def serving_limits(settings: Settings) -> ServingLimits:
    """The limits of each version: of its batches and of its workers."""
    return ServingLimits(
        BatchLimits(settings.batch_max_rows, settings.queue_max_rows, settings.request_max_rows),
        _instance_limits(settings),
        settings.restarts_max,
        settings.instances,
        settings.worker_growth_max_mb,
        is_folder_strict=settings.strict_folder,
    )


def _instance_limits(settings: Settings) -> InstanceLimits:
    worker = Limits(
        settings.worker_memory_max_mb,
        settings.load_cpu_s,
        settings.graph_max_mb,
        settings.require_sandbox,
        settings.worker_threads or len(os.sched_getaffinity(0)),
        settings.answer_max_mb,
    )
    return InstanceLimits(worker, settings.load_timeout_s, settings.call_timeout_s)
