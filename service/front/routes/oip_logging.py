"""Triton's logging extension: what the server logs, to read and to change while it runs."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from fastapi import APIRouter, Request

from service.errors import InvalidRequest
from service.front.codecs.json_text import excerpt, parse_object
from service.front.codecs.oip_tensors import unsigned
from service.front.routes import documented
from service.front.routes.access import Manager, Reader
from service.front.routes.bodies import whole_body

router = APIRouter(prefix="/v2/logging", tags=["open inference protocol"])

_LOGGER = logging.getLogger("service")
_SWITCHES = {"log_info": logging.INFO, "log_warning": logging.WARNING, "log_error": logging.ERROR}
_VERBOSE = "log_verbose_level"
_FIXED = {"log_file": "", "log_format": "default"}


@router.get("", summary="What the server logs")
async def settings(_: Reader) -> dict[str, Any]:
    """Triton's settings: everything goes to standard error, in one format."""
    level = _LOGGER.getEffectiveLevel()
    switches = {name: level <= threshold for name, threshold in _SWITCHES.items()}
    return {**_FIXED, **switches, _VERBOSE: int(level <= logging.DEBUG)}


@router.post("", summary="Change what the server logs", openapi_extra=documented.LOGGING)
async def update(request: Request, context: Manager) -> dict[str, Any]:
    """Settings that are not given stay; the answer has all of them."""
    given = parse_object(await whole_body(request, context))
    wanted = {**await settings(context), **_checked(given)}
    level = _level(wanted)
    await asyncio.to_thread(context.registry.store.note, f"log-level-{level}", None, request.state.caller)
    _LOGGER.setLevel(level)
    return await settings(context)


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    """The settings that a request gives; null leaves one as it is."""
    for name, value in given.items():
        if name in _FIXED and value is not None and value != _FIXED[name]:
            raise InvalidRequest(f"'{name}' cannot be changed over the network: it is '{_FIXED[name]}'")
        if name in _SWITCHES and not isinstance(value, bool | None):
            raise InvalidRequest(f"'{name}' is {excerpt(value)}, expected true or false")
        if name == _VERBOSE and value is not None:
            unsigned(name, value)
        if name not in {*_FIXED, *_SWITCHES, _VERBOSE}:
            raise InvalidRequest(
                f"unknown setting '{name[:100]}', expected: {', '.join([*_FIXED, *_SWITCHES, _VERBOSE])}"
            )
    return {name: value for name, value in given.items() if value is not None}


def _level(wanted: dict[str, Any]) -> int:
    """The level that the switches mean; a weightier message is never hidden while a lighter one is shown."""
    shown = [bool(wanted[_VERBOSE]), *(wanted[name] for name in _SWITCHES)]
    if shown != sorted(shown):
        raise InvalidRequest(
            f"{excerpt({name: wanted[name] for name in [_VERBOSE, *_SWITCHES]})} cannot be: what is logged is "
            "everything from one level on, of: verbose, info, warning, error"
        )
    levels = [logging.DEBUG, *_SWITCHES.values(), logging.CRITICAL]
    return levels[len(shown) - sum(shown)]
