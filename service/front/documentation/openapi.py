"""The part of the OpenAPI document that FastAPI cannot see: the hot path, and what all paths have in common."""

from __future__ import annotations

import re
from typing import Any

from fastapi import FastAPI

from service.front.documentation import statuses, verbs
from service.front.documentation.statuses import Operation
from service.store.names import LABEL, NAME, VERSION_MAX

_INPUT = {"name": "x", "shape": [2, 2], "datatype": "FP32", "data": [0.1, 0.2, 0.3, 0.4]}
_TENSOR = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
        "datatype": {"type": "string", "description": "BOOL, INT8 to UINT64, FP16, FP32, FP64 or BYTES"},
        "data": {"type": "array", "items": {}, "description": "row by row: flat, or nested as the shape is"},
        "parameters": {
            "type": ["object", "null"],
            "description": "binary_data_size: so many bytes stand behind the document",
        },
    },
    "required": ["name", "shape", "datatype"],
}
_WANTED = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "parameters": {
            "type": ["object", "null"],
            "description": "binary_data: true or false; classification: number of classes",
        },
    },
    "required": ["name"],
}
_INFER_BODY = {
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {
                    "id": {"type": ["string", "null"], "description": "comes back with the answer"},
                    "inputs": {"type": "array", "items": _TENSOR},
                    "outputs": {
                        "type": ["array", "null"],
                        "items": _WANTED,
                        "description": "those to answer; all if left out",
                    },
                    "parameters": {
                        "type": ["object", "null"],
                        "description": "binary_data_output, timeout (microseconds), priority, seed, shots, "
                        "signature_name",
                    },
                },
                "required": ["inputs"],
            },
            "examples": {
                "flat": {"summary": "two rows for a model with two features", "value": {"inputs": [_INPUT]}},
                "nested": {
                    "summary": "the same, nested as the shape is, with an id",
                    "value": {"id": "seven", "inputs": [{**_INPUT, "data": [[0.1, 0.2], [0.3, 0.4]]}]},
                },
            },
        }
    },
    "required": True,
}
_INFER_ANSWER = {
    "type": "object",
    "properties": {
        "model_name": {"type": "string"},
        "model_version": {"type": "string"},
        "id": {"type": "string"},
        "outputs": {"type": "array", "items": _TENSOR},
    },
}
_PARTS: dict[str, dict[str, Any]] = {
    "model": {"schema": {"type": "string", "pattern": f"^{NAME}$"}, "example": "moons"},
    "version": {"schema": {"type": "integer", "minimum": 1, "maximum": VERSION_MAX}, "example": 1},
    "label": {"schema": {"type": "string", "pattern": f"^{LABEL}$"}, "example": "stable"},
}
_PART = re.compile(r"{(\w+)}")
_OF_FRAMEWORK = "422"
"""What the framework documents for each parameter, and this service never answers so: an error has one form."""


def document(app: FastAPI) -> None:
    """Let the app's OpenAPI document describe the hot path too, and of every path its parts and errors."""
    described_by_framework = app.openapi

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _completed(described_by_framework())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI documents


def _completed(schema: dict[str, Any]) -> dict[str, Any]:
    schema["paths"] |= verbs.paths()
    schema["paths"] |= {"/v2/models/{model}/infer": _infer()}
    schema["paths"] |= {"/v2/models/{model}/versions/{version}/infer": _infer("version")}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            _complete(Operation(method, path, operation))
    schemes = {"key": {"type": "http", "scheme": "bearer"}}
    schema["components"] = {**statuses.components(), "securitySchemes": schemes}
    schema["security"] = [{"key": []}, {}]
    return schema


def _complete(asked: Operation) -> None:
    """Give an operation the parts of its path and its errors."""
    others = [parameter for parameter in asked.document.get("parameters", ()) if parameter["in"] != "path"]
    parts = [{"name": name, "in": "path", "required": True, **_PARTS[name]} for name in _PART.findall(asked.path)]
    if parts or others:
        asked.document["parameters"] = [*parts, *others]
    own = asked.document["responses"].items()
    answers = {status: statuses.with_headers(response) for status, response in own if status != _OF_FRAMEWORK}
    asked.document["responses"] = {**statuses.responses(asked), **answers}


def _infer(*names: str) -> dict[str, Any]:
    """What asks a model, or one version of it, for outputs."""
    outputs = {"description": "Outputs", "content": {"application/json": {"schema": _INFER_ANSWER}}}
    return {
        "post": {
            "tags": ["open inference protocol"],
            "summary": "Infer" + (" with one version" if names else ""),
            "operationId": "_".join(["infer_model", *names]),
            "parameters": [verbs.DEADLINE],
            "requestBody": _INFER_BODY,
            "responses": {"200": outputs},
            "security": [{"key": []}, {}],
        }
    }
