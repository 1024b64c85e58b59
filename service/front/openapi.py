"""The part of the OpenAPI document that FastAPI cannot see: the hot path."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

_NAMES = ("model", "version")
_BODY = {
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {
                    "signature_name": {"type": "string", "default": "serving_default"},
                    "instances": {"type": "array", "description": "row format: one element for each row", "items": {}},
                    "inputs": {"description": "column format: the value of the one input, or an object of all by name"},
                },
            },
            "examples": {
                "rows": {
                    "summary": "two rows for a model with one input",
                    "value": {"instances": [[0.1, 0.2], [0.3, 0.4]]},
                },
                "columns": {"summary": "the same, as one array", "value": {"inputs": [[0.1, 0.2], [0.3, 0.4]]}},
            },
        }
    },
    "required": True,
}
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
_PREDICT_ANSWER = {
    "type": "object",
    "properties": {"predictions": {"type": "array", "items": {}}, "outputs": {}},
}
_ERROR = {
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {"error": {"type": "string"}, "code": {"type": "string"}},
                "required": ["error", "code"],
            }
        }
    }
}
_ERRORS = {
    "400": "what was sent is wrong",
    "401": "a key is needed",
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
        schema["paths"] |= {"/v1/models/{model}:predict": _predict("model")}
        schema["paths"] |= {"/v1/models/{model}/versions/{version}:predict": _predict("model", "version")}
        schema["paths"] |= {"/v2/models/{model}/infer": _infer("model")}
        schema["paths"] |= {"/v2/models/{model}/versions/{version}/infer": _infer("model", "version")}
        schemes = schema.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["key"] = {"type": "http", "scheme": "bearer"}
        return schema

    app.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI documents


def _predict(*names: str) -> dict[str, Any]:
    return _operation("predict", "predict", _BODY, _PREDICT_ANSWER, names)


def _infer(*names: str) -> dict[str, Any]:
    return _operation("infer", "open inference protocol", _INFER_BODY, _INFER_ANSWER, names)


def _operation(
    verb: str, tag: str, body: dict[str, Any], answer: dict[str, Any], names: tuple[str, ...]
) -> dict[str, Any]:
    """What asks a model, or one version of it, for outputs."""
    responses: dict[str, Any] = {"200": {"description": "Outputs", "content": {"application/json": {"schema": answer}}}}
    responses |= {status: {"description": text, **_ERROR} for status, text in _ERRORS.items()}
    parameters = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    summary = verb.capitalize() + (" with one version" if "version" in names else "")
    operation = {"tags": [tag], "summary": summary, "parameters": parameters, "requestBody": body}
    return {
        "post": operation
        | {"operationId": "_".join([verb, *names]), "responses": responses, "security": [{"key": []}, {}]}
    }
