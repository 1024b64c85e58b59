"""TensorFlow Serving's questions about models, and ours for shapes; predictions themselves are in predict.py."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from service.engine.specs import SignatureSpec, TensorSpec
from service.errors import ServiceError
from service.front.circuits.shapes import requested_shapes
from service.front.codecs.canonical import canonical_name
from service.front.codecs.json_text import parse_strictly
from service.front.codecs.tfserving import signature_name
from service.front.context import Context
from service.front.http.cors import check_origin
from service.front.models.version import Version
from service.front.registry.target import target_of
from service.front.routes.access import Lister, Reader
from service.front.routes.bodies import whole_body
from service.front.routes.documented import SHAPE
from service.front.routes.parts import LabelPart, VersionPart
from service.front.routes.verbs import without_verb
from service.store.names import checked_version

_SHAPE_KEYS = ("signature_name", "inputs", "input_shape")

router = APIRouter(prefix="/v1/models", tags=["models"], dependencies=[Depends(without_verb)])


@router.get("", summary="Names of all models")
async def models(request: Request, context: Lister) -> dict[str, list[str]]:
    """The names that the caller may see, sorted."""
    return {"models": context.keys.visible(request.state.caller, context.registry.models())}


@router.get("/{model}", summary="State of all versions of a model")
@router.get("/{model}/versions/{version}", summary="State of one version of a model")
@router.get("/{model}/labels/{label}", summary="State of the version that has a label")
async def status(model: str, context: Reader, version: VersionPart = None, label: LabelPart = None) -> dict[str, Any]:
    """TensorFlow Serving's status, with a record of each version beside it."""
    found = _versions(context, model, version, label)
    return {
        "model_version_status": [_status(item) for item in found],
        "name": model,
        "ready": any(item.state == "AVAILABLE" for item in found),
        "versions": [record(item) for item in found],
        "labels": dict(context.registry.labels(model)),
    }


@router.get("/{model}/metadata", summary="Signatures of a model")
@router.get("/{model}/versions/{version}/metadata", summary="Signatures of one version of a model")
@router.get("/{model}/labels/{label}/metadata", summary="Signatures of the version that has a label")
async def metadata(model: str, context: Reader, version: VersionPart = None, label: LabelPart = None) -> dict[str, Any]:
    """Names, dtypes and shapes of inputs and outputs, as TensorFlow Serving writes them."""
    found = await context.registry.ready(target_of(model, version, label))
    signatures = {name: _signature(spec) for name, spec in found.served_signatures().items()}
    return {
        "model_spec": {"name": model, "signature_name": "", "version": str(found.id.number)},
        "metadata": {"signature_def": {"signature_def": signatures}},
    }


@router.post("/{model}:shape", summary="Output shapes for input shapes", openapi_extra=SHAPE)
@router.post("/{model}/versions/{version}:shape", summary="Output shapes for input shapes", openapi_extra=SHAPE)
@router.post("/{model}/labels/{label}:shape", summary="Output shapes for input shapes", openapi_extra=SHAPE)
async def shape(
    model: str, request: Request, context: Reader, version: VersionPart = None, label: LabelPart = None
) -> dict[str, Any]:
    """By shape inference: the model is not run. null is a free dimension, in the question and in the answer."""
    found = await context.registry.ready(target_of(model, version, label))
    document = parse_strictly(await whole_body(request, context), _SHAPE_KEYS)
    signature = signature_name(document)
    shapes = requested_shapes(document, found.signature(signature))
    outputs = await found.infer_shapes(signature, shapes, context.settings.request_timeout_s)
    return {"outputs": {name: {"shape": shape, "dtype": dtype} for name, (shape, dtype) in outputs.items()}}


@router.options("", include_in_schema=False)
@router.options("/{path:path}", include_in_schema=False)
async def preflight(request: Request) -> Response:
    """A browser's question before it asks from a foreign page: 200, but without the headers that would allow it."""
    check_origin(request.scope, request.headers.get("origin", "").encode("latin-1"))
    return Response(status_code=200)


def _versions(context: Context, model: str, version: str | None, label: str | None) -> list[Version]:
    if label is not None:
        return [context.registry.look_up(target_of(model, label=label))]
    return context.registry.versions(model, checked_version(version) if version else None)


def record(version: Version) -> dict[str, Any]:
    """What we tell of a version beside TensorFlow Serving's state."""
    manifest = version.manifest
    return {
        "version": version.id.number,
        "state": version.listed_state,
        "reason": version.failure.message if version.failure else None,
        "code": version.failure.code if version.failure else None,
        "digest": manifest.digest if manifest else None,
        "bytes": manifest.bytes if manifest else None,
        "created": manifest.created if manifest else None,
        "uploader": manifest.uploader if manifest else None,
        "is_verified": manifest is not None,
        "signatures": list(version.signatures),
    }


def _status(version: Version) -> dict[str, Any]:
    return {"version": str(version.id.number), "state": version.listed_state, "status": _canonical(version.failure)}


def _canonical(failure: ServiceError | None) -> dict[str, str]:
    """TensorFlow Serving's name for a failure."""
    if failure is None:
        return {"error_code": "OK", "error_message": ""}
    return {"error_code": canonical_name(failure.status), "error_message": failure.message}


def _signature(spec: SignatureSpec) -> dict[str, Any]:
    return {
        "inputs": {name: _tensor(tensor) for name, tensor in spec.inputs.items()},
        "outputs": {name: _tensor(tensor) for name, tensor in spec.outputs.items()},
        "method_name": spec.method_name,
        "defaults": spec.defaults,
    }


def _tensor(tensor: TensorSpec) -> dict[str, Any]:
    sizes = [{"size": "-1" if size is None else str(size), "name": ""} for size in tensor.shape or ()]
    return {
        "dtype": tensor.dtype,
        "tensor_shape": {"dim": sizes, "unknown_rank": tensor.shape is None},
        "name": tensor.tensor_name,
    }
