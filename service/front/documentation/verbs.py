"""The verbs of TensorFlow Serving's paths for the OpenAPI document: what they take and give, with examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from service.front.http.deadlines import HEADER, MS_MAX

_SIGNATURE = {"type": "string", "default": "serving_default"}
_PARAMETERS = {
    "description": "an object, for models with finite shots; anything else is left alone, as unknown keys are",
    "properties": {
        "seed": {"type": ["integer", "null"], "description": "the same seed gives the same answer"},
        "shots": {"type": ["integer", "null"], "description": "how many to draw; those of the circuit if left out"},
    },
}
_PREDICT = {
    "signature_name": _SIGNATURE,
    "instances": {"type": "array", "description": "row format: one element for each row", "items": {}},
    "inputs": {"description": "column format: the value of the one input, or an object of all by name"},
    "parameters": _PARAMETERS,
}
_EXAMPLES = {
    "signature_name": _SIGNATURE,
    "context": {"type": "object", "description": "features of all examples that have not their own"},
    "examples": {
        "type": "array",
        "description": "features by name: a number, text, a boolean, base64, or a flat list of one of these",
        "items": {"type": "object"},
    },
}
_ROWS = {"summary": "two rows for a model with one input", "value": {"instances": [[0.1, 0.2], [0.3, 0.4]]}}
_COLUMNS = {"summary": "the same, as one array", "value": {"inputs": [[0.1, 0.2], [0.3, 0.4]]}}
_DRAWN = {
    "summary": "a model with finite shots",
    "value": {"instances": [[0.1, 0.2]], "parameters": {"seed": 7, "shots": 1000}},
}
_FEATURES = {
    "summary": "two examples",
    "value": {"context": {"device": "sim"}, "examples": [{"theta": 0.25}, {"theta": 0.5}]},
}
DEADLINE = {
    "name": HEADER,
    "in": "header",
    "description": "milliseconds until the answer is of no use any more; then it is 504",
    "schema": {"type": "integer", "minimum": 1, "maximum": MS_MAX},
}
"""A parameter of everything that is computed."""
_PLACES = {"": (), "/versions/{version}": ("version",), "/labels/{label}": ("label",)}


@dataclass(frozen=True)
class Verb:
    """A row of the table of verbs.

    Args:
        name: as it stands behind the colon.
        summary: what it does.
        properties: of the request's body, as JSON schemas.
        examples: of the request's body.
        answer: the properties of the answer.
    """

    name: str
    summary: str
    properties: dict[str, Any]
    examples: dict[str, Any]
    answer: dict[str, Any]


_RESULTS = {"results": {"type": "array", "items": {}}}
VERBS = (
    Verb(
        "predict",
        "Predict",
        _PREDICT,
        {"rows": _ROWS, "columns": _COLUMNS, "drawn": _DRAWN},
        {"predictions": {"type": "array", "items": {}}, "outputs": {}},
    ),
    Verb("classify", "Classes and scores of tf.Examples", _EXAMPLES, {"features": _FEATURES}, _RESULTS),
    Verb("regress", "Numbers for tf.Examples", _EXAMPLES, {"features": _FEATURES}, _RESULTS),
)


def paths() -> dict[str, Any]:
    """The paths of all verbs, of a model, a version and a label."""
    return {
        f"/v1/models/{{model}}{place}:{verb.name}": {"post": _operation(verb, names)}
        for verb in VERBS
        for place, names in _PLACES.items()
    }


def _operation(verb: Verb, names: tuple[str, ...]) -> dict[str, Any]:
    answer = {"type": "object", "properties": verb.answer}
    outputs = {"description": "Outputs", "content": {"application/json": {"schema": answer}}}
    return {
        "tags": ["predict"],
        "summary": ", by its ".join([verb.summary, *names]),
        "operationId": "_".join([verb.name, "model", *names]),
        "parameters": [DEADLINE],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"type": "object", "properties": verb.properties},
                    "examples": verb.examples,
                }
            },
        },
        "responses": {"200": outputs},
        "security": [{"key": []}, {}],
    }
