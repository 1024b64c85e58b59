"""One SavedModel in a process of its own: load it, warm it up, then answer until the front is gone.

Only this file and what it imports for the purpose, `inspection` and `warmup`, know TensorFlow.
"""

from __future__ import annotations

import os
import socket
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from service.engine import channel, members, sandbox
from service.engine.channel import Message
from service.engine.specs import DTYPES, SignatureSpec, TensorSpec

with sandbox.silenced_stderr():  # TensorFlow announces its build before any log level is looked at
    import tensorflow as tf
    from tensorflow.core.framework import types_pb2
    from tensorflow.core.protobuf import saved_model_pb2

    from service.engine import inspection, warmup

ERROR_MAX_CHARS = 500

_RESTORING = "_restore_checkpoint"  # TensorFlow's own step of loading in which the variables are read


class Refused(Exception):
    """The model is not accepted; the code says why.

    Args:
        code: stable, of the upload's refusal.
        message: what was found, what was expected, and what to do.
        details: findings of the static check, as plain data.
    """

    def __init__(self, code: str, message: str, details: list[dict[str, Any]] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.details = details or []


class Model:
    """A loaded SavedModel and the specs of its signatures.

    Args:
        directory: holds saved_model.pb.
    """

    def __init__(self, directory: Path) -> None:
        self.specs = read_signatures(directory)
        self._loaded = tf.saved_model.load(str(directory))
        self._directory = directory
        if not self._loaded.signatures:
            raise Refused(
                "unsupported_signature",
                "the SavedModel has no signatures: save it with signatures=..., model.export or qlayer.export",
            )

    def check_signatures(self) -> None:
        """Refuse signatures that cannot be called as they are declared.

        Raises:
            Refused: what is declared is not what was loaded, or its tensors cannot be sent.
        """
        loaded = {name: function.structured_input_signature[1] for name, function in self._loaded.signatures.items()}
        for name in sorted(self.specs.keys() | loaded.keys()):
            problem = _signature_problem(self.specs.get(name), loaded.get(name))
            if problem:
                raise Refused("unsupported_signature", f"the signature {name[:100]!r} {problem}")

    def warm_up(self) -> None:
        """Make the model's own warm-up requests, and call each other signature once.

        So no caller waits for what only the first call does.
        """
        called = set()
        for number, name, inputs in warmup.requests(self._directory, self._examples_inputs()):
            self._warm_up_with(number, name, inputs)
            called.add(name)
        for name, spec in self.specs.items():
            if spec.is_callable and name not in called:
                self._warm_up(name, spec)

    def _examples_inputs(self) -> dict[str, str]:
        """The only input of each signature that has one, if it takes texts."""
        only = {name: list(spec.inputs.items()) for name, spec in self.specs.items() if len(spec.inputs) == 1}
        return {name: key for name, [(key, tensor)] in only.items() if tensor.dtype == "DT_STRING"}

    def _warm_up_with(self, number: int, name: str, inputs: channel.Arrays) -> None:
        try:
            self.call(name, inputs)
        except tf.errors.ResourceExhaustedError:
            raise
        except Exception as exc:
            text = _line(exc, str(self._directory)) if name in self.specs else f"there is no signature {name[:100]!r}"
            raise warmup.BadWarmup(f"record {number} of {members.WARMUP} was refused: {text}") from exc

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
        inputs = {name: tf.constant(array) for name, array in arrays.items()}
        start_ns = time.perf_counter_ns()
        tensors = self._loaded.signatures[signature](**inputs)
        end_ns = time.perf_counter_ns()
        outputs = {name: np.asarray(tensor.numpy()) for name, tensor in tensors.items()}
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


def read_signatures(directory: Path) -> dict[str, SignatureSpec]:
    """The signatures that a SavedModel declares, by name, in the order of their names."""
    saved = saved_model_pb2.SavedModel.FromString((directory / members.GRAPH).read_bytes())
    if not saved.meta_graphs:
        raise ValueError("saved_model.pb holds no graph")
    definitions = saved.meta_graphs[0].signature_def
    return {name: _signature_spec(definitions[name]) for name in sorted(definitions) if not name.startswith("__")}


def main(connection: socket.socket, directory: str, limits: sandbox.Limits, *, is_strict: bool) -> None:
    """Body of a worker process: confine it, check and load, report, then answer requests until the front is gone.

    Args:
        connection: to the front.
        directory: the SavedModel, absolute.
        limits: what this process may use.
        is_strict: whether findings of the static check refuse the model; else they are only reported.
    """
    with _left_quietly():
        try:
            protection = sandbox.confine(limits, Path(directory))
            with sandbox.limited_cpu(limits.load_cpu_s):
                findings = inspected(Path(directory), limits.graph_max_mb, is_strict=is_strict)
                model = Model(Path(directory))
                if is_strict:
                    model.check_signatures()
        except Exception as exc:  # noqa: BLE001 -- a malformed model can raise anything
            channel.send(connection, _failure(exc, directory))
            return
        channel.send(connection, _report(model, findings, protection))
        _serve(connection, model, directory, limits)


def inspected(directory: Path, graph_max_mb: int, *, is_strict: bool) -> list[dict[str, Any]]:
    """What the static check finds, as plain data.

    Raises:
        Refused: it finds something, and is to be strict.
    """
    findings = inspection.inspect(directory, graph_max_mb)
    plain = inspection.told(findings)
    if findings and is_strict:
        raise Refused(findings[0].code, inspection.summary(plain, len(findings)), plain)
    return plain


def _report(model: Model, findings: list[dict[str, Any]], protection: sandbox.Protection) -> Message:
    """The first message to the front: loaded, not yet warmed up."""
    signatures = {name: spec.to_plain() for name, spec in model.specs.items()}
    return Message("loaded", {"signatures": signatures, "findings": findings, "protection": asdict(protection)})


@contextmanager
def _left_quietly() -> Iterator[None]:
    """End the process at once when the front is gone: there is nothing to hand back, and TensorFlow ends slowly."""
    try:
        yield
    except channel.ChannelClosed:
        os._exit(0)


def _serve(connection: socket.socket, model: Model, directory: str, limits: sandbox.Limits) -> None:
    while True:
        request = channel.receive(connection)
        try:
            answer = _ANSWERS[request.kind](model, request, limits)
        except Exception as exc:  # noqa: BLE001 -- the model's failure is the caller's answer, not the worker's end
            answer = _failure(exc, directory)
        channel.send(connection, answer)


def _warmed_up(model: Model, _: Message, limits: sandbox.Limits) -> Message:
    with sandbox.limited_cpu(limits.load_cpu_s):
        model.warm_up()
    return Message("ready")


_ANSWERS: dict[str, Callable[[Model, Message, sandbox.Limits], Message]] = {
    "warm_up": _warmed_up,
    "call": lambda model, request, _: model.call(request.data["signature"], request.arrays),
    "shape": lambda model, request, _: Message("shapes", model.infer_shapes(**request.data)),
}


def _failure(exc: Exception, directory: str) -> Message:
    """What the front is told: one line of the reason, without the server's paths, and what kind of failure it is."""
    is_callers = isinstance(exc, (tf.errors.InvalidArgumentError, ValueError, TypeError))
    is_memory = isinstance(exc, (MemoryError, tf.errors.ResourceExhaustedError))
    verdict = {"code": _code(exc), "details": getattr(exc, "details", [])}
    message = _line(exc, directory)
    return Message("failure", {"message": message, "is_callers": is_callers, "is_memory": is_memory, **verdict})


def _code(exc: Exception) -> str | None:
    """The code of a refusal, where the exception tells more than at which step it was raised."""
    if isinstance(exc, Refused):
        return exc.code
    if isinstance(exc, warmup.BadWarmup):
        return "warmup_failed"
    return "corrupt_checkpoint" if _RESTORING in _steps(exc) else None


def _steps(exc: BaseException | None) -> Iterator[str]:
    """The functions that an exception went through, and the one before it if it was translated on the way."""
    while exc is not None:
        yield from (frame.name for frame in traceback.extract_tb(exc.__traceback__))
        exc = exc.__context__


def _line(exc: Exception, directory: str) -> str:
    text = str(getattr(exc, "message", None) or exc).replace(directory, "<model>")
    return _reason(text)[:ERROR_MAX_CHARS] or type(exc).__name__


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
    )


def _tensor_spec(info: Any) -> TensorSpec:
    shape = info.tensor_shape
    sizes = None if shape.unknown_rank else tuple(None if dim.size < 0 else int(dim.size) for dim in shape.dim)
    return TensorSpec(types_pb2.DataType.Name(info.dtype), sizes, info.name)


def _signature_problem(declared: SignatureSpec | None, loaded: Any) -> str | None:
    """What is wrong with a signature, by what saved_model.pb declares and the inputs that were loaded."""
    if declared is None or loaded is None:
        return "is declared but not there, or there but not declared: save the model again"
    if not declared.is_callable:
        return "has tensors of dtypes that cannot be sent: give it numbers, booleans or strings"
    inputs = {name: types_pb2.DataType.Name(spec.dtype.as_datatype_enum) for name, spec in loaded.items()}
    if inputs != {name: spec.dtype for name, spec in declared.inputs.items()}:
        return "declares other inputs than it takes: save the model again"
    return None


def _filled(tensor: TensorSpec, value: int) -> np.ndarray[Any, Any]:
    shape = [size or 1 for size in tensor.shape or ()]
    dtype = DTYPES[tensor.dtype]
    return np.full(shape, b"", object) if dtype.kind == "string" else np.full(shape, value, dtype.numpy)


def _is_guessed(spec: SignatureSpec) -> bool:
    """Whether our inputs may be none that the model can take: more than the batch is free, or texts mean something."""
    inputs = spec.inputs.values()
    return any(tensor.shape is None or None in tensor.shape[1:] or tensor.dtype == "DT_STRING" for tensor in inputs)


def _plain_shape(shape: Any) -> list[int | None] | None:
    return None if shape.rank is None else shape.as_list()
