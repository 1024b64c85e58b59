"""The part of the OpenAPI document that FastAPI cannot see: the hot path."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from service.front import verbs

_INPUT = {"name": "x", "shape": [2, 2], "datatype": "FP32", "data": [0.1, 0.2, 0.3, 0.4]}
_TENSOR = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
        "datatype": {"type": "string", "description": "BOOL, INT8 to UINT64, FP16, FP32, FP64 or BYTES"},
        "data": {"type": "array", "items": {}, "description": "row by row: flat, or nested as the shape is"},
        "parameters": {"type": "object", "description": "binary_data_size: so many bytes stand behind the document"},
    },
    "required": ["name", "shape", "datatype"],
}
_WANTED = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "parameters": {
            "type": "object",
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
                    "id": {"type": "string", "description": "comes back with the answer"},
                    "inputs": {"type": "array", "items": _TENSOR},
                    "outputs": {"type": "array", "items": _WANTED, "description": "those to answer; all if left out"},
                    "parameters": {
                        "type": "object",
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
_ERROR = {
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {name: {"type": "string"} for name in ("error", "code", "request_id")},
                "required": ["error", "code"],
            }
        }
    }
}
_ERRORS = {
    "400": "what was sent is wrong",
    "401": "a key is needed",
    "403": "the key is for something else",
    "404": "no such model or version",
    "413": "too many bytes or rows",
    "429": "too many rows wait; Retry-After says when to try again",
    "503": "loading, or its worker was lost; Retry-After says when to try again",
    "504": "no answer in time",
}


def document(app: FastAPI) -> None:
    """Let the app's OpenAPI document describe the hot path too."""
    described_by_framework = app.openapi

    def openapi() -> dict[str, Any]:
        schema = described_by_framework()
        errors = {status: {"description": text, **_ERROR} for status, text in _ERRORS.items()}
        schema["paths"] |= verbs.paths(errors)
        schema["paths"] |= {"/v2/models/{model}/infer": _infer(errors, "model")}
        schema["paths"] |= {"/v2/models/{model}/versions/{version}/infer": _infer(errors, "model", "version")}
        schemes = schema.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["key"] = {"type": "http", "scheme": "bearer"}
        schema["security"] = [{"key": []}, {}]
        return schema

    app.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI documents


def _infer(errors: dict[str, Any], *names: str) -> dict[str, Any]:
    """What asks a model, or one version of it, for outputs."""
    outputs = {"description": "Outputs", "content": {"application/json": {"schema": _INFER_ANSWER}}}
    return {
        "post": {
            "tags": ["open inference protocol"],
            "summary": "Infer" + (" with one version" if "version" in names else ""),
            "operationId": "_".join(["infer", *names]),
            "parameters": [
                {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
            ],
            "requestBody": _INFER_BODY,
            "responses": {"200": outputs, **errors},
            "security": [{"key": []}, {}],
        }
    }
