"""HostFunction: what a layer calls whose device is not compiled: PennyLane runs the QNode, on the host.

The only file that executes PennyLane. The tapes of a whole batch go to the device in one call, in float64, and the
gradients are PennyLane's own: of the QNode's diff_method, through autograd for what is calculated around the gates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from math import prod
from threading import RLock
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pennylane as qml
import tensorflow as tf
from tensorflow.python.eager import record  # no public road to whether a tape watches a tensor

from qlayer.errors import ExecutionError, QLayerError, ShapeError, UnsupportedError
from qlayer.recording.refusals import check_shots
from qlayer.simulation.kernels import complex_dtype

if TYPE_CHECKING:
    from qlayer.layer_spec import LayerSpec

# one run at a time: devices keep state between calls, and autograd traces for the whole process
_LOCK = RLock()
_TRACED = (
    " Where a gradient is asked for, the arguments are arrays that autograd traces: calculate with qml.math or "
    "pennylane.numpy, not with NumPy."
)


class HostFunction:
    """A layer's QNode for one shape of samples, run by PennyLane on the QNode's device.

    Args:
        spec: what the layer is made of.
        sample_shape: shape of one sample.
        dtype: "float32" or "float64": of the arguments and results; PennyLane computes in float64.
        name: name of the layer, for errors.

    Raises:
        UnsupportedError: if the QNode returns what is no tensor of a fixed shape.
        ExecutionError: if PennyLane cannot construct or run the circuit.

    Without `output_dim`, the circuit runs once here, for the shape of its results.
    """

    def __init__(self, spec: LayerSpec, sample_shape: tuple[int, ...], dtype: str, name: str) -> None:
        self.name = name
        self.sample_shape = sample_shape
        self.dtype = tf.as_dtype(dtype)
        qnode: Any = spec.source
        self._qnode = copy(qnode)
        self._qnode.interface = "auto"  # the user's may be another framework; here it is NumPy, or autograd
        self._names = (spec.input_argument, *spec.weight_shapes)
        self._given_shape = sample_shape
        self._examples = [_example(shape) for shape in (sample_shape, *spec.weight_shapes.values())]
        tape = self._example_tape()
        _check(tape)
        if self._qnode.compile_pipeline.has_classical_cotransform():
            raise UnsupportedError(
                f"the last transform of the QNode of the layer {name!r} differentiates it by its arguments: "
                f"{self._qnode.compile_pipeline}. Leave it out; the layer has gradients of its own."
            )
        is_complex = any(isinstance(process, qml.measurements.StateMP) for process in tape.measurements)
        self.output_dtype = complex_dtype(self.dtype) if is_complex else self.dtype
        self.output_shape = self._measured_shape() if spec.output_dim is None else spec.output_dim

    @property
    def program(self) -> NoReturn:
        """There is none: nothing was recorded that could be shown or saved.

        Raises:
            UnsupportedError: always, with what to do.
        """
        raise UnsupportedError(
            f"the layer {self.name!r} runs its QNode through PennyLane, on device {self._qnode.device.name!r}: it has "
            "no compiled circuit to save or to show. Save the weights alone (save_weights); or make the layer of the "
            "QNode on default.qubit, load the weights into it, and save that."
        )

    def draw(self) -> str:
        """The circuit as text, as PennyLane draws it for one sample, after the user's transforms."""
        with self._running("the QNode"):
            drawing: str = qml.draw(self._qnode, decimals=None, level="user")(**self._arguments(*self._examples))
        return drawing

    def function(self, inputs: tf.Tensor, *weights: tf.Tensor) -> tf.Tensor:
        """Run the QNode on a batch; one job for the device.

        Args:
            inputs: shape (batch, *sample_shape).
            *weights: the weights, in the order of the spec.

        Returns:
            Shape (batch, *output_shape).

        Raises:
            ExecutionError: if PennyLane or the device raises an error; in a graph, TensorFlow wraps it in its own.
        """
        spec = tf.TensorSpec([inputs.shape[0], *self.output_shape], self.output_dtype)

        @tf.custom_gradient
        def run(*arguments: tf.Tensor) -> Any:
            (outputs,) = _on_host(self._run, arguments, [spec], is_stateful=True)
            groups = _differentiated_together(arguments)
            return outputs, lambda upstream: self._gradients(upstream, arguments, groups)

        return run(inputs, *map(tf.convert_to_tensor, weights))

    def _gradients(
        self, upstream: tf.Tensor, arguments: Sequence[tf.Tensor], groups: Sequence[Sequence[int]]
    ) -> list[tf.Tensor | None]:
        """The gradient for each argument of some groups, None for all others; one job for each group."""
        gradients: list[tf.Tensor | None] = [None] * len(arguments)
        for group in groups:
            for position, gradient in zip(group, self._group_gradients(upstream, arguments, group), strict=True):
                gradients[position] = gradient
        return gradients

    def _group_gradients(
        self, upstream: tf.Tensor, arguments: Sequence[tf.Tensor], group: Sequence[int]
    ) -> list[tf.Tensor]:
        specs = [tf.TensorSpec(arguments[position].shape, self.dtype) for position in group]

        def pull_back(upstream: np.ndarray, *arguments: np.ndarray) -> list[np.ndarray]:
            return self._pull_back(group, upstream, *arguments)

        def refuse(*_: tf.Tensor) -> NoReturn:
            raise UnsupportedError(
                f"a second derivative through the layer {self.name!r} is asked for, and a layer on device "
                f"{self._qnode.device.name!r} only has first ones. Put the QNode on default.qubit."
            )

        @tf.custom_gradient
        def first_order(*given: tf.Tensor) -> Any:
            return _on_host(pull_back, given, specs, is_stateful=False), refuse

        return tf.nest.flatten(first_order(upstream, *arguments))

    def _run(self, *arguments: np.ndarray) -> np.ndarray:
        """The results of a batch, in the layer's precision."""
        with self._running("the QNode"):
            outputs = np.asarray(self._outputs(*map(_double, arguments)))
        return outputs.reshape(len(outputs), *self.output_shape).astype(self.output_dtype.as_numpy_dtype)

    def _pull_back(self, group: Sequence[int], upstream: np.ndarray, *arguments: np.ndarray) -> list[np.ndarray]:
        """The gradients for some arguments, of a loss whose gradient for the results is `upstream`."""
        if self._qnode.diff_method is None:  # said here: TensorFlow also makes gradients in graphs that it never runs
            raise UnsupportedError(
                f"the QNode of the layer {self.name!r} has diff_method=None, and a gradient through it is asked for. "
                "Give the QNode another one, such as 'parameter-shift'; a layer with trainable=False that comes first "
                "in its model needs none."
            )
        upstream = np.reshape(upstream.conj(), (len(upstream), prod(self.output_shape)))

        def loss(*given: Any) -> Any:
            # autograd warns of an argument without influence: none of its elements are added
            linked = sum(qml.math.sum(qml.math.reshape(given[position], (-1,))[:0]) for position in group)
            return qml.math.real(qml.math.sum(upstream * self._outputs(*given))) + linked

        with self._running("the gradient of the QNode"):
            gradients = qml.grad(loss, argnums=tuple(group))(*map(_double, arguments))
        return [np.asarray(gradient, self.dtype.as_numpy_dtype) for gradient in gradients]

    def _outputs(self, inputs: Any, *weights: Any) -> Any:
        """The results of a batch in double precision, shape (batch, elements): NumPy's, or traced by autograd."""
        size = prod(self.output_shape)
        tapes = [self._tape(inputs[row], *weights) for row in range(len(inputs))]
        if not tapes:
            return np.zeros((0, size))
        results = qml.execute(
            tapes,
            self._qnode.device,
            diff_method=self._qnode.diff_method,
            interface=self._qnode.interface,
            transform_program=self._qnode.compile_pipeline,
            gradient_kwargs=self._qnode.gradient_kwargs,
            **self._qnode.execute_kwargs,
        )
        rows = [_flat(result) for result in results]
        if sizes := {len(row) for row in rows} - {size}:
            raise ShapeError(
                f"the QNode of the layer {self.name!r} returned {min(sizes)} numbers for one sample, and its output "
                f"has shape {tuple(self.output_shape)}. Correct output_dim, or return results of one shape for all "
                "inputs."
            )
        return qml.math.stack(rows)

    def _tape(self, sample: Any, *weights: Any) -> qml.tape.QuantumScript:
        tape = self._qnode.construct((), self._arguments(sample, *weights))
        if tape.batch_size != 1:
            return tape
        (single,), _ = qml.transforms.broadcast_expand(tape)  # parameter shifts and most hardware want no batch axis
        return single

    def _arguments(self, sample: Any, *weights: Any) -> dict[str, Any]:
        """What the quantum function is called with, by name."""
        return dict(zip(self._names, (qml.math.reshape(sample, self._given_shape), *weights), strict=True))

    def _example_tape(self) -> qml.tape.QuantumScript:
        """One tape, of inputs of the shape that the quantum function was written for."""
        with self._running("the QNode"):
            try:
                return self._tape(*self._examples)
            except Exception:
                # a QNode that was written for PennyLane's broadcasting (`inputs[:, 0]`) takes a batch of one sample
                self._given_shape = (1, *self.sample_shape)
                with suppress(Exception):  # the first error is the one that tells the user what is wrong
                    return self._tape(*self._examples)
                raise

    def _measured_shape(self) -> tuple[int, ...]:
        """The shape of the results for one sample: of a bare one as it is, of several flattened and concatenated."""
        with self._running("the QNode"):
            result = self._qnode(**self._arguments(*self._examples))
        if isinstance(result, list | tuple):
            return (len(_flat(result)),)
        shape = np.shape(result)
        return shape if self._given_shape == self.sample_shape else shape[1:]

    @contextmanager
    def _running(self, what: str) -> Iterator[None]:
        """The one at a time who runs PennyLane; its errors get the name of the layer."""
        with _LOCK:
            try:
                yield
            except QLayerError:
                raise
            except Exception as exc:
                raise ExecutionError(
                    f"the layer {self.name!r} runs {what} through PennyLane, on device {self._qnode.device.name!r}, "
                    f"which raised {type(exc).__name__}: {exc}{_TRACED if 'ArrayBox' in str(exc) else ''}"
                ) from exc


def _on_host(
    function: Callable[..., Any], arguments: Sequence[tf.Tensor], specs: Sequence[tf.TensorSpec], *, is_stateful: bool
) -> list[tf.Tensor]:
    """Call a function of NumPy arrays; TensorFlow drops calls without state whose results nobody uses."""
    if tf.executing_eagerly():  # tf.numpy_function would convert the arguments with a warning of NumPy
        results = function(*(argument.numpy() for argument in arguments))
    else:
        results = tf.numpy_function(function, arguments, [spec.dtype for spec in specs], stateful=is_stateful)
    return [tf.ensure_shape(result, spec.shape) for result, spec in zip(tf.nest.flatten(results), specs, strict=True)]


def _differentiated_together(arguments: Sequence[tf.Tensor]) -> list[tuple[int, ...]]:
    """Which arguments are differentiated in one job: a device may be slow or cost money, so no others than needed.

    The inputs are the first argument. In a graph, a tape outside of it may ask for what no tape inside watches: there,
    inputs and weights have a job each, and TensorFlow drops the one that nobody uses.
    """
    groups = [(0,), tuple(range(1, len(arguments)))]
    watched = [group for group in groups if record.should_record_backprop([arguments[place] for place in group])]
    if len(watched) == len(groups):
        watched = [tuple(range(len(arguments)))]
    elif not tf.executing_eagerly():
        watched = groups
    return [group for group in watched if group]


def _check(tape: qml.tape.QuantumScript) -> None:
    """Refuse a circuit whose results are no tensor of a fixed shape."""
    check_shots(tape.shots)
    if any(isinstance(process, qml.measurements.CountsMP) for process in tape.measurements):
        raise UnsupportedError(
            "the QNode returns qml.counts, and a dictionary of counts has no fixed shape. Return qml.probs or "
            "qml.sample."
        )


def _flat(result: Any) -> Any:
    """The results of one circuit as one vector."""
    is_sequence = hasattr(result, "__len__") and not hasattr(result, "shape")  # a tuple; or autograd's box around one
    parts = result if is_sequence else [result]
    return qml.math.concatenate([qml.math.reshape(part, (-1,)) for part in parts])


def _double(array: np.ndarray) -> np.ndarray:
    return np.asarray(array, np.float64)


def _example(shape: Sequence[int]) -> np.ndarray:
    """A unit vector: amplitudes and basis states can be made of it."""
    example = np.zeros(shape)
    example.flat[:1] = 1
    return example
