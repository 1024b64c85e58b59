"""KerasLayer: a QNode as a Keras layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import tensorflow as tf

from qlayer.capture import QNode, capture, check_device
from qlayer.circuit import Circuit
from qlayer.compiler import CompiledCircuit
from qlayer.errors import ShapeError, UnsupportedError
from qlayer.keras_compat import check_backend, keras
from qlayer.signature import check_signature, check_weight_specs, weight_shape

_REAL_DTYPES = ("float32", "float64")


class KerasLayer(keras.layers.Layer):
    """A quantum circuit as a layer of a Keras model.

    The QNode is recorded once, when the number of features is known, and compiled to pure TensorFlow: from then on
    nothing of PennyLane runs, in training or in a saved model.

    In the QNode, the input argument is ONE sample: the features are the last axis of the layer's inputs (or the last
    axes, where `sample_shape` says so), and all axes before them are batch.

    Args:
        qnode: the QNode to convert. Its input argument takes one sample, all other arguments are weights without
            default values; there are no *args or **kwargs.
        weight_shapes: from the name of each weight to its shape; an integer n is the shape (n,), and 1 is a scalar.
        output_dim: shape of the output for one sample, as an integer or a tuple; None for what the circuit returns.
        weight_specs: from the name of a weight to keyword arguments for its `add_weight`: "initializer", "regularizer",
            "constraint", "trainable", "dtype".
        input_argument: name of the argument that takes the inputs; None for what `set_input_argument` says, "inputs" at
            first.
        sample_shape: shape of one sample; None for the last axis of the inputs.
        jit_compile: whether XLA compiles the circuit. Faster for a fixed batch size; each new batch size compiles anew.
        **kwargs: for the Keras layer: "name", "dtype" (float32 or float64), "trainable", ...

    Call arguments:
        inputs: shape (*batch, *sample_shape); the batch may have any number of axes.

    Returns:
        Shape (*batch, *output_shape). A single measurement keeps its shape; the measurements of a list or tuple are
        flattened and concatenated.

    Raises:
        SignatureError: if the QNode's signature, `weight_shapes` or `weight_specs` do not fit together.
        UnsupportedError: if the QNode cannot be compiled (when the layer is built).
        ShapeError: if inputs or `output_dim` do not fit the circuit (when the layer is built or called).

    Example:
        >>> qlayer = KerasLayer(qnode, {"weights_0": 3, "weight_1": 1}, output_dim=2)
        >>> model = tf.keras.models.Sequential([qlayer, tf.keras.layers.Dense(2)])
    """

    _input_argument = "inputs"  # the default of layers made from now on; set_input_argument changes it

    def __init__(
        self,
        qnode: QNode,
        weight_shapes: Mapping[str, int | Iterable[int]],
        output_dim: int | Iterable[int] | None,
        weight_specs: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        input_argument: str | None = None,
        sample_shape: int | Iterable[int] | None = None,
        jit_compile: bool = False,
        **kwargs: Any,
    ) -> None:
        check_backend()
        inputs_name = input_argument or self._input_argument
        check_signature(qnode.func, weight_shapes, inputs_name)
        check_weight_specs(weight_specs or {}, weight_shapes)
        check_device(qnode)
        super().__init__(**kwargs)
        shapes = {name: weight_shape(shape) for name, shape in weight_shapes.items()}
        self._spec = _LayerSpec(
            qnode, shapes, _shape(output_dim), weight_specs or {}, inputs_name, _shape(sample_shape), jit_compile
        )
        self._compiled: _Compiled | None = None

    @property
    def qnode(self) -> QNode:
        """The QNode that was converted."""
        return self._spec.qnode

    @property
    def circuit(self) -> Circuit:
        """The recorded circuit.

        Raises:
            ShapeError: if the layer is not built yet, so that the number of features is not known.
        """
        if self._compiled is None:
            raise ShapeError(
                "the circuit is recorded when the layer is built: call the layer, or layer.build(input_shape)."
            )
        return self._compiled.circuit.circuit

    @property
    def input_arg(self) -> str:
        """Name of the QNode's argument that takes the inputs."""
        return self._spec.input_argument

    @property
    def qnode_weights(self) -> dict[str, tf.Variable]:
        """The weights by the names of the QNode's arguments; empty before the layer is built."""
        return dict(zip(self._spec.weight_shapes, self._weights_in_order, strict=True)) if self.built else {}

    @staticmethod
    def set_input_argument(input_name: str = "inputs") -> None:
        """Set the name of the input argument for all layers made afterwards.

        Args:
            input_name: name of the argument.
        """
        KerasLayer._input_argument = input_name

    def build(self, input_shape: Any) -> None:
        """Record the QNode for the shape of the inputs, and create the weights.

        Args:
            input_shape: shape of the inputs, (*batch, *sample_shape).
        """
        self._compile(input_shape)
        self._weights_in_order = [
            self.add_weight(**{"name": name, "shape": shape, **self._spec.weight_specs.get(name, {})})
            for name, shape in self._spec.weight_shapes.items()
        ]
        super().build(input_shape)

    def call(self, inputs: Any) -> tf.Tensor:
        """Run the circuit on a batch.

        Args:
            inputs: shape (*batch, *sample_shape).

        Returns:
            Shape (*batch, *output_shape).
        """
        compiled = self._compile(inputs.shape)
        inputs = tf.cast(inputs, compiled.circuit.dtype)
        axes = inputs.shape.rank - len(compiled.sample_shape)
        flat = tf.reshape(inputs, [-1, *compiled.sample_shape])
        outputs = compiled.function(flat, *(tf.cast(weight, flat.dtype) for weight in self._weights_in_order))
        outputs = tf.reshape(outputs, tf.concat([tf.shape(inputs)[:axes], compiled.output_shape], axis=0))
        return tf.ensure_shape(outputs, [*inputs.shape[:axes], *compiled.output_shape])

    def compute_output_shape(self, input_shape: Any) -> tf.TensorShape:
        """The shape of the output.

        Args:
            input_shape: shape of the inputs, (*batch, *sample_shape).

        Returns:
            (*batch, *output_shape).
        """
        compiled = self._compile(input_shape)
        batch = tuple(tf.TensorShape(input_shape))[: -len(compiled.sample_shape) or None]
        return tf.TensorShape([*batch, *compiled.output_shape])

    def construct(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG002 - the interface of a QNode
        """Construct the QNode's tape on one sample with the layer's weights, as QNode.construct.

        Args:
            args: a single entry, one sample of shape `sample_shape`.
            kwargs: not used.

        Returns:
            PennyLane's tape of the circuit.
        """
        (sample,) = args
        weights = {name: weight.numpy() for name, weight in self.qnode_weights.items()}
        return self.qnode.construct((), {self.input_arg: sample, **weights})

    def _compile(self, input_shape: Any) -> _Compiled:
        """The compiled circuit; made at the first call, checked against the inputs' shape at every other."""
        shape = tuple(tf.TensorShape(input_shape))
        if self._compiled is None:
            self._compiled = _Compiled(self._spec, self._spec.sample_shape_of(shape), _real_dtype(self.compute_dtype))
        expected = self._compiled.sample_shape
        if shape[len(shape) - len(expected) :] != expected:
            raise ShapeError(
                f"the layer {self.name!r} was built for samples of shape {expected}, but the inputs have shape "
                f"{shape}; their last axes must be {expected}."
            )
        return self._compiled


@dataclass(frozen=True)
class _LayerSpec:
    """What a layer was made of, in one form."""

    qnode: QNode
    weight_shapes: dict[str, tuple[int, ...]]
    output_dim: tuple[int, ...] | None
    weight_specs: Mapping[str, Mapping[str, Any]]
    input_argument: str
    sample_shape: tuple[int, ...] | None
    jit_compile: bool

    def sample_shape_of(self, input_shape: tuple[int | None, ...]) -> tuple[int, ...]:
        """The shape of one sample for inputs of some shape: the last axis, if nothing else was said."""
        if self.sample_shape is not None:
            return self.sample_shape
        if not input_shape or input_shape[-1] is None:
            raise ShapeError(
                f"the inputs have shape {input_shape}, but the size of their last axis, the number of features, must "
                "be known. Give the model an input shape, or sample_shape=... to the layer."
            )
        return (input_shape[-1],)


class _Compiled:
    """A layer's circuit for one shape of samples, as a single TensorFlow function that is traced once.

    Not a trackable object on purpose: the function reaches a SavedModel through the layer's own call, once.
    """

    def __init__(self, spec: _LayerSpec, sample_shape: tuple[int, ...], dtype: tf.DType) -> None:
        self.sample_shape = sample_shape
        circuit, angle_graph = capture(spec.qnode, spec.input_argument, sample_shape, spec.weight_shapes, dtype)
        self.circuit = CompiledCircuit(circuit, angle_graph, dtype)
        self.output_shape = _checked_output_shape(spec.output_dim, self.circuit.output_shape)
        self.function = tf.function(
            self.circuit,
            input_signature=[
                tf.TensorSpec([None, *sample_shape], dtype),
                *(tf.TensorSpec(shape, dtype) for shape in spec.weight_shapes.values()),
            ],
            autograph=False,
            jit_compile=spec.jit_compile or None,
        )


def _shape(shape: int | Iterable[int] | None) -> tuple[int, ...] | None:
    if shape is None:
        return None
    return tuple(int(size) for size in shape) if isinstance(shape, Iterable) else (int(shape),)


def _checked_output_shape(given: tuple[int, ...] | None, computed: tuple[int, ...]) -> tuple[int, ...]:
    if given is None:
        return computed
    if prod(given) != prod(computed):
        raise ShapeError(
            f"output_dim says {given} for one sample, but the QNode returns {prod(computed)} numbers, of shape "
            f"{computed}. Correct it, or leave it to the circuit with output_dim=None."
        )
    return given


def _real_dtype(name: str) -> tf.DType:
    if name not in _REAL_DTYPES:
        raise UnsupportedError(
            f"a KerasLayer computes in {' or '.join(_REAL_DTYPES)}, not in {name}. Give the layer dtype='float32'."
        )
    return tf.as_dtype(name)
