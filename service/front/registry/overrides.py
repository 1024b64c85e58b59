"""Overrides: versions that come as parameters of Triton's load request, `file:<version>/<path>` in base64."""

from __future__ import annotations

import asyncio
import base64
import binascii
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from service.errors import InvalidRequest
from service.store.contents import find_model
from service.store.extraction import ArchiveLimits, Extraction
from service.store.names import checked_version

_PREFIX = "file:"
_IGNORED = {"unload_dependents"}

Overrides = Mapping[int, Mapping[str, bytes]]
"""Base64 of files by their paths, by the number of the version they are of."""


def read_overrides(document: Mapping[str, Any]) -> Overrides:
    """The files in a load request.

    Raises:
        InvalidRequest: an unknown parameter, files without a config, a config that is no JSON object.
    """
    parameters = document.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise InvalidRequest(f"'parameters' is an object, found {type(parameters).__name__}")
    versions: dict[int, dict[str, bytes]] = {}
    for name, value in parameters.items():
        if name == "config":
            _check_config(value)
        elif name.startswith(_PREFIX):
            number, _, path = name.removeprefix(_PREFIX).partition("/")
            versions.setdefault(checked_version(number), {})[path] = _base64(name, value)
        elif name not in _IGNORED:
            raise InvalidRequest(f"unknown parameter {name[:100]!r}: 'config' and 'file:<version>/<path>' are taken")
    if versions and "config" not in parameters:
        raise InvalidRequest("files in a load request need the parameter 'config' beside them; '{}' will do")
    return versions


async def write_overrides(files: Mapping[str, bytes], folder: Path, limits: ArchiveLimits) -> Path:
    """Write a version's files under the rules for archives; returns the folder with saved_model.pb."""
    return await asyncio.to_thread(_write, files, folder / "unpacked", limits)


def _write(files: Mapping[str, bytes], unpacked: Path, limits: ArchiveLimits) -> Path:
    unpacked.mkdir()
    extraction = Extraction(unpacked, limits, sum(map(len, files.values())))
    for name, encoded in files.items():
        try:
            content = base64.b64decode(encoded, validate=True)
        except binascii.Error as exc:
            raise InvalidRequest(f"the parameter for {name[:100]!r} is no base64") from exc
        extraction.add_file(name, io.BytesIO(content))
    return find_model(unpacked)


def _base64(name: str, value: object) -> bytes:
    if not isinstance(value, str):
        raise InvalidRequest(f"{name[:100]!r} is a string of base64, found {type(value).__name__}")
    return value.encode()


def _check_config(value: object) -> None:
    try:
        config = orjson.loads(value) if isinstance(value, str) else None
    except orjson.JSONDecodeError:
        config = None
    if not isinstance(config, dict):
        raise InvalidRequest("'config' is a string that holds a JSON object")
