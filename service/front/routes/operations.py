"""Operators' paths: is it alive, is it ready, without a key or limits; metrics, for those who may read."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from service.engine import sandbox
from service.front.context import Context
from service.front.observability.metrics import MEDIA_TYPE
from service.front.routes import documented
from service.front.routes.access import Watcher
from service.front.routes.oip import not_ready

router = APIRouter(tags=["operations"])


@router.get("/", summary="Is the server alive?")
@router.get("/healthz", summary="Is the server alive?")
@router.get("/livez", include_in_schema=False)
async def alive() -> dict[str, str]:
    """The event loop answers; nothing else is looked at."""
    return {"status": "alive"}


@router.get("/readyz", summary="Had every model its attempt to load?", openapi_extra=documented.not_ready("ready"))
async def ready(request: Request) -> JSONResponse:
    """200 once every model had its attempt, with failures; 503 before that, while the server ends, or if strict."""
    context: Context = request.app.state.context
    versions = context.registry.listed()
    body: dict[str, Any] = {
        "ready": True,
        "draining": context.is_draining,
        "models": {f"{version.id.name}/{version.id.number}": version.listed_state for version in versions},
        "sandbox": asdict(sandbox.protection()),
        "failures": {f"{v.id.name}/{v.id.number}": v.failure.message for v in versions if v.failure},
    }
    return JSONResponse(body) if context.is_ready else not_ready({**body, "error": context.unreadiness})


@router.get("/metrics", summary="Metrics for Prometheus", response_class=Response, openapi_extra=documented.METRICS)
@router.get("/monitoring/prometheus/metrics", include_in_schema=False, response_class=Response)
async def metrics(request: Request, _: Watcher) -> Response:
    """Of every version: requests, latency, queue, batches, loads; under TensorFlow Serving's and Triton's names too."""
    text: bytes = request.app.state.metrics.text()
    return Response(text, media_type=MEDIA_TYPE)
