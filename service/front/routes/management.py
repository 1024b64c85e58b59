"""Changes of models; all of them need a manage key."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from service.front.bodies import stream_body
from service.front.routes.access import Uploader
from service.front.routes.tfserving import record
from service.front.uploads import receive_version
from service.store.names import checked_name, checked_version
from service.store.store import VersionId

router = APIRouter(prefix="/v1/models", tags=["management"])

_ARCHIVE = {"schema": {"type": "string", "format": "binary"}}
_UPLOAD_BODY = {
    "requestBody": {
        "description": "zip, tar or tar.gz of a SavedModel: its content, or the one folder it is in",
        "content": {"application/zip": _ARCHIVE, "application/gzip": _ARCHIVE},
    },
    "security": [{"key": []}],
}


@router.put("/{model}/versions/{version}", summary="Upload a version", status_code=201, openapi_extra=_UPLOAD_BODY)
async def upload(model: str, version: str, request: Request, context: Uploader) -> JSONResponse:
    """Store and serve a SavedModel; 200 if the same content is there already, 409 if other content is."""
    id_ = VersionId(checked_name(model), checked_version(version))
    settings = context.settings
    headers = dict(request.scope["headers"])
    body = stream_body(request.receive, headers, settings.upload_max_bytes, settings.body_timeout_s)
    stored, is_new = await receive_version(
        body, id_, context.registry, settings.archive_limits, settings.upload_timeout_s
    )
    answer: dict[str, Any] = {"name": model, **record(stored)}
    location = f"/v1/models/{model}/versions/{version}"
    return JSONResponse(answer, 201 if is_new else 200, {"Location": location})
