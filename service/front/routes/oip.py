"""The Open Inference Protocol's questions about the server and its models; inferences themselves are in infer.py."""

from __future__ import annotations

from dataclasses import asdict
from importlib import metadata as packages
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from service.engine import sandbox
from service.engine.members import CARD
from service.errors import ModelNotFound, NotSupported
from service.front.codecs.oip_metadata import EXTENSIONS, model_config, model_metadata
from service.front.codecs.oip_tensors import default_signature
from service.front.context import Context
from service.front.models.version import Version
from service.front.observability.oip_statistics import model_statistics
from service.front.registry.target import target_of
from service.front.routes import documented
from service.front.routes.access import Lister, Reader, Watcher
from service.front.routes.infer import found, unknown_named
from service.front.routes.parts import Text, VersionPart

router = APIRouter(prefix="/v2", tags=["open inference protocol"])

_METHODS = ["GET", "POST"]
_STATE = documented.not_ready("error", "code")


@router.get("", summary="The server's name, version and protocol extensions")
@router.get("/", include_in_schema=False)
async def server_metadata(_: Lister) -> dict[str, Any]:
    """Only extensions that are there; and what confines the workers."""
    version, sandboxed = packages.version("qlayer"), asdict(sandbox.protection())
    return {"name": "qlayer-service", "version": version, "extensions": list(EXTENSIONS), "sandbox": sandboxed}


@router.get("/health/live", summary="Is the server alive?")
async def live() -> dict[str, bool]:
    """The event loop answers; nothing else is looked at."""
    return {"live": True}


@router.get("/health/ready", summary="Had every model its attempt to load?", openapi_extra=_STATE)
async def ready(request: Request) -> JSONResponse:
    """200 once every model had its attempt; 503 before that and while the server ends."""
    context: Context = request.app.state.context
    if context.is_ready:
        return JSONResponse({"live": True, "ready": True})
    return not_ready({"live": True, "error": context.unreadiness})


@router.get("/models", summary="Names of all models")
async def models(request: Request, context: Lister) -> dict[str, list[str]]:
    """The names that the caller may see, sorted."""
    return {"models": context.keys.visible(request.state.caller, context.registry.models())}


@router.get("/models/stats", summary="Statistics of all versions of all models")
async def all_statistics(request: Request, context: Lister) -> dict[str, Any]:
    """Of the versions that the caller may see, also of those that have no worker now; not of those that failed."""
    listed = context.registry.models()
    names = context.keys.visible(request.state.caller, listed)
    return _statistics([version for name in names for version in listed[name] if version.failure is None])


@router.get("/models/{model}/stats", summary="Statistics of a model's versions")
@router.get("/models/{model}/versions/{version}/stats", summary="Statistics of one version of a model")
async def statistics(model: str, context: Reader, version: VersionPart = None) -> dict[str, Any]:
    """Requests, rows, batches and how long they took, also while it was loaded before."""
    target = target_of(model, version)
    try:
        versions = context.registry.versions(model, target.number)
    except ModelNotFound as exc:
        raise ModelNotFound(f"requested model '{model}' is not available: {exc.message}") from exc
    return _statistics(versions)


@router.get("/models/{model}", summary="Inputs and outputs of a model")
@router.get("/models/{model}/versions/{version}", summary="Inputs and outputs of one version of a model")
async def metadata(
    model: str, context: Reader, version: VersionPart = None, signature_name: Text = None
) -> dict[str, Any]:
    """Those of its default signature, or of the one named."""
    served = await found(context, target_of(model, version))
    name = signature_name or default_signature(served.served_signatures())
    versions = [served] if version else context.registry.versions(model)
    numbers = sorted(item.id.number for item in versions if item.state == "AVAILABLE")
    return model_metadata(model, numbers, served.signature(name), _properties(served, name, context.settings.root_path))


@router.get("/models/{model}/ready", summary="Is a model ready?", openapi_extra=_STATE)
@router.get(
    "/models/{model}/versions/{version}/ready", summary="Is one version of a model ready?", openapi_extra=_STATE
)
async def model_ready(model: str, context: Watcher, version: VersionPart = None) -> JSONResponse:
    """200 if it would answer, 503 if not, 404 if there is no such model; it is not loaded for this."""
    with unknown_named(target_of(model, version)) as target:
        asked = context.registry.look_up(target)
    if context.registry.answers(asked):
        return JSONResponse({"name": model, "ready": True})
    return not_ready({"name": model, "error": f"Model version not ready: {asked.id.number} is {asked.listed_state}"})


@router.get("/models/{model}/config", summary="Configuration of a model, as Triton writes it")
@router.get("/models/{model}/versions/{version}/config", summary="Configuration of one version of a model")
async def config(model: str, context: Reader, version: VersionPart = None) -> dict[str, Any]:
    """For perf_analyzer and others that ask how rows are batched."""
    served = await found(context, target_of(model, version))
    spec = served.signature(default_signature(served.served_signatures()))
    instances = context.registry.limits.serving_of(model).instances
    return model_config(model, spec, context.settings.batch_max_rows, instances)


@router.api_route("/trace/setting", methods=_METHODS, include_in_schema=False)
@router.api_route("/models/{model}/trace/setting", methods=_METHODS, include_in_schema=False)
async def trace(_: Reader) -> None:
    """Not there."""
    raise NotSupported("tracing is not supported; /v2/models/stats says how long requests wait and compute")


@router.api_route("/systemsharedmemory/{rest:path}", methods=_METHODS, include_in_schema=False)
@router.api_route("/cudasharedmemory/{rest:path}", methods=_METHODS, include_in_schema=False)
async def shared_memory(_: Reader) -> None:
    """Not there."""
    raise NotSupported("shared memory is not supported: send the tensors' values with the request")


@router.post("/models/{model}/generate", include_in_schema=False)
@router.post("/models/{model}/generate_stream", include_in_schema=False)
@router.post("/models/{model}/versions/{version}/generate", include_in_schema=False)
@router.post("/models/{model}/versions/{version}/generate_stream", include_in_schema=False)
async def generate(model: str, _: Reader) -> None:
    """Not there."""
    raise NotSupported(f"generating text is not supported; POST to /v2/models/{model}/infer")


def _properties(version: Version, signature: str, root_path: str) -> dict[str, str]:
    """What a model is beyond its inputs and outputs, and where there is more about it."""
    path = f"{root_path}/v1/models/{version.id.name}/versions/{version.id.number}"
    has_circuit = (version.directory / CARD).is_file()
    return {
        "signature_name": signature,
        "signatures": ",".join(version.signatures),
        "shape": f"{path}:shape",
        **({"circuit": f"{path}/circuit"} if has_circuit else {}),
    }


def _statistics(versions: list[Version]) -> dict[str, Any]:
    return {
        "model_stats": [
            model_statistics(version.id.name, version.id.number, version.statistics) for version in versions
        ]
    }


def not_ready(body: dict[str, Any]) -> JSONResponse:
    """The answer of what is asked whether it is ready, and is not."""
    return JSONResponse({**body, "ready": False, "code": "model_unavailable"}, 503, {"Retry-After": "1"})
