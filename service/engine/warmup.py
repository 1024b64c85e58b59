"""Warm-up requests of a model: `assets.extra/tf_serving_warmup_requests`, as TensorFlow Serving reads them.

TFRecords of `PredictionLog` (tensorflow_serving/apis/prediction_log.proto). The messages are declared here, with what
is needed of them, under names of our own: nothing of TensorFlow Serving is installed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError
from tensorflow.core.framework import tensor_pb2

from service.engine import members
from service.engine.specs import Arrays

REQUESTS_MAX = 1000  # TensorFlow Serving's own limit

_PACKAGE = "service.warmup"
_FIELD = descriptor_pb2.FieldDescriptorProto
_TENSOR = "tensorflow.TensorProto"
_MESSAGES = {
    # name: fields as (name, number, type, repeated)
    "ModelSpec": [("signature_name", 3, "string", False)],
    "Entry": [("key", 1, "string", False), ("value", 2, _TENSOR, False)],
    "PredictRequest": [("model_spec", 1, "ModelSpec", False), ("inputs", 2, "Entry", True)],
    "PredictLog": [("request", 1, "PredictRequest", False)],
    "ExampleList": [("examples", 1, "bytes", True)],
    "Input": [("example_list", 1, "ExampleList", False)],
    "ExampleRequest": [("model_spec", 1, "ModelSpec", False), ("input", 2, "Input", False)],
    "ExampleLog": [("request", 1, "ExampleRequest", False)],
    "Skipped": [],
    "PredictionLog": [
        ("classify_log", 2, "ExampleLog", False),
        ("regress_log", 3, "ExampleLog", False),
        ("multi_inference_log", 4, "Skipped", False),
        ("session_run_log", 5, "Skipped", False),
        ("predict_log", 6, "PredictLog", False),
        ("predict_streamed_log", 7, "Skipped", False),
    ],
}
_SKIPPED = ("multi_inference_log", "session_run_log", "predict_streamed_log")
"""Requests that TensorFlow Serving takes by gRPC alone: nobody can make them here."""

_SCALARS = {"string": _FIELD.TYPE_STRING, "bytes": _FIELD.TYPE_BYTES}


class BadWarmup(ValueError):
    """The file of warm-up requests cannot be used; the text says which record, and why."""


def requests(directory: Path, examples_inputs: dict[str, str]) -> Iterator[tuple[int, str, Arrays]]:
    """The warm-up requests of a SavedModel, in their order; none where it has no file of them.

    Args:
        directory: the SavedModel.
        examples_inputs: for each signature the name of the input that takes serialized tf.train.Examples.

    Returns:
        For each that can be made here its number, the signature and its inputs by name.

    Raises:
        BadWarmup: a record is damaged, of an unknown kind, or beyond REQUESTS_MAX.
    """
    path = directory / members.WARMUP
    if not path.is_file():
        return
    for number, record in enumerate(_records(path)):
        if number >= REQUESTS_MAX:
            raise BadWarmup(f"{members.WARMUP} has more than {REQUESTS_MAX} records: keep the telling ones")
        try:
            log = _PredictionLog.FromString(record)
            if not any(log.HasField(kind) for kind in _SKIPPED):
                yield number, *_request(log, examples_inputs)
        except (DecodeError, KeyError, ValueError, TypeError) as exc:
            raise BadWarmup(f"record {number} of {members.WARMUP} cannot be used: {_text(exc)}") from exc


def _records(path: Path) -> Iterator[bytes]:
    try:
        yield from tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    except tf.errors.OpError as exc:
        raise BadWarmup(f"{members.WARMUP} is damaged: it is no file of TFRecords") from exc


def _request(log: Any, examples_inputs: dict[str, str]) -> tuple[str, Arrays]:
    if log.HasField("predict_log"):
        request = log.predict_log.request
        arrays = {entry.key: _array(entry.value) for entry in request.inputs}
        return request.model_spec.signature_name or "serving_default", arrays
    for kind in ("classify_log", "regress_log"):
        if log.HasField(kind):
            request = getattr(log, kind).request
            name = request.model_spec.signature_name or "serving_default"
            return name, {examples_inputs[name]: np.array(list(request.input.example_list.examples), object)}
    raise ValueError("it is no predict, classify or regress request")


def _array(value: Any) -> np.ndarray[Any, Any]:
    return np.asarray(tf.make_ndarray(tensor_pb2.TensorProto.FromString(value.SerializeToString())))


def _text(exc: Exception) -> str:
    return f"there is no signature {exc} that takes examples" if isinstance(exc, KeyError) else str(exc)


def _declared() -> Any:
    """The class of PredictionLog, from the table."""
    pool = descriptor_pool.Default()
    file = descriptor_pb2.FileDescriptorProto(name="service/warmup.proto", package=_PACKAGE, syntax="proto3")
    file.dependency.append(tensor_pb2.DESCRIPTOR.name)
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field_name, number, kind, is_repeated in fields:
            label = _FIELD.LABEL_REPEATED if is_repeated else _FIELD.LABEL_OPTIONAL
            field = message.field.add(name=field_name, number=number, label=label)
            field.type = _SCALARS.get(kind, _FIELD.TYPE_MESSAGE)
            if kind not in _SCALARS:
                field.type_name = f".{kind}" if "." in kind else f".{_PACKAGE}.{kind}"
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.PredictionLog"))


_PredictionLog = _declared()
