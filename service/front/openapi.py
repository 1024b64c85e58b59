"""The part of the OpenAPI document that FastAPI cannot see: the hot path."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from service.front import verbs

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
        errors = {status: {"description": text, **_ERROR} for status, text in _ERRORS.items()}
        schema["paths"] |= verbs.paths(errors)
        schemes = schema.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["key"] = {"type": "http", "scheme": "bearer"}
        return schema

    app.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI documents
