"""Changes of models: versions in and out, labels. All of them need a manage key, but for taking a copy."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, StreamingResponse

from service.errors import InvalidRequest, ModelNotFound
from service.front.codecs.json_text import parse_strictly
from service.front.context import Context
from service.front.registry import changes
from service.front.registry.packing import opened, packed
from service.front.registry.uploads import Source
from service.front.routes import documented
from service.front.routes.access import Manager, Reader, Uploader
from service.front.routes.bodies import whole_body
from service.front.routes.parts import VersionPart
from service.front.routes.tfserving import record
from service.store.manifest import describe
from service.store.names import checked_label, checked_name, checked_version
from service.store.store import VersionId

router = APIRouter(prefix="/v1/models", tags=["management"])


@router.put("/{model}/versions/{version}", summary="Upload a version", status_code=201, openapi_extra=documented.UPLOAD)
async def upload(model: str, version: str, request: Request, context: Uploader) -> JSONResponse:
    """Store and serve a SavedModel; 200 if the same content is there already, 409 if other content is."""
    return await _received(request, context, model, checked_version(version))


@router.post("/{model}/versions", summary="Upload the next version", status_code=201, openapi_extra=documented.UPLOAD)
async def upload_next(model: str, request: Request, context: Uploader) -> JSONResponse:
    """The same under the number behind the highest there has ever been; 200 if that one has the same content."""
    return await _received(request, context, model, None)


@router.delete("/{model}", summary="Delete a model", openapi_extra=documented.KEY)
@router.delete("/{model}/versions/{version}", summary="Delete a version", openapi_extra=documented.KEY)
async def delete(model: str, request: Request, context: Manager, version: VersionPart = None) -> dict[str, Any]:
    """Move to the trash, from where it can be restored for some days; what it was asked is answered first."""
    if request.url.query:  # ?version=3 would mean the whole model
        raise InvalidRequest(
            "no query is taken here; to delete one version: DELETE /v1/models/<name>/versions/<number>"
        )
    number = checked_version(version) if version else None
    ids = await changes.delete(context.registry, checked_name(model), number, request.state.caller)
    return {"name": model, "deleted": [id_.number for id_ in ids]}


@router.post("/{model}/versions/{version}:restore", summary="Restore a deleted version", openapi_extra=documented.KEY)
async def restore(model: str, version: str, request: Request, context: Manager) -> dict[str, Any]:
    """Bring a version back from the trash."""
    id_ = VersionId(checked_name(model), checked_version(version))
    restored = await changes.restore(context.registry, id_, request.state.caller)
    return {"name": model, **record(restored)}


@router.get(
    "/{model}/versions/{version}/archive",
    summary="A copy of a version",
    response_class=StreamingResponse,
    openapi_extra=documented.ARCHIVE,
)
async def copy(model: str, version: str, context: Reader) -> StreamingResponse:
    """The version's SavedModel as tar.gz; uploaded again, it is the same version."""
    [found] = context.registry.versions(checked_name(model), checked_version(version))
    digest = found.manifest.digest if found.manifest else (await asyncio.to_thread(describe, found.directory)).digest
    files = await asyncio.to_thread(opened, found.directory)
    if not files:
        raise ModelNotFound(f"version {version} of {model} was deleted just now")
    headers = {"Content-Disposition": f'attachment; filename="{model}-{version}.tar.gz"', "ETag": f'"{digest}"'}
    return StreamingResponse(packed(files), media_type="application/gzip", headers=headers)


@router.get("/{model}/labels", summary="Labels of a model")
async def labels(model: str, context: Reader) -> dict[str, Any]:
    """The numbers of the versions that the labels point at."""
    context.registry.versions(model)
    return {"name": model, "labels": dict(context.registry.labels(model))}


@router.put("/{model}/labels/{label}", summary="Point a label at a version", openapi_extra=documented.LABEL)
async def set_label(model: str, label: str, request: Request, context: Manager) -> dict[str, Any]:
    """The version must be ready; the label `default` is for requests that name none."""
    body = await whole_body(request, context)  # whatever type it is declared as: curl -d declares a form
    number = parse_strictly(body, ("version",)).get("version")
    if isinstance(number, bool) or not isinstance(number, int | str):
        raise InvalidRequest('the body names the version that the label shall point at: {"version": 3}')
    who = request.state.caller
    await changes.set_label(
        context.registry, checked_name(model), checked_label(label), checked_version(str(number)), who=who
    )
    return await labels(model, context)


@router.delete("/{model}/labels/{label}", summary="Remove a label", openapi_extra=documented.KEY)
async def remove_label(model: str, label: str, request: Request, context: Manager) -> dict[str, Any]:
    """The version itself stays."""
    await changes.remove_label(context.registry, checked_name(model), checked_label(label), request.state.caller)
    return await labels(model, context)


@router.post("/{model}:rollback", summary="Serve the version before by default", openapi_extra=documented.KEY)
async def roll_back(model: str, request: Request, context: Manager) -> dict[str, Any]:
    """Point the label `default` one ready version back."""
    await changes.roll_back(context.registry, checked_name(model), request.state.caller)
    return await labels(model, context)


async def _received(request: Request, context: Context, model: str, number: int | None) -> JSONResponse:
    source = Source(request.receive, dict(request.scope["headers"]), request.state.caller)
    stored, is_new = await context.uploads.receive_version(source, checked_name(model), number)
    answer: dict[str, Any] = {"name": model, **record(stored)}
    location = f"{context.settings.root_path}/v1/models/{model}/versions/{stored.id.number}"
    return JSONResponse(answer, 201 if is_new else 200, {"Location": location})
