"""TensorFlow Serving's JSON, rows and columns: bytes to arrays and back.

The rules and the key fragments of the texts are those of TensorFlow Serving's REST interface: no coercion of strings,
booleans or null; no decimals for integers; NaN and infinities are read and written as bare tokens.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import orjson

from service.engine.specs import DTYPES, Shape, SignatureSpec, TensorSpec
from service.errors import InvalidJson, InvalidRequest, InvalidShape, InvalidValue, UnsupportedDtype
from service.front.elements import array_of

Array = np.ndarray[Any, Any]
Arrays = Mapping[str, Array]

DEFAULT_SIGNATURE = "serving_default"
_EXCERPT_CHARS = 256
_SPECIAL_TOKENS = {"nan": b"NaN", "inf": b"Infinity", "-inf": b"-Infinity"}


@dataclass(frozen=True)
class PredictRequest:
    """A prediction's body, parsed but not yet compared with a signature.

    Args:
        signature: the signature's name.
        is_rows: whether it came as `instances`, row by row, rather than as `inputs`, input by input.
        values: what stood under that key.
        may_hold_booleans: whether true or false occurs anywhere in the body.
    """

    signature: str
    is_rows: bool
    values: Any
    may_hold_booleans: bool


def parse_predict(body: bytes) -> PredictRequest:
    """The request in a body.

    Raises:
        InvalidJson: it is no JSON object.
        InvalidRequest: it has not exactly one of the keys `instances` and `inputs`, or a bad `signature_name`.
    """
    document = parse_object(body)
    signature = document.get("signature_name", DEFAULT_SIGNATURE)
    if not isinstance(signature, str):
        raise InvalidRequest("JSON Value: 'signature_name' key must be a string value.")
    is_rows = "instances" in document
    if is_rows and "inputs" in document:
        raise InvalidRequest("JSON Value: expecting only one of 'inputs' or 'instances' keys to exist")
    if not is_rows and "inputs" not in document:
        raise InvalidRequest("JSON Value: Missing 'inputs' or 'instances' key")
    values = document["instances" if is_rows else "inputs"]
    return PredictRequest(signature or DEFAULT_SIGNATURE, is_rows, values, b"true" in body or b"false" in body)


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; text behind it is ignored, NaN and infinities are taken.

    Raises:
        InvalidJson: there is none.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = _parse_leniently(body)
    if not isinstance(document, dict):
        raise InvalidJson(f"JSON Value: {excerpt(document)} Is not object")
    return document


def decode_inputs(request: PredictRequest, spec: SignatureSpec) -> Arrays:
    """The arrays for a signature's inputs.

    Raises:
        InvalidRequest: names are missing or unknown.
        InvalidValue, InvalidShape: values do not have their input's dtype or shape.
        UnsupportedDtype: the signature has an input that JSON cannot carry.
    """
    columns = _columns_of_rows(request.values, spec) if request.is_rows else _columns(request.values, spec)
    inputs = {
        name: _decode(name, columns[name], tensor, may_hold_booleans=request.may_hold_booleans)
        for name, tensor in spec.inputs.items()
    }
    for name, array in inputs.items():
        check_shape(name, array.shape, spec.inputs[name])
    return inputs


def has_common_rows(inputs: Arrays) -> bool:
    """Whether all inputs have the same number of rows, at least one."""
    counts = {array.shape[0] if array.ndim else 0 for array in inputs.values()}
    return len(counts) == 1 and 0 not in counts


def check_shape(name: str, shape: Shape, tensor: TensorSpec) -> None:
    """Refuse a shape that an input cannot have.

    Raises:
        InvalidShape: it cannot.
    """
    if not tensor.fits(shape):
        raise InvalidShape(
            f"input '{name}' has shape {shape_text(shape)}, expected {shape_text(tensor.shape)} (-1: any size)"
        )


def encode_outputs(outputs: Arrays, *, is_rows: bool) -> bytes:
    """The answer's body: `predictions` for rows, `outputs` for columns.

    Raises:
        InvalidRequest: an output cannot be written as JSON, or not row by row.
    """
    for name, array in outputs.items():
        if array.dtype.kind not in "fiubO" or array.dtype == np.float16:
            raise InvalidRequest(f"Failed to write JSON value for tensor type: {array.dtype} (output '{name}')")
    if not is_rows:
        columns = {name: _plain(name, array) for name, array in outputs.items()}
        return _dumps({"outputs": next(iter(columns.values())) if len(columns) == 1 else columns})
    _check_rows(outputs)
    if len(outputs) == 1:
        return _dumps({"predictions": _plain(*next(iter(outputs.items())))})
    rows = len(next(iter(outputs.values())))
    return _dumps({"predictions": [{n: _plain(n, a[row, ...]) for n, a in outputs.items()} for row in range(rows)]})


def shape_text(shape: Shape | None) -> str:
    """A shape for a message: [-1,4]."""
    return (
        "of any rank" if shape is None else "[" + ",".join("-1" if size is None else str(size) for size in shape) + "]"
    )


def excerpt(value: object) -> str:
    """A value for a message, cut."""
    return json.dumps(value, default=str)[:_EXCERPT_CHARS]


def _parse_leniently(body: bytes) -> object:
    if not body.strip():
        raise InvalidJson("JSON Parse error: The document is empty")
    try:
        document, _ = json.JSONDecoder().raw_decode(body.decode().lstrip())
    except json.JSONDecodeError as exc:
        raise InvalidJson(f"JSON Parse error: Invalid value. at offset: {exc.pos}") from exc
    except (UnicodeDecodeError, RecursionError, ValueError) as exc:
        raise InvalidJson("JSON Parse error: not UTF-8, nested too deeply, or with too long a number") from exc
    return document


def _columns_of_rows(rows: object, spec: SignatureSpec) -> dict[str, Any]:
    """Input by input, from rows: strict about names."""
    if not isinstance(rows, list):
        raise InvalidRequest("Expecting 'instances' to be an list/array")
    if not rows:
        raise InvalidShape("No values in 'instances' array")
    names = set(spec.inputs)
    has_names = [isinstance(row, dict) and row.keys() != {"b64"} for row in rows]
    if not any(has_names) and len(names) == 1:
        return {next(iter(names)): rows}
    for index, row in enumerate(rows):
        if not has_names[index] or row.keys() != names:
            _refuse_row(index, row, spec)
    return {name: [row[name] for row in rows] for name in names}


def _refuse_row(index: int, row: object, spec: SignatureSpec) -> NoReturn:
    expected = ",".join(spec.inputs)
    unknown = [name for name in row if name not in spec.inputs] if isinstance(row, dict) else []
    if unknown:
        raise InvalidRequest(
            f"Failed to process element: {index} key: {unknown[0]} of 'instances' list. Error: "
            f"JSON object: does not have named input: {unknown[0]}; the inputs are: {expected}"
        )
    raise InvalidRequest(
        f"Failed to process element: {index} of 'instances' list. "
        f"JSON Value: {excerpt(row)} keys must be equal to: {expected}"
    )


def _columns(values: object, spec: SignatureSpec) -> dict[str, Any]:
    """Input by input: lax about names that are not inputs."""
    if len(spec.inputs) == 1:
        name = next(iter(spec.inputs))
        return {name: values[name] if isinstance(values, dict) and name in values else values}
    if not isinstance(values, dict):
        raise InvalidRequest(f"'inputs' must be an object with the keys: {','.join(spec.inputs)}")
    for name in spec.inputs:
        if name not in values:
            raise InvalidRequest(f"Missing named input: {name} in 'inputs' object.")
    return values


def _decode(name: str, value: object, tensor: TensorSpec, *, may_hold_booleans: bool) -> Array:
    dtype = DTYPES[tensor.dtype]
    if dtype.kind == "none":
        raise UnsupportedDtype(f"Conversion of JSON Value: {excerpt(value)} to type: {dtype.numpy} (input '{name}')")
    try:
        return array_of(value, dtype, may_hold_booleans=may_hold_booleans)
    except (InvalidValue, InvalidShape) as exc:
        raise type(exc)(f"{exc.message} (input '{name}')") from exc


def _check_rows(outputs: Arrays) -> None:
    rows = None
    for name, array in outputs.items():
        if not array.ndim:
            raise InvalidRequest(
                f"Tensor name: {name} has no shape information: it has no rows, ask with 'inputs' instead"
            )
        rows = len(array) if rows is None else rows
        if len(array) != rows:
            raise InvalidRequest(
                f"Tensor name: {name} has inconsistent batch size: {len(array)} expecting: {rows}; "
                "ask with 'inputs' instead"
            )


def _plain(name: str, array: Array) -> object:
    """What orjson writes as TensorFlow Serving would."""
    if array.dtype == object:
        return _plain_strings(array.tolist(), is_binary=name.endswith("_bytes"))
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return _with_special_tokens(array)
    return np.ascontiguousarray(array) if array.ndim else array[()]


def _plain_strings(value: object, *, is_binary: bool) -> object:
    if isinstance(value, list):
        return [_plain_strings(item, is_binary=is_binary) for item in value]
    assert isinstance(value, bytes), "strings come from the worker as bytes"
    return {"b64": base64.b64encode(value).decode()} if is_binary else value.decode(errors="replace")


def _with_special_tokens(array: Array) -> orjson.Fragment:
    """The array's JSON with bare tokens where orjson, which follows the standard, writes null."""
    pieces = _dumps(np.ascontiguousarray(array) if array.ndim else array[()]).split(b"null")
    special = [_SPECIAL_TOKENS[str(float(value))] for value in array[~np.isfinite(array)]]
    return orjson.Fragment(b"".join(piece + token for piece, token in zip(pieces, [*special, b""], strict=True)))


def _dumps(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
