"""tf.Example: JSON objects of features to serialized messages, as classify and regress take them.

The wire format of tensorflow/core/example/{example,feature}.proto is written here by hand, because the front holds
neither TensorFlow nor its messages. A map's entry is a message with key = 1 and value = 2; numbers are packed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from service.engine.specs import Array
from service.errors import InvalidRequest, InvalidShape, InvalidValue
from service.front.codecs.elements import bytes_of
from service.front.codecs.json_text import excerpt, parse_object
from service.front.codecs.tfserving import signature_name

_INT64 = (-(2**63), 2**63 - 1)
_VARINT_MASK = 2**64 - 1
_LENGTH_DELIMITED = 2


@dataclass(frozen=True)
class ExamplesRequest:
    """The body of classify and regress.

    Args:
        signature: the signature's name.
        examples: serialized tf.Examples, shape (rows,), an object array of bytes.
    """

    signature: str
    examples: Array


def parse_examples(body: bytes) -> ExamplesRequest:
    """The request in a body: `examples`, each with the features of `context` where it has not its own.

    Raises:
        InvalidJson: it is no JSON object.
        InvalidRequest: `examples` or a `signature_name` are not what they must be.
        InvalidShape: there are no examples.
        InvalidValue: a feature is no number, text, boolean or base64, nor a flat list of one of these.
    """
    document = parse_object(body, may_go_on=True)
    signature = signature_name(document)
    context = _features(document.get("context", {}), "'context'")
    if "examples" not in document:
        raise InvalidRequest("JSON Value: key 'examples' is expected and was not found")
    found = document["examples"]
    if not isinstance(found, list):
        raise InvalidRequest(f"JSON Value: {excerpt(found)} Expecting 'examples' value to be an list/array")
    if not found:
        raise InvalidShape("JSON Value: 'examples' value is an empty array")
    examples = np.empty(len(found), object)
    for index, example in enumerate(found):
        examples[index] = _example(context | _features(example, f"element {index} of 'examples'"))
    return ExamplesRequest(signature, examples)


def _features(example: object, where: str) -> dict[str, bytes]:
    """Serialized features by name."""
    if not isinstance(example, dict):
        raise InvalidRequest(f"Example must be JSON object but got JSON {excerpt(example)} ({where})")
    return {name: _feature(name, value, where) for name, value in example.items()}


def _example(features: Mapping[str, bytes]) -> bytes:
    entries = (_field(1, name.encode(errors="replace")) + _field(2, feature) for name, feature in features.items())
    return _field(1, b"".join(_field(1, entry) for entry in entries))


def _feature(name: str, value: object, where: str) -> bytes:
    """A feature of the kind that its first element has; an empty list is a feature without a kind."""
    elements = value if isinstance(value, list) else [value]
    kinds = [_kind(name, element, where) for element in elements]
    if not kinds:
        return b""
    others = [element for element, kind in zip(elements, kinds, strict=True) if kind != kinds[0]]
    if others:
        raise InvalidValue(
            f"Unexpected element type in feature: {name[:100]} expecting type: {kinds[0]}, "
            f"found: {excerpt(others[0])} ({where})"
        )
    number, encode = _KINDS[kinds[0]]
    try:
        return _field(number, encode(elements))
    except (OverflowError, ValueError) as exc:
        raise InvalidValue(f"Feature: {name[:100]} has element that is out of range or no base64 ({where})") from exc


def _kind(name: str, element: object, where: str) -> str:
    is_base64 = isinstance(element, dict) and element.keys() == {"b64"} and isinstance(element["b64"], str)
    kind = "bytes" if is_base64 else _KIND_OF.get(type(element))
    if kind is None:
        raise InvalidValue(
            f"Feature: {name[:100]} has element with unexpected JSON type: {excerpt(element)}, "
            f"expected numbers, text, booleans or base64 ({where})"
        )
    return kind


def _bytes_list(elements: list[Any]) -> bytes:
    return b"".join(_field(1, bytes_of(element)) for element in elements)


def _float_list(elements: list[float]) -> bytes:
    return _field(1, struct.pack(f"<{len(elements)}f", *elements))


def _int64_list(elements: list[int]) -> bytes:
    if min(elements) < _INT64[0] or max(elements) > _INT64[1]:
        raise OverflowError
    return _field(1, b"".join(_varint(int(element) & _VARINT_MASK) for element in elements))


_KIND_OF = {str: "bytes", float: "float", int: "int64", bool: "int64"}
_KINDS: dict[str, tuple[int, Callable[[list[Any]], bytes]]] = {
    "bytes": (1, _bytes_list),
    "float": (2, _float_list),
    "int64": (3, _int64_list),
}
"""Kinds of features: their field's number in the message Feature, and how their elements are written."""


def _field(number: int, payload: bytes) -> bytes:
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(payload)) + payload


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first, the top bit set in all but the last."""
    written = bytearray()
    while number > 0x7F:  # noqa: PLR2004 -- seven bits
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)
