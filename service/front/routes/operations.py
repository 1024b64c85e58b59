"""Operators' paths: is it alive, is it ready. No key, no limits."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from service.engine import sandbox
from service.front.context import Context

router = APIRouter(tags=["operations"])


@router.get("/", summary="Is the server alive?")
@router.get("/healthz", summary="Is the server alive?")
@router.get("/livez", include_in_schema=False)
async def alive() -> dict[str, str]:
    """The event loop answers; nothing else is looked at."""
    return {"status": "alive"}


@router.get("/readyz", summary="Had every model its attempt to load?")
async def ready(request: Request) -> JSONResponse:
    """200 once every model had its attempt, with the failures; 503 before that and while the server ends."""
    context: Context = request.app.state.context
    versions = [version for listed in context.registry.models().values() for version in listed]
    body: dict[str, Any] = {
        "ready": context.is_ready,
        "draining": context.is_draining,
        "models": {f"{version.id.name}/{version.id.number}": version.state for version in versions},
        "sandbox": asdict(sandbox.protection()),
        "failures": {f"{v.id.name}/{v.id.number}": v.failure.message for v in versions if v.failure},
    }
    return JSONResponse(body, 200 if context.is_ready else 503)
