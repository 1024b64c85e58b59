"""The protocols that servers speak: a table, from rows to a request and from an answer to outputs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Rows = np.ndarray
Headers = Mapping[str, str]


@dataclass(frozen=True)
class Request:
    """What is posted: its headers and its body."""

    headers: Headers
    body: bytes


@dataclass(frozen=True)
class Protocol:
    """A way to ask.

    Args:
        path: with {model} for the model's name.
        ask: from the input's name, the output's name and rows to a request.
        read: from the answer's headers, with lower-case names, and body to the outputs.
    """

    path: str
    ask: Callable[[str, str, Rows], Request]
    read: Callable[[Headers, bytes], np.ndarray]


_JSON = {"content-type": "application/json"}
_BINARY_LENGTH = "inference-header-content-length"


def _post(document: Mapping[str, Any]) -> Request:
    return Request(_JSON, json.dumps(document, separators=(",", ":")).encode())


def _short(rows: Rows) -> list[Any]:
    """The numbers with no more digits than a float32 has, as a client would write them."""
    return [[float(str(number)) for number in row] for row in rows]


def _ask_instances(_input: str, _output: str, rows: Rows) -> Request:
    return _post({"instances": _short(rows)})


def _read_predictions(_headers: Headers, body: bytes) -> np.ndarray:
    return np.asarray(json.loads(body)["predictions"], np.float32)


def _ask_argument(_input: str, _output: str, rows: Rows) -> Request:
    return _post({"x": _short(rows)})


def _read_list(_headers: Headers, body: bytes) -> np.ndarray:
    return np.asarray(json.loads(body), np.float32)


def _ask_v2(name: str, _output: str, rows: Rows) -> Request:
    data = [number for row in _short(rows) for number in row]
    return _post({"inputs": [{"name": name, "shape": rows.shape, "datatype": "FP32", "data": data}]})


def _read_v2(_headers: Headers, body: bytes) -> np.ndarray:
    (output,) = json.loads(body)["outputs"]
    return np.asarray(output["data"], np.float32).reshape(output["shape"])


def _ask_v2_binary(name: str, output: str, rows: Rows) -> Request:
    data = rows.astype("<f4").tobytes()
    size, wanted = {"binary_data_size": len(data)}, {"binary_data": True}
    tensor = {"name": name, "shape": rows.shape, "datatype": "FP32", "parameters": size}
    head = _post({"inputs": [tensor], "outputs": [{"name": output, "parameters": wanted}]}).body
    kind = {"content-type": "application/octet-stream", _BINARY_LENGTH: str(len(head))}
    return Request(kind, head + data)


def _read_v2_binary(headers: Headers, body: bytes) -> np.ndarray:
    length = int(headers[_BINARY_LENGTH])
    (output,) = json.loads(body[:length])["outputs"]
    return np.frombuffer(body[length:], "<f4").reshape(output["shape"])


_V2 = "/v2/models/{model}/infer"
PROTOCOLS = {
    "tfserving": Protocol("/v1/models/{model}:predict", _ask_instances, _read_predictions),
    "instances": Protocol("/predict", _ask_instances, _read_predictions),
    "argument": Protocol("/predict", _ask_argument, _read_list),
    "v2": Protocol(_V2, _ask_v2, _read_v2),
    "v2-binary": Protocol(_V2, _ask_v2_binary, _read_v2_binary),
}
