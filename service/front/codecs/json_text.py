"""JSON as both protocols write it, in which NaN and infinities are bare tokens."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection
from itertools import islice
from typing import Any

import numpy as np
import orjson

from service.engine.specs import Array
from service.errors import InvalidJson, InvalidRequest

_EXCERPT_CHARS = 256
_STRING_OR_INF = re.compile(r'"(?:[^"\\]|\\.)*+"?|\bInf\b', re.DOTALL)  # an open string goes to the end: linear time
_SPECIAL_TOKENS = {"nan": b"NaN", "inf": b"Infinity", "-inf": b"-Infinity"}


def parse_object(body: bytes, *, may_go_on: bool = False) -> dict[str, Any]:
    """The JSON object that a body is; NaN and infinities are taken.

    Args:
        body: as it came, inflated.
        may_go_on: whether text behind the object is ignored, as TensorFlow Serving does.

    Raises:
        InvalidJson: there is none, or more than it.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = _parse_leniently(body, may_go_on=may_go_on)
    if not isinstance(document, dict):
        raise InvalidJson(f"JSON Value: {excerpt(document)} Is not object")
    return document


def parse_strictly(body: bytes, keys: Collection[str]) -> dict[str, Any]:
    """The JSON object that a body is, as the standard has it, with no other keys than some.

    Raises:
        InvalidJson: it is none.
        InvalidRequest: it has another key.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise InvalidJson(f"the body is no JSON: {exc}") from exc
    if not isinstance(document, dict):
        raise InvalidJson(f"the body is an object, found {excerpt(document)}")
    if unknown := sorted(document.keys() - keys):
        raise InvalidRequest(f"unknown key {unknown[0][:100]!r}: {', '.join(keys)} are taken")
    return document


def excerpt(value: object) -> str:
    """A value for a message, cut; no more of it is written than is shown."""
    pieces = json.JSONEncoder(default=str).iterencode(value)
    return "".join(islice(pieces, _EXCERPT_CHARS))[:_EXCERPT_CHARS]


def dumps(value: object) -> bytes:
    """A value as JSON; arrays are written with as few digits as give their numbers back."""
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)


def plain(array: Array, *, is_base64: bool = False) -> object:
    """What `dumps` writes as the protocols want it.

    Args:
        array: of numbers, booleans, or bytes objects; of any shape.
        is_base64: whether strings are written as {"b64": ...} rather than as text.
    """
    if array.dtype == object:
        return _plain_strings(array.tolist(), is_base64=is_base64)
    if array.dtype == np.float16:  # as the half's own shortest text: 0.1, where its float32 has 0.09997559
        array = array.astype("U").astype(np.float64)
    text = dumps(np.ascontiguousarray(array) if array.ndim else array[()])
    return orjson.Fragment(_with_special_tokens(array, text) if b"null" in text else text)


def _parse_leniently(body: bytes, *, may_go_on: bool) -> object:
    if not body.strip():
        raise InvalidJson("JSON Parse error: The document is empty")
    try:
        text = _with_long_infinities(body.decode("utf-8-sig").lstrip())
        document, end = json.JSONDecoder().raw_decode(text)
    except json.JSONDecodeError as exc:
        raise InvalidJson(f"JSON Parse error: Invalid value. at offset: {exc.pos}") from exc
    except (UnicodeDecodeError, RecursionError, ValueError) as exc:
        raise InvalidJson("JSON Parse error: not UTF-8, nested too deeply, or with too long a number") from exc
    if not may_go_on and text[end:].strip():
        raise InvalidJson(f"JSON Parse error: The document root must not be followed by other values. at offset: {end}")
    return document


def _with_long_infinities(text: str) -> str:
    """`Inf`, which RapidJSON takes too, as Python's parser knows it."""
    if "Inf" not in text:
        return text
    return _STRING_OR_INF.sub(lambda found: "Infinity" if found[0] == "Inf" else found[0], text)


def _plain_strings(value: object, *, is_base64: bool) -> object:
    if isinstance(value, list):
        return [_plain_strings(item, is_base64=is_base64) for item in value]
    assert isinstance(value, bytes), "strings come from the worker as bytes"
    return {"b64": base64.b64encode(value).decode()} if is_base64 else value.decode(errors="replace")


def _with_special_tokens(array: Array, text: bytes) -> bytes:
    """The array's JSON with bare tokens where orjson, which follows the standard, writes null."""
    special = [_SPECIAL_TOKENS[str(float(value))] for value in array[~np.isfinite(array)]]
    return b"".join(piece + token for piece, token in zip(text.split(b"null"), [*special, b""], strict=True))
