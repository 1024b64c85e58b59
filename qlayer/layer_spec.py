"""LayerSpec: what a layer is made of, to and from a Keras configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qlayer.errors import ShapeError, SignatureError, UnsupportedError
from qlayer.keras_compat import specs_to_data
from qlayer.program import Program
from qlayer.signature import check_signature, check_weight_specs

if TYPE_CHECKING:
    from qlayer.recording.capture import QNode


_REAL_DTYPES = ("float32", "float64")


def check_dtype(dtype: str) -> None:
    """Refuse precisions that a layer does not compute in.

    Raises:
        UnsupportedError: naming those it does.
    """
    if dtype not in _REAL_DTYPES:
        raise UnsupportedError(
            f"a KerasLayer computes in {' or '.join(_REAL_DTYPES)}, not in {dtype}. Give the layer dtype='float32'; "
            "the other layers of the model may keep their mixed precision."
        )


@dataclass(frozen=True)
class LayerSpec:
    """What a layer was made of, in one form.

    Args:
        source: the QNode; the program it was recorded to, for a layer that was loaded.
        weight_shapes: shape of each weight by name, in the order of the angle graph's arguments.
        output_dim: shape of the output for one sample; None for what the circuit returns.
        weight_specs: keyword arguments for each weight's `add_weight`.
        input_argument: name of the argument that takes the inputs.
        sample_shape: shape of one sample; None for the last axis of the inputs.
        jit_compile: whether XLA compiles the circuit.
        seed: what finite shots are drawn from; None for other draws after every start.
    """

    source: QNode | Program
    weight_shapes: dict[str, tuple[int, ...]]
    output_dim: tuple[int, ...] | None
    weight_specs: Mapping[str, Mapping[str, Any]]
    input_argument: str
    sample_shape: tuple[int, ...] | None
    jit_compile: bool
    seed: int | None

    @property
    def qnode(self) -> QNode | None:
        """The QNode; None for a layer that was loaded."""
        return None if isinstance(self.source, Program) else self.source

    @property
    def runs_on_host(self) -> bool:
        """Whether PennyLane runs the QNode: its device is none of those that are compiled."""
        if isinstance(self.source, Program):
            return False
        from qlayer.recording.capture import is_compiled  # noqa: PLC0415 - a loaded layer needs no PennyLane

        return not is_compiled(self.source.device)

    def check(self) -> None:
        """Check that the parts fit together.

        Raises:
            SignatureError: if the QNode's signature, `weight_shapes` or `weight_specs` do not.
            UnsupportedError: if XLA is to compile, or a seed to determine, what runs on the host.
        """
        check_weight_specs(self.weight_specs, self.weight_shapes)
        if isinstance(self.source, Program):
            return
        from qlayer.recording.capture import QNode  # noqa: PLC0415 - a loaded layer needs no PennyLane

        if not isinstance(self.source, QNode):
            raise SignatureError(
                f"a KerasLayer is made of a QNode, not of {self.source!r}. Decorate the function with "
                "@qml.qnode(device), or wrap it: qml.QNode(function, device)."
            )
        check_signature(self.source.func, self.weight_shapes, self.input_argument)
        if self.jit_compile and self.runs_on_host:
            raise UnsupportedError(
                f"jit_compile=True compiles a circuit with XLA, but PennyLane runs this QNode on the host, on device "
                f"{self.source.device.name!r}. Leave it out, or put the QNode on default.qubit."
            )
        if self.seed is not None and self.runs_on_host:
            raise UnsupportedError(
                f"seed={self.seed} is for shots that TensorFlow draws, but PennyLane runs this QNode on the host, on "
                f"device {self.source.device.name!r}. Give the seed to the device, or put the QNode on default.qubit."
            )

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

    def program(self, sample_shape: tuple[int, ...], dtype: str) -> Program:
        """The recorded circuit for a shape of samples and a precision."""
        if isinstance(self.source, Program):
            self.source.check_dtype(dtype)
            return self.source
        from qlayer.recording.capture import capture  # noqa: PLC0415 - a loaded layer needs no PennyLane

        circuit, angle_graph = capture(self.source, self.input_argument, sample_shape, self.weight_shapes, dtype)
        return Program(circuit, angle_graph, sample_shape, dtype)

    def to_config(self, program: Program) -> dict[str, Any]:
        """The layer's own part of its configuration: JSON data, without a QNode."""
        return {
            "program": program.to_data(),
            "weight_shapes": [[name, list(shape)] for name, shape in self.weight_shapes.items()],
            "output_dim": None if self.output_dim is None else list(self.output_dim),
            "weight_specs": specs_to_data(self.weight_specs),
            "input_argument": self.input_argument,
            "jit_compile": self.jit_compile,
            "seed": self.seed,
        }


def layer_arguments(config: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that make a layer of its configuration; what is not qlayer's belongs to Keras and stays as it is.

    Raises:
        FormatError: if the circuit in it cannot be read.
    """
    program = Program.from_data(config.get("program", {}))
    return {
        **{key: value for key, value in config.items() if key != "program"},
        "qnode": program,
        "weight_shapes": dict(config["weight_shapes"]),
        "sample_shape": program.sample_shape,
    }
