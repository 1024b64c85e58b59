"""One SavedModel in a process of its own: load it, warm it up, then answer until the front is gone.

Only this file and what it imports for the purpose know TensorFlow.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from service.engine import channel, members, sandbox
from service.engine.channel import Message
from service.engine.specs import DTYPES, Arrays, SignatureSpec, TensorSpec

# TensorFlow announces its build before any log level is looked at, and imports Keras, which imports what it finds of
# these two for plots and wrappers: a third of all the time until a server is ready.
with sandbox.silenced_stderr(), sandbox.hidden("matplotlib", "sklearn"):
    import tensorflow as tf
    from tensorflow.core.framework import types_pb2

    from service.engine import calls, defaults, inspection, signatures, verdicts, warmup


class Model:
    """A loaded SavedModel and the specs of its signatures.

    Args:
        directory: holds saved_model.pb.
        threads: that compute a call which takes long.
    """

    def __init__(self, directory: Path, threads: int) -> None:
        definitions = signatures.read_definitions(directory)
        self.specs = {name: signatures.spec_of(definition) for name, definition in definitions.items()}
        self._defaults = {name: defaults.values(definition) for name, definition in definitions.items()}
        self._loaded = tf.saved_model.load(str(directory))
        self._directory = directory
        self._calls = {
            name: calls.call_of(function, threads, has_rows=name in self.specs and self.specs[name].has_rows)
            for name, function in self._loaded.signatures.items()
        }
        if not self._loaded.signatures:
            raise verdicts.Refused(
                "unsupported_signature",
                "the SavedModel has no signatures: save it with signatures=..., model.export or qlayer.export",
            )

    def check_signatures(self) -> None:
        """Refuse signatures that cannot be called as they are declared.

        Raises:
            Refused: what is declared is not what was loaded, or its tensors cannot be sent.
        """
        loaded = dict(self._loaded.signatures.items())
        for name in sorted(self.specs.keys() | loaded.keys()):
            problem = signatures.problem(self.specs.get(name), loaded.get(name))
            if problem:
                raise verdicts.Refused("unsupported_signature", f"the signature {name[:100]!r} {problem}")

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

    def _warm_up_with(self, number: int, name: str, inputs: Arrays) -> None:
        try:
            self._check_names(name, inputs)
            self.call(name, inputs)
        except tf.errors.ResourceExhaustedError:
            raise
        except Exception as exc:
            text = verdicts.line(exc, str(self._directory))
            raise warmup.BadWarmup(f"record {number} of {members.WARMUP} was refused: {text}") from exc

    def _check_names(self, name: str, inputs: Arrays) -> None:
        if name not in self.specs:
            raise ValueError(f"there is no signature {name[:100]!r}")
        expected = sorted(self.specs[name].inputs)
        if sorted({*inputs, *self._defaults[name]}) != expected:
            raise ValueError(f"it has the inputs {sorted(inputs)}, and {expected} were expected")

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

    def call(self, signature: str, arrays: Arrays) -> Message:
        """Outputs by name for inputs by name, and when it began and ended, on the clock that all processes share."""
        start_ns = time.perf_counter_ns()
        outputs = self._calls[signature]({**self._defaults[signature], **arrays})
        return Message("outputs", {"start_ns": start_ns, "end_ns": time.perf_counter_ns()}, outputs)

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
            sandbox.confine(limits, Path(directory))
            tf.config.threading.set_intra_op_parallelism_threads(1)  # batches are divided, not operations
            with sandbox.limited_cpu(limits.load_cpu_s):
                findings = inspected(Path(directory), limits.graph_max_mb, is_strict=is_strict)
                model = Model(Path(directory), limits.threads)
                if is_strict:
                    model.check_signatures()
        except Exception as exc:  # noqa: BLE001 -- a malformed model can raise anything
            channel.send(connection, verdicts.failure(exc, directory))
            return
        channel.send(connection, _report(model, findings))
        _serve(connection, model, directory, limits)


def inspected(directory: Path, graph_max_mb: int, *, is_strict: bool) -> list[dict[str, Any]]:
    """What the static check finds, as plain data.

    Raises:
        Refused: it finds something, and is to be strict.
    """
    findings = inspection.inspect(directory, graph_max_mb)
    plain = inspection.told(findings)
    if findings and is_strict:
        raise verdicts.Refused(findings[0].code, inspection.summary(plain, len(findings)), plain)
    return plain


def _report(model: Model, findings: list[dict[str, Any]]) -> Message:
    """The first message to the front: loaded, not yet warmed up."""
    specs = {name: spec.to_plain() for name, spec in model.specs.items()}
    return Message("loaded", {"signatures": specs, "findings": findings})


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
            answer = verdicts.failure(exc, directory)
        channel.send(connection, answer)


def _warmed_up(model: Model, _: Message, limits: sandbox.Limits) -> Message:
    with sandbox.limited_cpu(limits.load_cpu_s):
        model.warm_up()
    return Message("ready")


def _called(model: Model, request: Message, limits: sandbox.Limits) -> Message:
    answer = model.call(request.data["signature"], request.arrays)
    size = sum(map(channel.size_of, answer.arrays.values()))
    if size > limits.answer_max_mb << 20:
        raise ValueError(
            f"the outputs have {size} bytes, at most {limits.answer_max_mb} MiB are taken: send fewer rows"
        )
    return answer


_ANSWERS: dict[str, Callable[[Model, Message, sandbox.Limits], Message]] = {
    "warm_up": _warmed_up,
    "call": _called,
    "shape": lambda model, request, _: Message("shapes", model.infer_shapes(**request.data)),
}


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
