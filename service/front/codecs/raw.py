"""Raw requests: a body that is nothing but the bytes of a model's one input.

They are told by a document of length 0; the document that they could have had is written for them here.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping

from service.engine.specs import DTYPES, SignatureSpec, TensorSpec
from service.errors import InvalidRequest, InvalidShape
from service.front.codecs.json_text import dumps
from service.front.codecs.oip_tensors import datatype_of, default_signature, wire_shape
from service.front.codecs.tensors import shape_text

_LENGTH = struct.Struct("<I")


def with_document(body: bytes, model: str, signatures: Mapping[str, SignatureSpec]) -> tuple[bytes, int]:
    """The request that a raw body stands for, and the length of its document; all outputs are asked for as bytes.

    Raises:
        InvalidRequest: the model has not exactly one input.
        InvalidShape: the input's shape does not follow from the number of bytes.
    """
    spec = signatures[default_signature(signatures)]
    if len(spec.inputs) != 1:
        raise InvalidRequest(
            f"Raw request must only have 1 input (found 1) to be deduced but got {len(spec.inputs)} inputs in "
            f"'{model}' model configuration"
        )
    [(name, tensor)] = spec.inputs.items()
    if tensor.dtype == "DT_STRING":
        body = _LENGTH.pack(len(body)) + body
    shape = _deduced(name, tensor, len(body), has_rows=spec.has_rows)
    parameters = {"binary_data_size": len(body)}
    document = {"name": name, "shape": shape, "datatype": datatype_of(tensor), "parameters": parameters}
    text = dumps({"inputs": [document], "parameters": {"binary_data_output": True}})
    return text + body, len(text)


def _deduced(name: str, tensor: TensorSpec, size: int, *, has_rows: bool) -> list[int]:
    """The shape that the bytes fill: one free dimension is found; where there are more, there is one row."""
    sizes = list(wire_shape(tensor) or ())
    if has_rows and sizes.count(None) > 1:
        sizes[0] = 1
    row = DTYPES.get(tensor.dtype)
    if row is None or tensor.shape is None or sizes.count(None) > 1:
        raise InvalidShape(
            f"the shape of raw input '{name}' cannot be deduced: at most one free dimension is, and it has "
            f"{shape_text(tensor.shape)}; send a document with its shape"
        )
    if row.kind == "string":
        return [size or 1 for size in sizes]  # one element, whatever its length; checked with the rest
    width = math.prod(size for size in sizes if size is not None) * _element_bytes(tensor)
    return [size // max(width, 1) if found is None else found for found in sizes]


def _element_bytes(tensor: TensorSpec) -> int:
    row = DTYPES[tensor.dtype]
    return row.numpy.itemsize // (2 if row.is_pair else 1)
