"""One SavedModel in a process of its own: load it, warm it up, then answer until the front is gone.

TensorFlow is imported here and in defaults.py only.
"""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Any

import numpy as np

from service.engine import channel, sandbox
from service.engine.channel import Message
from service.engine.specs import DTYPES, SignatureSpec, TensorSpec

with sandbox.silenced_stderr():  # TensorFlow announces its build before any log level is looked at
    import tensorflow as tf
    from tensorflow.core.framework import types_pb2
    from tensorflow.core.protobuf import saved_model_pb2

    from service.engine import defaults

ERROR_MAX_CHARS = 500


class Model:
    """A loaded SavedModel and the specs of its signatures.

    Args:
        directory: holds saved_model.pb.
    """

    def __init__(self, directory: Path) -> None:
        definitions = _definitions(directory)
        self.specs = {name: _signature_spec(definition) for name, definition in definitions.items()}
        self._defaults = {name: defaults.values(definition) for name, definition in definitions.items()}
        self._loaded = tf.saved_model.load(str(directory))
        if not self._loaded.signatures:
            raise ValueError("the SavedModel has no signatures: save it with signatures=..., or with model.export(...)")

    def warm_up(self) -> None:
        """Call each signature once, so that no caller waits for what only the first call does."""
        for name, spec in self.specs.items():
            if spec.is_callable:
                self._warm_up(name, spec)

    def _warm_up(self, name: str, spec: SignatureSpec) -> None:
        """Call a signature with zeros; with ones if it refuses them, as it may refuse a logarithm or a norm of 0."""
        for value in (0, 1):
            try:
                self.call(name, {key: _filled(tensor, value) for key, tensor in spec.inputs.items()})
            except tf.errors.InvalidArgumentError:
                if value and not _is_guessed(spec):
                    raise
            else:
                return

    def call(self, signature: str, arrays: channel.Arrays) -> Message:
        """Outputs by name for inputs by name, and how long the model and the reading of its outputs took."""
        inputs = {name: tf.constant(array) for name, array in {**self._defaults[signature], **arrays}.items()}
        start_ns = time.perf_counter_ns()
        tensors = self._loaded.signatures[signature](**inputs)
        end_ns = time.perf_counter_ns()
        outputs = {name: _array_of(tensor) for name, tensor in tensors.items()}
        spans = {"infer_ns": end_ns - start_ns, "output_ns": time.perf_counter_ns() - end_ns}
        return Message("outputs", spans, outputs)

    def infer_shapes(self, signature: str, shapes: dict[str, list[int | None]]) -> dict[str, list[Any]]:
        """Output shapes and dtypes for input shapes, by tracing the signature again: nothing is run."""
        function = self._loaded.signatures[signature]
        inputs = self.specs[signature].inputs
        specs = {
            name: tf.TensorSpec(shape, types_pb2.DataType.Value(inputs[name].dtype)) for name, shape in shapes.items()
        }

        def traced(**tensors: Any) -> Any:
            return function(**tensors)

        concrete = tf.function(traced, autograph=False).get_concrete_function(**specs)
        outputs: dict[str, Any] = concrete.structured_outputs
        return {
            name: [_plain_shape(tensor.shape), types_pb2.DataType.Name(tensor.dtype.as_datatype_enum)]
            for name, tensor in outputs.items()
        }


def _definitions(directory: Path) -> dict[str, Any]:
    """The signatures that a SavedModel declares, by name, in the order of their names."""
    saved = saved_model_pb2.SavedModel.FromString((directory / "saved_model.pb").read_bytes())
    if not saved.meta_graphs:
        raise ValueError("saved_model.pb holds no graph")
    definitions = saved.meta_graphs[0].signature_def
    return {name: definitions[name] for name in sorted(definitions) if not name.startswith("__")}


def main(connection: socket.socket, directory: str, limits: sandbox.Limits) -> None:
    """Body of a worker process: confine it, load, report, then answer requests until the front is gone."""
    sandbox.confine(limits)
    try:
        with sandbox.limited_cpu(limits.load_cpu_s):
            model = Model(Path(directory))
            model.warm_up()
    except Exception as exc:  # noqa: BLE001 -- a malformed model can raise anything
        channel.send(connection, _failure(exc, directory))
        return
    channel.send(connection, Message("ready", {name: spec.to_plain() for name, spec in model.specs.items()}))
    try:
        _serve(connection, model, directory)
    except channel.ChannelClosed:
        os._exit(0)  # nothing to hand back, and TensorFlow's own farewell takes long


def _serve(connection: socket.socket, model: Model, directory: str) -> None:
    while True:
        request = channel.receive(connection)
        try:
            answer = _ANSWERS[request.kind](model, request)  # type: ignore[no-untyped-call]  # TensorFlow publishes no types
        except Exception as exc:  # noqa: BLE001 -- the model's failure is the caller's answer, not the worker's end
            answer = _failure(exc, directory)
        channel.send(connection, answer)


_ANSWERS = {
    "call": lambda model, request: model.call(request.data["signature"], request.arrays),
    "shape": lambda model, request: Message("shapes", model.infer_shapes(**request.data)),
}


def _failure(exc: Exception, directory: str) -> Message:
    """What the front is told: one line of the reason, without the server's paths."""
    is_callers = isinstance(exc, (tf.errors.InvalidArgumentError, ValueError, TypeError))
    is_memory = isinstance(exc, (MemoryError, tf.errors.ResourceExhaustedError))
    text = str(getattr(exc, "message", None) or exc).replace(directory, "<model>")
    message = _reason(text)[:ERROR_MAX_CHARS] or type(exc).__name__
    return Message("failure", {"message": message, "is_callers": is_callers, "is_memory": is_memory})


def _reason(text: str) -> str:
    """The line that says what went wrong: the first, or, where TensorFlow put a stack above it, the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("[[")]
    if not lines:
        return ""
    return lines[-1] if lines[0].startswith("Graph execution error") else lines[0]


def _signature_spec(definition: Any) -> SignatureSpec:
    return SignatureSpec(
        {name: _tensor_spec(definition.inputs[name]) for name in sorted(definition.inputs)},
        {name: _tensor_spec(definition.outputs[name]) for name in sorted(definition.outputs)},
        definition.method_name,
        defaults.shown(definition),
    )


def _tensor_spec(info: Any) -> TensorSpec:
    shape = info.tensor_shape
    sizes = None if shape.unknown_rank else tuple(None if dim.size < 0 else int(dim.size) for dim in shape.dim)
    return TensorSpec(types_pb2.DataType.Name(info.dtype), sizes, info.name)


def _filled(tensor: TensorSpec, value: int) -> np.ndarray[Any, Any]:
    shape = [size or 1 for size in tensor.shape or ()]
    dtype = DTYPES[tensor.dtype]
    return np.full(shape, b"", object) if dtype.kind == "string" else np.full(shape, value, dtype.numpy)


def _array_of(tensor: Any) -> np.ndarray[Any, Any]:
    """A tensor's array; a single string is one of objects too, where TensorFlow gives bytes."""
    return np.asarray(tensor.numpy(), tensor.dtype.as_numpy_dtype)


def _is_guessed(spec: SignatureSpec) -> bool:
    """Whether the model may rightly refuse our values: more than the batch is free, or it expects text of a form."""
    tensors = spec.inputs.values()
    return any(tensor.shape is None or None in tensor.shape[1:] or tensor.dtype == "DT_STRING" for tensor in tensors)


def _plain_shape(shape: Any) -> list[int | None] | None:
    return None if shape.rank is None else shape.as_list()
