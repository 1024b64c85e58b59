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
        schema["paths"] |= {"/v1/models/{model}:predict": _predict("model")}
        schema["paths"] |= {"/v1/models/{model}/versions/{version}:predict": _predict("model", "version")}
        schemes = schema.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["key"] = {"type": "http", "scheme": "bearer"}
        schema["security"] = [{"key": []}, {}]
        return schema

    app.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI documents


def _predict(*names: str) -> dict[str, Any]:
    answer = {"type": "object", "properties": {"predictions": {"type": "array", "items": {}}, "outputs": {}}}
    responses: dict[str, Any] = {"200": {"description": "Outputs", "content": {"application/json": {"schema": answer}}}}
    responses |= {status: {"description": text, **_ERROR} for status, text in _ERRORS.items()}
    parameters = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    summary = "Predict" + (" with one version" if "version" in names else "")
    operation = {"tags": ["predict"], "summary": summary, "parameters": parameters, "requestBody": _BODY}
    return {
        "post": operation
        | {"operationId": "_".join(["predict", *names]), "responses": responses, "security": [{"key": []}, {}]}
    }
