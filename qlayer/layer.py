"""KerasLayer: a QNode as a Keras layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

import tensorflow as tf

from qlayer.circuits.circuit import Circuit
from qlayer.consumers import Source, check_real, check_sequence, watch
from qlayer.errors import ShapeError, UnsupportedError
from qlayer.exporting.freezing import run
from qlayer.keras_compat import IS_KERAS_3, add_weight, check_caller, describe, keras, register
from qlayer.layer_function import LayerFunction, make_function
from qlayer.layer_inputs import as_rows, check_inputs, known_shape
from qlayer.layer_spec import LayerSpec, check_dtype, layer_arguments
from qlayer.program import Program
from qlayer.signature import checked_seed, checked_weight_shapes, optional_shape

if TYPE_CHECKING:
    from qlayer.host import HostFunction
    from qlayer.recording.capture import QNode


@register
class KerasLayer(keras.layers.Layer):
    """A quantum circuit as a layer of a Keras model.

    The QNode is recorded once, when the number of features is known, and compiled to pure TensorFlow: from then on
    nothing of PennyLane runs, in training or in a saved model. On a device that is not compiled, PennyLane runs it on
    the host: slower, and only the weights can be saved.

    In the QNode, the input argument is ONE sample: the features are the last axis of the layer's inputs (or the last
    axes, where `sample_shape` says so), and all axes before them are batch.

    The configuration of the layer is the recorded circuit, as data: a saved layer is made anew and trains on without
    the QNode, its source code or PennyLane.

    Args:
        qnode: the QNode to convert. Its input argument takes one sample, all other arguments are weights without
            default values; there are no *args or **kwargs. For a layer that is made of its configuration, the program
            the QNode was recorded to.
        weight_shapes: from the name of each weight to its shape; an integer n is the shape (n,), and 1 is a scalar.
        output_dim: shape of the output for one sample, as an integer or a tuple; None for what the circuit returns.
        weight_specs: from the name of a weight to keyword arguments for its `add_weight`: "initializer", "regularizer",
            "constraint", "trainable", "dtype".
        input_argument: name of the argument that takes the inputs; None for what `set_input_argument` says, "inputs" at
            first.
        sample_shape: shape of one sample; None for the last axis of the inputs.
        jit_compile: whether XLA compiles the circuit. Faster for a fixed batch size; each new batch size compiles anew.
        seed: where finite shots start: the same seed gives the same sequence of draws after every start. None for
            others, which `tf.random.set_seed` makes repeatable.
        **kwargs: for the Keras layer: "name", "dtype" (float32 or float64), "trainable", ...

    Call arguments:
        inputs: shape (*batch, *sample_shape); the batch may have any number of axes.

    Returns:
        Shape (*batch, *output_shape). A single measurement keeps its shape; the measurements of a list or tuple are
        flattened and concatenated.

    Raises:
        SignatureError: if the QNode's signature, `weight_shapes` or `weight_specs` do not fit together.
        CaptureError: if the QNode cannot be recorded: it asks for a value, say (when the layer is built).
        UnsupportedError: if it cannot be compiled (when the layer is built), or its device takes no such argument.
        ExecutionError: if PennyLane cannot run the QNode on the host (when the layer is built or called).
        ShapeError: if inputs or `output_dim` do not fit the circuit (when the layer is built or called).

    Example:
        >>> qlayer = KerasLayer(qnode, {"weights_0": 3, "weight_1": 1}, output_dim=2)
        >>> model = tf.keras.models.Sequential([qlayer, tf.keras.layers.Dense(2)])
    """

    _input_argument = "inputs"  # the default of layers made from now on; set_input_argument changes it

    def __init__(
        self,
        qnode: QNode | Program,
        weight_shapes: Mapping[str, int | Iterable[int]],
        output_dim: int | Iterable[int] | None,
        weight_specs: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        input_argument: str | None = None,
        sample_shape: int | Iterable[int] | None = None,
        jit_compile: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        self._spec = LayerSpec(
            qnode,
            checked_weight_shapes(weight_shapes),
            optional_shape(output_dim, "an output (output_dim)"),
            {} if weight_specs is None else weight_specs,
            input_argument or self._input_argument,
            optional_shape(sample_shape, "a sample (sample_shape)"),
            jit_compile,
            checked_seed(seed),
        )
        self._spec.check()
        super().__init__(**kwargs)
        check_dtype(self.compute_dtype)
        self.supports_jit = not self._spec.runs_on_host  # Keras 3 compiles models with XLA by itself where it can
        self._compiled: LayerFunction | HostFunction | None = None

    @property
    def qnode(self) -> QNode | None:
        """The QNode that was converted; None for a layer that was loaded."""
        return self._spec.qnode

    @property
    def circuit(self) -> Circuit:
        """The recorded circuit.

        Raises:
            ShapeError: if the layer is not built yet, so that the number of features is not known.
            UnsupportedError: if the QNode runs on the host, through PennyLane.
        """
        return self._known().program.circuit

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
            add_weight(self, name, shape, self._spec.weight_specs.get(name, {}))
            for name, shape in self._spec.weight_shapes.items()
        ]
        if IS_KERAS_3:  # which hides lists from TensorFlow's checkpoints: weights would be left out without a word
            for name, weight in zip(self._spec.weight_shapes, self._weights_in_order, strict=True):
                setattr(self, f"_weight_{name}", weight)
        super().build(input_shape)

    def call(self, inputs: Any) -> tf.Tensor:
        """Run the circuit on a batch.

        Args:
            inputs: shape (*batch, *sample_shape).

        Returns:
            Shape (*batch, *output_shape).
        """
        check_real(self.name, inputs)
        self._check_built()
        compiled = self._compile(inputs.shape)
        inputs = tf.cast(inputs, compiled.dtype)
        axes = inputs.shape.rank - len(compiled.sample_shape)
        outputs = run(self.name, compiled, as_rows(inputs, compiled.sample_shape), self._weights_in_order)
        outputs = tf.reshape(outputs, tf.concat([tf.shape(inputs)[:axes], compiled.output_shape], axis=0))
        return tf.ensure_shape(outputs, [*inputs.shape[:axes], *compiled.output_shape])

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output.

        Args:
            input_shape: shape of the inputs, (*batch, *sample_shape).

        Returns:
            (*batch, *output_shape).
        """
        compiled = self._compile(input_shape)
        batch = known_shape(self.name, input_shape)[: -len(compiled.sample_shape) or None]
        shape = (*batch, *compiled.output_shape)
        return shape if IS_KERAS_3 else tf.TensorShape(shape)

    def compute_output_spec(self, inputs: Any) -> Any:
        """What the layer returns for symbolic inputs; Keras 3 asks for it.

        Args:
            inputs: symbolic tensor of shape (*batch, *sample_shape).

        Returns:
            Symbolic tensor of shape (*batch, *output_shape); complex where the circuit returns its state.
        """
        check_real(self.name, inputs)
        shape = self.compute_output_shape(inputs.shape)
        return keras.KerasTensor(shape, dtype=self._compile(inputs.shape).output_dtype.name)

    def construct(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG002 - the interface of a QNode
        """Construct the QNode's tape on one sample with the layer's weights, as QNode.construct.

        Args:
            args: a single entry, one sample of shape `sample_shape`.
            kwargs: not used.

        Returns:
            PennyLane's tape of the circuit.

        Raises:
            UnsupportedError: if the layer was loaded, and has no QNode.
            ShapeError: if the layer is not built yet, so that there are no weights.
        """
        if self.qnode is None:
            raise UnsupportedError(
                f"the layer {self.name!r} was loaded and has no QNode to construct a tape of. layer.circuit is the "
                "circuit as data, layer.draw() as text."
            )
        self._check_built()
        (sample,) = args
        weights = {name: weight.numpy() for name, weight in self.qnode_weights.items()}
        return self.qnode.construct((), {self.input_arg: sample, **weights})

    def draw(self) -> str:
        """The circuit as text: a line for each wire, and where each angle comes from; on the host PennyLane's drawing.

        Raises:
            ShapeError: if the layer is not built yet, so that the number of features is not known.
        """
        return self._known().draw()

    def get_config(self) -> dict[str, Any]:
        """The configuration: JSON data that `from_config` makes a layer of that trains, without the QNode.

        Raises:
            ShapeError: if the layer is not built yet, so that the number of features is not known.
            UnsupportedError: if the QNode runs on the host, through PennyLane.
        """
        regularizer = self.activity_regularizer
        return {
            **super().get_config(),
            **({"activity_regularizer": keras.regularizers.serialize(regularizer)} if regularizer else {}),
            **self._spec.to_config(self._known().program),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """A layer made of what `get_config` gave, with new weights.

        Raises:
            FormatError: if a newer qlayer wrote the configuration, or none did.
        """
        return cls(**layer_arguments(config))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: D102 - the arguments are those of `call`
        check_caller(self.name, (args, kwargs))
        check_inputs(self.name, args[0] if args else kwargs.get("inputs"))
        check_sequence(self, (args, kwargs))
        outputs = super().__call__(*args, **kwargs)
        watch(self, outputs, Source(self.name))
        return outputs

    def __repr__(self) -> str:
        return describe(self.name, self)

    def _trackable_children(self, save_type: str = "checkpoint", **kwargs: Any) -> Any:
        if save_type == "savedmodel" and self._compiled:
            _ = self._compiled.program  # refused for the host: both Keras would save a call of Python that cannot load
        return super()._trackable_children(save_type, **kwargs)

    def _check_built(self) -> None:
        if not self.built:
            raise ShapeError(
                f"the layer {self.name!r} has no weights before it is built: call it on inputs, or build(input_shape)."
            )

    def _known(self) -> LayerFunction | HostFunction:
        """The compiled circuit of a layer that knows the shape of its samples."""
        if self._compiled is None and self._spec.sample_shape is None:
            raise ShapeError(
                f"the circuit of the layer {self.name!r} is recorded when the layer is built, and not before: call the "
                "layer or its model on inputs, or layer.build(input_shape), or give sample_shape=... to the layer."
            )
        return self._compiled or self._compile(self._spec.sample_shape)

    def _compile(self, input_shape: Any) -> LayerFunction | HostFunction:
        """The compiled circuit; made at the first call, checked against the inputs' shape at every other."""
        shape = known_shape(self.name, input_shape)
        if self._compiled is None:
            sample_shape = self._spec.sample_shape_of(shape)
            self._compiled = make_function(self._spec, sample_shape, self.compute_dtype, self.name)
        expected = self._compiled.sample_shape
        if not tf.TensorShape(shape[len(shape) - len(expected) :]).is_compatible_with(expected):
            raise ShapeError(
                f"the layer {self.name!r} was built for samples of shape {expected}, but the inputs have shape "
                f"{shape}; their last axes must be {expected}."
            )
        return self._compiled
