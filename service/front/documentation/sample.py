"""A request that a signature takes, for people to paste."""

from __future__ import annotations

from typing import Any

import orjson

from service.engine.specs import DTYPES, SignatureSpec, TensorSpec

_ZEROS: dict[str, Any] = {"float": 0.0, "integer": 0, "boolean": False, "string": ""}


def curl_line(address: str, model: str, signature: SignatureSpec) -> str | None:
    """A curl command that gets predictions for one row of zeros.

    Args:
        address: the server's, such as http://127.0.0.1:8000.
        model: the model's name.
        signature: its default signature.

    Returns:
        One line; None for a signature that has no rows, or takes what JSON cannot carry.
    """
    if not signature.has_rows or any(DTYPES[spec.dtype].kind not in _ZEROS for spec in signature.inputs.values()):
        return None
    row = {name: _zeros(spec) for name, spec in signature.inputs.items()}
    body = orjson.dumps({"instances": [row if len(row) > 1 else next(iter(row.values()))]}).decode()
    return f"curl -d '{body}' {address}/v1/models/{model}:predict"


def _zeros(spec: TensorSpec) -> Any:  # noqa: ANN401 -- a JSON value
    """One row of zeros; free dimensions have the size 1."""
    value = _ZEROS[DTYPES[spec.dtype].kind]
    for size in reversed((spec.shape or ())[1:]):
        value = [value] * (1 if size is None else size)
    return value
