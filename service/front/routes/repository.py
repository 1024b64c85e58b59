"""The model repository extension of the Open Inference Protocol, as Triton has it: index, load, unload."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from service.errors import InvalidRequest, ModelNotFound, UploadRejected
from service.front.codecs.json_text import parse_object
from service.front.context import Context
from service.front.models.version import Version
from service.front.registry import changes
from service.front.registry.overrides import read_overrides
from service.front.routes import documented
from service.front.routes.access import Lister, Manager
from service.front.routes.bodies import SMALL_BYTES, whole_body
from service.store.names import is_name
from service.store.store import VersionId

router = APIRouter(prefix="/v2/repository", tags=["model repository"])

_LOAD_MAX_BYTES = 64 << 20  # with the files of a model
_STATES = {"START": "UNAVAILABLE", "LOADING": "LOADING", "AVAILABLE": "READY"}


@router.post("/index", summary="Versions of all models", openapi_extra=documented.INDEX)
async def index(request: Request, context: Lister) -> list[dict[str, str]]:
    """State of each version that the caller may see; with {"ready": true} of those that are ready."""
    document = await _document(request, context)
    ready = document.get("ready", False)
    if not isinstance(ready, bool):
        raise InvalidRequest(f"'ready' is true or false, found {str(ready)[:50]!r}")
    listed = context.registry.models()
    names = context.keys.visible(request.state.caller, listed)
    rows = [_row(version) for name in names for version in listed[name]]
    return [row for row in rows if row["state"] == "READY" or not ready]


# Names are `path`, so that one with a slash, which can only be wrong, is told so rather than not found.
@router.post("/models/{model:path}/load", summary="Load a model, or load it anew", openapi_extra=documented.LOAD)
async def load(model: str, request: Request, context: Manager) -> JSONResponse:
    """Answers when it is ready; with `config` and `file:<version>/<path>` parameters, stores these versions first."""
    _check_name(model)
    overrides = read_overrides(await _document(request, context, _LOAD_MAX_BYTES))
    registry, caller = context.registry, request.state.caller
    try:
        received = []
        for number, files in sorted(overrides.items()):
            context.keys.check_upload(caller)
            version, _ = await context.uploads.receive_files(files, VersionId(model, number), caller)
            received.append(version)
        if received and all(version.state == "AVAILABLE" for version in received):
            registry.load_kept()
        else:
            await changes.load(registry, model, caller)
    except ModelNotFound as exc:
        raise ModelNotFound(f"failed to load '{model}', failed to poll from model repository: {exc.message}") from exc
    except UploadRejected as exc:
        text = f"failed to load '{model}', {_left(context, model)}: {exc.message}"
        raise UploadRejected(text, exc.code, exc.details) from exc
    return JSONResponse({"name": model, "load": True})


@router.post("/models/{model:path}/unload", summary="Unload a model", openapi_extra=documented.UNLOAD)
async def unload(model: str, request: Request, context: Manager) -> JSONResponse:
    """Answers when no version is ready any more, and what they were asked is answered."""
    _check_name(model)
    await _document(request, context)
    try:
        await changes.unload(context.registry, model, request.state.caller)
    except ModelNotFound as exc:
        raise ModelNotFound(f"failed to unload '{model}': {exc.message}") from exc
    return JSONResponse({"name": model, "unload": True})


async def _document(request: Request, context: Context, max_bytes: int = SMALL_BYTES) -> dict[str, Any]:
    """The body's object; an empty body is an empty one."""
    body = await whole_body(request, context, min(max_bytes, context.settings.upload_max_bytes))
    return parse_object(body) if body.strip() else {}


def _left(context: Context, model: str) -> str:
    """What a load that failed leaves of a model."""
    is_served = any(version.state == "AVAILABLE" for version in context.registry.catalog.of_model(model))
    return "what was loaded before still answers" if is_served else "no version is available"


def _check_name(model: str) -> None:
    if not is_name(model):
        raise InvalidRequest(
            f"invalid model name '{model[:140]}', model name must not contain path traversal characters: "
            "letters, digits, '.', '_' and '-' are taken",
            "invalid_name",
        )


def _row(version: Version) -> dict[str, str]:
    row = {
        "name": version.id.name,
        "version": str(version.id.number),
        "state": _STATES.get(version.state, "UNAVAILABLE"),
    }
    reason = version.failure.message if version.failure else "unloaded" if version.state in {"START", "END"} else ""
    return row | ({"reason": reason} if reason else {})
