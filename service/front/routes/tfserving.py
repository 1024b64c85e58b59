"""TensorFlow Serving's questions about models, and ours for shapes; predictions themselves are in hotpath.py."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from service.engine.specs import SignatureSpec, TensorSpec
from service.errors import ServiceError
from service.front.bodies import read_body
from service.front.codecs.json_text import parse_object
from service.front.codecs.tfserving import DEFAULT_SIGNATURE
from service.front.routes.access import Lister, Reader
from service.front.shapes import requested_shapes
from service.front.target import target_of
from service.front.version import Version
from service.store.names import checked_version

_CANONICAL = {422: "INVALID_ARGUMENT", 503: "UNAVAILABLE"}


router = APIRouter(prefix="/v1/models", tags=["models"])


@router.get("", summary="Names of all models")
async def models(request: Request, context: Lister) -> dict[str, list[str]]:
    """The names that the caller may see, sorted."""
    return {"models": context.keys.visible(request.state.caller, context.registry.models())}


@router.get("/{model}", summary="State of all versions of a model")
@router.get("/{model}/versions/{version}", summary="State of one version of a model")
async def status(model: str, context: Reader, version: str | None = None) -> dict[str, Any]:
    """TensorFlow Serving's status, with a record of each version beside it."""
    found = context.registry.versions(model, checked_version(version) if version else None)
    return {
        "model_version_status": [_status(item) for item in found],
        "name": model,
        "ready": any(item.state == "AVAILABLE" for item in found),
        "versions": [record(item) for item in found],
    }


@router.get("/{model}/metadata", summary="Signatures of a model")
@router.get("/{model}/versions/{version}/metadata", summary="Signatures of one version of a model")
async def metadata(model: str, context: Reader, version: str | None = None) -> dict[str, Any]:
    """Names, dtypes and shapes of inputs and outputs, as TensorFlow Serving writes them."""
    found = context.registry.find(target_of(model, version))
    signatures = {name: _signature(spec) for name, spec in found.served_signatures().items()}
    return {
        "model_spec": {"name": model, "signature_name": "", "version": str(found.id.number)},
        "metadata": {"signature_def": {"signature_def": signatures}},
    }


_SHAPE_EXAMPLE = {"inputs": {"x": [None, 2]}}
_SHAPE_BODY = {
    "requestBody": {"content": {"application/json": {"schema": {"type": "object"}, "example": _SHAPE_EXAMPLE}}}
}


@router.post("/{model}:shape", summary="Output shapes for input shapes", openapi_extra=_SHAPE_BODY)
@router.post("/{model}/versions/{version}:shape", summary="Output shapes for input shapes", openapi_extra=_SHAPE_BODY)
async def shape(model: str, request: Request, context: Reader, version: str | None = None) -> dict[str, Any]:
    """By shape inference: the model is not run. null is a free dimension, in the question and in the answer."""
    found = context.registry.find(target_of(model, version))
    settings = context.settings
    headers = dict(request.scope["headers"])
    body = await read_body(request.receive, headers, settings.predict_max_bytes, settings.body_timeout_s)
    document = parse_object(body)
    signature = document.get("signature_name") or DEFAULT_SIGNATURE
    shapes = requested_shapes(document, found.signature(str(signature)))
    outputs = await found.infer_shapes(signature, shapes, settings.request_timeout_s)
    return {"outputs": {name: {"shape": shape, "dtype": dtype} for name, (shape, dtype) in outputs.items()}}


def record(version: Version) -> dict[str, Any]:
    """What we tell of a version beside TensorFlow Serving's state."""
    manifest = version.manifest
    return {
        "version": version.id.number,
        "state": version.state,
        "reason": version.failure.message if version.failure else None,
        "code": version.failure.code if version.failure else None,
        "digest": manifest.digest if manifest else None,
        "bytes": manifest.bytes if manifest else None,
        "created": manifest.created if manifest else None,
        "is_verified": manifest is not None,
        "signatures": list(version.signatures),
    }


def _status(version: Version) -> dict[str, Any]:
    return {"version": str(version.id.number), "state": version.state, "status": _canonical(version.failure)}


def _canonical(failure: ServiceError | None) -> dict[str, str]:
    """TensorFlow Serving's name for a failure."""
    if failure is None:
        return {"error_code": "OK", "error_message": ""}
    return {"error_code": _CANONICAL.get(failure.status, "UNKNOWN"), "error_message": failure.message}


def _signature(spec: SignatureSpec) -> dict[str, Any]:
    return {
        "inputs": {name: _tensor(tensor) for name, tensor in spec.inputs.items()},
        "outputs": {name: _tensor(tensor) for name, tensor in spec.outputs.items()},
        "method_name": spec.method_name,
        "defaults": {},
    }


def _tensor(tensor: TensorSpec) -> dict[str, Any]:
    sizes = [{"size": "-1" if size is None else str(size), "name": ""} for size in tensor.shape or ()]
    return {
        "dtype": tensor.dtype,
        "tensor_shape": {"dim": sizes, "unknown_rank": tensor.shape is None},
        "name": tensor.tensor_name,
    }
