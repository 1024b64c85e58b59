"""TensorFlow Serving's JSON, rows and columns: bytes to arrays and back.

The rules and the key fragments of the texts are those of TensorFlow Serving's REST interface: no coercion of strings,
booleans or null; no decimals for integers; NaN and infinities are read and written as bare tokens.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple, NoReturn

from service.engine.specs import DTYPES, Array, Arrays, SignatureSpec, TensorSpec
from service.errors import InvalidRequest, InvalidShape, InvalidValue, UnsupportedDtype
from service.front.codecs.draw import draw_of
from service.front.codecs.elements import array_of, shape_of_first, type_name
from service.front.codecs.json_text import dumps, excerpt, parse_object, plain
from service.front.codecs.tensors import as_pairs, check_shape, shape_text

DEFAULT_SIGNATURE = "serving_default"


class PredictRequest(NamedTuple):
    """A prediction's body, parsed but not yet compared with a signature.

    Args:
        signature: the signature's name.
        is_rows: whether it came as `instances`, row by row, rather than as `inputs`, input by input.
        values: what stood under that key.
        may_hold_booleans: whether true or false occurs anywhere in the body.
        seed: of a model with finite shots, from `parameters`.
        shots: how many to draw, from there too.
    """

    signature: str
    is_rows: bool
    values: Any
    may_hold_booleans: bool
    seed: int | None
    shots: int | None


def parse_predict(body: bytes) -> PredictRequest:
    """The request in a body.

    Raises:
        InvalidJson: it is no JSON object.
        InvalidRequest: it has not exactly one of the keys `instances` and `inputs`, or a bad `signature_name`.
    """
    document = parse_object(body, may_go_on=True)
    signature = signature_name(document)
    is_rows = "instances" in document
    if is_rows and "inputs" in document:
        raise InvalidRequest("JSON Value: expecting only one of 'inputs' or 'instances' keys to exist")
    if not is_rows and "inputs" not in document:
        raise InvalidRequest("JSON Value: Missing 'inputs' or 'instances' key")
    values = document["instances" if is_rows else "inputs"]
    may_hold_booleans = b"true" in body or b"false" in body
    draw = draw_of(document.get("parameters"))
    return PredictRequest(signature, is_rows, values, may_hold_booleans, **draw)


def signature_name(document: dict[str, Any]) -> str:
    """The signature that a body asks for; an empty name is the default too.

    Raises:
        InvalidRequest: the name is no text.
    """
    signature = document.get("signature_name", DEFAULT_SIGNATURE)
    if not isinstance(signature, str):
        raise InvalidRequest("JSON Value: 'signature_name' key must be a string value.")
    return signature or DEFAULT_SIGNATURE


def decode_inputs(request: PredictRequest, spec: SignatureSpec) -> Arrays:
    """The arrays for a signature's inputs; in columns, those with a default may be left out.

    Raises:
        InvalidRequest: names are missing or unknown.
        InvalidValue, InvalidShape: values do not have their input's dtype or shape.
        UnsupportedDtype: the signature has an input that JSON cannot carry.
    """
    columns = _columns_of_rows(request.values, spec) if request.is_rows else _columns(request.values, spec)
    inputs = {
        name: _decode(name, columns[name], tensor, request) for name, tensor in spec.inputs.items() if name in columns
    }
    for name, array in inputs.items():
        check_shape(name, array.shape, spec.inputs[name])
    return inputs


def encode_outputs(outputs: Arrays, *, is_rows: bool) -> bytes:
    """The answer's body: `predictions` for rows, `outputs` for columns; complex numbers are pairs, real part first.

    Raises:
        InvalidRequest: the outputs cannot be written row by row.
    """
    outputs = {name: as_pairs(array) for name, array in outputs.items()}
    if not is_rows:
        columns = {name: _plain(name, array) for name, array in outputs.items()}
        return dumps({"outputs": next(iter(columns.values())) if len(columns) == 1 else columns})
    _check_rows(outputs)
    if len(outputs) == 1:
        return dumps({"predictions": _plain(*next(iter(outputs.items())))})
    rows = len(next(iter(outputs.values())))
    return dumps({"predictions": [{n: _plain(n, a[row, ...]) for n, a in outputs.items()} for row in range(rows)]})


def _columns_of_rows(rows: object, spec: SignatureSpec) -> dict[str, Any]:
    """Input by input, from rows: strict about names."""
    if not isinstance(rows, list):
        raise InvalidRequest("Expecting 'instances' to be an list/array")
    if not rows:
        raise InvalidShape("No values in 'instances' array")
    names = set(spec.inputs)
    has_names = list(map(_is_named, rows))
    if not any(has_names) and len(names) == 1:
        return {next(iter(names)): rows}
    for index, row in enumerate(rows):
        if not has_names[index] or row.keys() != names:
            _refuse_row(index, row, spec)
    return {name: [row[name] for row in rows] for name in names}


def _is_named(value: object) -> bool:
    """Whether a value is an object of inputs by their names, and not base64."""
    return isinstance(value, dict) and not (value.keys() == {"b64"} and isinstance(value["b64"], str))


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


def _columns(values: Any, spec: SignatureSpec) -> dict[str, Any]:  # noqa: ANN401 -- a JSON value
    """Input by input: lax about names that are not inputs."""
    if len(spec.inputs) == 1 and not _is_named(values):
        return {next(iter(spec.inputs)): values}
    if not isinstance(values, dict):
        raise InvalidRequest(f"'inputs' must be an object with the keys: {','.join(spec.inputs)}")
    for name in spec.inputs:
        if name not in values and name not in spec.defaults:
            raise InvalidRequest(f"Missing named input: {name} in 'inputs' object.")
    return values


def _decode(name: str, value: object, tensor: TensorSpec, request: PredictRequest) -> Array:
    dtype = DTYPES[tensor.dtype]
    if dtype.kind in {"half", "complex"}:
        raise UnsupportedDtype(
            f"Conversion of JSON Value: {excerpt(value)} to type: {type_name(dtype)} (input '{name}')"
        )
    try:
        return array_of(value, dtype, may_hold_booleans=request.may_hold_booleans)
    except (InvalidValue, InvalidShape) as exc:
        row = _unlike_row(value) if request.is_rows and isinstance(exc, InvalidShape) else ""
        raise type(exc)(f"{row}{exc.message} (input '{name}')") from exc


def _unlike_row(rows: Any) -> str:  # noqa: ANN401 -- a JSON list
    """Which row is the first of another shape than the first, in TensorFlow Serving's words; nothing if none is."""
    shapes = [shape_of_first(row) for row in rows]
    index = next((index for index, shape in enumerate(shapes) if shape != shapes[0]), None)
    if index is None:
        return ""
    sizes = prod(shapes[0]), prod(shapes[index])
    found = f"tensor size: {sizes[0]} but got: {sizes[1]}"
    if sizes[0] == sizes[1]:
        found = f"shape {shape_text(shapes[0])} but got: {shape_text(shapes[index])}"
    return f"Failed to process element: {index} of 'instances' list. Error: Expecting {found}; "


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
    return plain(array, is_base64=name.endswith("_bytes"))
