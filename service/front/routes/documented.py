"""What routes take and give that the framework cannot see, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from service.front.circuits.circuit import FORMS
from service.store.names import VERSION, VERSION_MAX

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FORM = {
    "schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}, "required": ["file"]}
}
_ARCHIVES = ("application/zip", "application/x-tar", "application/gzip", "application/zstd")
_SIZE = {"anyOf": [{"type": "integer", "minimum": -1}, {"type": "null"}]}
_SHAPE = {"type": "array", "items": _SIZE}
_SWITCHES = ("log_info", "log_warning", "log_error")


def _body(properties: dict[str, Any], example: dict[str, Any], **keywords: object) -> dict[str, Any]:
    """A body of JSON, an object with these properties and further keywords of its schema; it may be left out."""
    schema = {"type": "object", "properties": properties, **keywords}
    return {"content": {"application/json": {"schema": schema, "example": example}}}


def _text_header(description: str) -> dict[str, Any]:
    return {"description": description, "required": True, "schema": {"type": "string"}}


def _stored(text: str) -> dict[str, Any]:
    """The answer to an upload."""
    return {
        "description": text,
        "content": {"application/json": {"schema": {"type": "object"}}},
        "headers": {"Location": _text_header("where the version is")},
    }


def not_ready(*names: str) -> dict[str, Any]:
    """The 503 of a question whether something is ready: its answer, and not only an error.

    Args:
        *names: of what every such answer has.
    """
    schema = {"type": "object", "properties": {"ready": {"const": False}}, "required": [*names]}
    return {"responses": {"503": {"description": "Not ready", "content": {"application/json": {"schema": schema}}}}}


KEY: dict[str, Any] = {"security": [{"key": []}]}
"""Of operations that need a manage key, however the server is started."""

UPLOAD: dict[str, Any] = {
    **KEY,
    "requestBody": {
        "description": "zip, tar, tar.gz or tar.zst of a SavedModel: its content, or the one folder it is in",
        "required": True,
        "content": {**dict.fromkeys(_ARCHIVES, _BINARY), "multipart/form-data": _FORM},
    },
    "responses": {
        "200": _stored("The same content is there already"),
        "201": _stored("Stored and served"),
    },
}
ARCHIVE: dict[str, Any] = {
    "responses": {
        "200": {
            "description": "The version's SavedModel",
            "content": {"application/gzip": _BINARY},
            "headers": {
                "ETag": _text_header("the digest of the content"),
                "Content-Disposition": _text_header("a name for the file"),
            },
        }
    }
}
_NUMBER = {
    "anyOf": [
        {"type": "integer", "minimum": 1, "maximum": VERSION_MAX},
        {"type": "string", "pattern": f"^{VERSION}$"},
    ]
}
LABEL = {
    **KEY,
    "requestBody": _body({"version": _NUMBER}, {"version": 1}, required=["version"], additionalProperties=False),
}

SHAPE = {
    "requestBody": {
        **_body(
            {
                "signature_name": {"type": "string", "default": "serving_default"},
                "inputs": {"type": "object", "additionalProperties": _SHAPE, "description": "shapes by name"},
                "input_shape": {**_SHAPE, "description": "instead, where the signature has one input"},
            },
            {"inputs": {"x": [None, 2]}},
        ),
        "required": True,
    }
}
LOGGING = {
    **KEY,
    "requestBody": {
        **_body(
            {
                **{name: {"type": ["boolean", "null"]} for name in _SWITCHES},
                "log_verbose_level": {"type": ["integer", "null"], "minimum": 0},
                "log_file": {"enum": ["", None]},
                "log_format": {"enum": ["default", None]},
            },
            {"log_info": True},
            additionalProperties=False,
        ),
        "required": True,
    },
}
INDEX = {"requestBody": _body({"ready": {"type": "boolean"}}, {"ready": True})}
_CONFIG = {
    "type": "string",
    "description": "a JSON object; needed beside files",
    "contentMediaType": "application/json",
}
LOAD = {
    **KEY,
    "requestBody": _body(
        {
            "parameters": {
                "description": "an object; [] and other values of nothing are none",
                "properties": {
                    "config": _CONFIG,
                    "unload_dependents": {"description": "not looked at: no model has any"},
                },
                "patternProperties": {"^file:": {"type": "string", "contentEncoding": "base64"}},
                "additionalProperties": False,
            }
        },
        {"parameters": {"config": "{}"}},
    ),
}
UNLOAD = {**KEY, "requestBody": _body({"parameters": {"description": "not looked at"}}, {})}
CIRCUIT = {
    "responses": {
        "200": {
            "description": "The circuits of the quantum layers",
            "content": {form.media_type.split(";")[0]: {} for form in FORMS.values()},
        }
    }
}
METRICS = {"responses": {"200": {"description": "Metrics", "content": {"text/plain": {"schema": {"type": "string"}}}}}}
