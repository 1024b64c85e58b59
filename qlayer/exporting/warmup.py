"""Warm-up: requests that TensorFlow Serving sends to a model before anybody else does.

A file of TFRecords, each a `PredictionLog` (tensorflow_serving/apis/prediction_log.proto). Four nested messages of few
fields are written here as protobuf writes them, so that nothing of TensorFlow Serving is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

FILE = "assets.extra/tf_serving_warmup_requests"

_LENGTH_DELIMITED = 2  # the wire type of texts, bytes and messages
# numbers of the fields
_PREDICTION_LOG_PREDICT_LOG = 6
_PREDICT_LOG_REQUEST = 1
_REQUEST_MODEL_SPEC, _REQUEST_INPUTS = 1, 2
_MODEL_SPEC_SIGNATURE_NAME = 3
_ENTRY_KEY, _ENTRY_VALUE = 1, 2  # a map is a list of such entries


def write_warmup(folder: Path, requests: Iterable[tuple[str, Mapping[str, np.ndarray]]]) -> None:
    """Write the warm-up file of a SavedModel.

    Args:
        folder: the SavedModel.
        requests: for each request the name of a signature, and its inputs by name.
    """
    path = folder / FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in requests:
            writer.write(prediction_log(signature, inputs))


def prediction_log(signature: str, inputs: Mapping[str, np.ndarray]) -> bytes:
    """A request as a serialized `PredictionLog`.

    Args:
        signature: name of the signature.
        inputs: its inputs by name.
    """
    request = _field(_REQUEST_MODEL_SPEC, _field(_MODEL_SPEC_SIGNATURE_NAME, signature.encode()))
    for name, value in inputs.items():
        tensor = tf.make_tensor_proto(value).SerializeToString()
        request += _field(_REQUEST_INPUTS, _field(_ENTRY_KEY, name.encode()) + _field(_ENTRY_VALUE, tensor))
    return _field(_PREDICTION_LOG_PREDICT_LOG, _field(_PREDICT_LOG_REQUEST, request))


def _field(number: int, content: bytes) -> bytes:
    """A field of a message: its key, its length, its content."""
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    """An integer in groups of seven bits, the lowest first; the eighth bit says that another one follows."""
    groups = [number >> shift & 0x7F for shift in range(0, max(number.bit_length(), 1), 7)]
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])
