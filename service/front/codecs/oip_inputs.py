"""A request's tensors to arrays: from JSON, flat or nested, and from the bytes behind the document, mixed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from service.engine.specs import DTYPES, Array, Arrays, Dtype, SignatureSpec, TensorSpec
from service.errors import InvalidRequest, InvalidShape, InvalidValue, NotSupported, TooLarge
from service.front.codecs import binary
from service.front.codecs.elements import array_of
from service.front.codecs.json_text import excerpt
from service.front.codecs.oip import InferRequest
from service.front.codecs.oip_tensors import ELEMENTS, checked_shape, datatype_of, fits_wire, listed_shape, unsigned
from service.front.codecs.tensors import from_pairs

_SHARED = "shared_memory_region"
_SIZE = "binary_data_size"


def decode_inputs(request: InferRequest, spec: SignatureSpec, rows_max: int) -> Arrays:
    """The arrays for a signature's inputs.

    Args:
        request: parsed.
        spec: of the signature it asks for.
        rows_max: that one request may bring.

    Raises:
        InvalidRequest: names are missing, unknown or there twice, or a tensor has no source or several.
        InvalidValue, InvalidShape: a tensor's values are not of its input's dtype or shape.
        NotSupported: a tensor lies in shared memory.
        TooLarge: more rows than that.
    """
    inputs: dict[str, Array] = {}
    source = _Source(request)
    for tensor in request.inputs:
        name = tensor.get("name")
        if not isinstance(name, str) or name not in spec.inputs:
            raise InvalidRequest(f"unexpected inference input '{_shown(name)}' for model '{request.model}'")
        if name in inputs:
            raise InvalidRequest(f"input '{name}' already exists in request")
        inputs[name] = source.array(name, tensor, spec.inputs[name])
    source.check_end()
    if len(inputs) != len(spec.inputs):
        _refuse_missing(request.model, inputs, spec)
    if spec.has_rows:
        _check_rows(request.model, inputs, rows_max)
    return inputs


@dataclass
class _Source:
    """Where a request's values come from; `offset` is how many of its bytes are taken."""

    request: InferRequest
    offset: int = 0

    def array(self, name: str, tensor: dict[str, Any], expected: TensorSpec) -> Array:
        """The next tensor's array."""
        model = self.request.model
        datatype = tensor.get("datatype")
        if datatype != datatype_of(expected):
            raise InvalidValue(
                f"inference input '{name}' data-type is '{_shown(datatype)}', but model '{model}' expects "
                f"'{datatype_of(expected)}'"
            )
        dtype = ELEMENTS[datatype]
        shape = checked_shape(name, tensor.get("shape"), dtype)
        if not fits_wire(expected, shape):
            raise InvalidShape(
                f"unexpected shape for input '{name}' for model '{model}'. Expected "
                f"{_listed(listed_shape(expected))}, got {_listed(shape)}"
            )
        size = _binary_size(tensor)
        array = (
            self._parsed(name, tensor["data"], dtype, shape) if size is None else self._taken(name, size, dtype, shape)
        )
        row = DTYPES[expected.dtype]
        return from_pairs(array, row.numpy) if row.is_pair else array

    def check_end(self) -> None:
        """Refuse bytes that no tensor took."""
        left = len(self.request.binary) - self.offset
        if left:
            raise InvalidRequest(
                f"unexpected additional input data for model '{self.request.model}': {left} bytes too many"
            )

    def _taken(self, name: str, size: int, dtype: Dtype, shape: tuple[int, ...]) -> Array:
        view = self.request.binary[self.offset : self.offset + size]
        if len(view) != size:
            raise InvalidRequest(
                f"unexpected size for input '{name}', expecting {size - len(view)} additional bytes for model "
                f"'{self.request.model}'"
            )
        self.offset += size
        return binary.decode(name, self.request.model, view, dtype, shape)

    def _parsed(self, name: str, data: object, dtype: Dtype, shape: tuple[int, ...]) -> Array:
        if dtype.kind == "half":
            raise InvalidValue(
                f"sending FP16 data via JSON is not supported. Please use the binary data format for input '{name}'"
            )
        try:
            array = array_of(data, dtype, may_hold_booleans=self.request.may_hold_booleans and _is_mixed(data))
        except (InvalidValue, InvalidShape) as exc:
            raise type(exc)(f"Unable to parse 'data' of input '{name}': {exc.message}") from exc
        if array.size != math.prod(shape) or (array.ndim != 1 and array.size and array.shape != shape):
            raise InvalidShape(
                f"Shape does not match true shape of 'data' field: input '{name}' has the shape {_listed(shape)}, and "
                f"its data, neither flat nor nested so, is {_listed(array.shape)}"
            )
        return array.reshape(shape)


def _binary_size(tensor: dict[str, Any]) -> int | None:
    """How many bytes behind the document are the tensor's; None where its values are in the document."""
    parameters = tensor.get("parameters")
    if not parameters and "data" in tensor:
        return None
    parameters = parameters if isinstance(parameters, dict) else {}
    sources = [key for key in (_SIZE, _SHARED) if key in parameters] + ["data"] * ("data" in tensor)
    if len(sources) != 1:
        raise InvalidRequest(
            "Input must set only one of the following fields: 'data', 'binary_data_size' in 'parameters', "
            f"'shared_memory_region' in 'parameters'. But got {len(sources)}: {', '.join(sources) or 'none of them'} "
            f"(input '{_shown(tensor.get('name'))}')"
        )
    if sources == [_SHARED]:
        raise NotSupported("shared memory is not supported here: send the tensor's values with the request")
    return unsigned(_SIZE, parameters[_SIZE]) if sources == [_SIZE] else None


def _is_mixed(data: object) -> bool:
    """Whether a value must be looked at one by one: a flat list of plain numbers need not."""
    return not isinstance(data, list) or not {int, float}.issuperset(map(type, data))


def _refuse_missing(model: str, inputs: Arrays, spec: SignatureSpec) -> None:
    missing = [name for name in spec.inputs if name not in inputs]
    raise InvalidRequest(
        f"expected {len(spec.inputs)} inputs but got {len(inputs)} inputs for model '{model}'. Got input(s) "
        f"{list(inputs)}, but missing required input(s) {missing}. Please provide all required input(s)."
    )


def _check_rows(model: str, inputs: Arrays, rows_max: int) -> None:
    rows = len(next(iter(inputs.values())))
    for name, array in inputs.items():
        if len(array) != rows:
            raise InvalidShape(
                f"input '{name}' batch size does not match other inputs for '{model}': {len(array)} rows and {rows}"
            )
    if rows > rows_max:
        raise TooLarge(f"inference request batch-size must be <= {rows_max} for '{model}': {rows} rows came")


def _listed(shape: tuple[int, ...] | list[int]) -> str:
    return "[" + ",".join(map(str, shape)) + "]"


def _shown(value: object) -> str:
    """A name for a message, as it came and not too long."""
    return value[:100] if isinstance(value, str) else excerpt(value)
