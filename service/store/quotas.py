"""Quotas: how much a store may hold, in all and for each key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from service.errors import QuotaExceeded


@dataclass(frozen=True)
class Quotas:
    """How much there may be; None is no limit.

    Args:
        models_max: models with at least one version.
        versions_max: versions of one model.
        stored_max_bytes: of all versions, those in the trash too.
        key_max_bytes: of all versions that one key uploaded, those in the trash too.
    """

    models_max: int | None = None
    versions_max: int | None = None
    stored_max_bytes: int | None = None
    key_max_bytes: int | None = None


@dataclass(frozen=True)
class Usage:
    """How much there would be with one more version, named as the quotas are."""

    models: int
    versions: int
    stored_bytes: int
    key_bytes: int


@dataclass(frozen=True)
class _Row:
    code: str
    limit: Callable[[Quotas], int | None]
    used: Callable[[Usage], int]
    text: str


_ROWS = (
    _Row("too_many_models", lambda quotas: quotas.models_max, lambda usage: usage.models, "models"),
    _Row(
        "too_many_versions", lambda quotas: quotas.versions_max, lambda usage: usage.versions, "versions of one model"
    ),
    _Row("store_full", lambda quotas: quotas.stored_max_bytes, lambda usage: usage.stored_bytes, "bytes in all"),
    _Row("key_quota", lambda quotas: quotas.key_max_bytes, lambda usage: usage.key_bytes, "bytes of one key"),
)


def check_quotas(usage: Usage, quotas: Quotas) -> None:
    """Let one more version in.

    Raises:
        QuotaExceeded: it would be too much; the code says of what.
    """
    for row in _ROWS:
        limit, used = row.limit(quotas), row.used(usage)
        if limit is not None and used > limit:
            raise QuotaExceeded(
                f"with this there would be {used} {row.text}, and at most {limit} are taken: "
                "delete versions that nobody needs; deleted ones count until the trash is emptied, which the operator "
                "can do now: python -m service trash empty",
                row.code,
            )
