"""Program: what a QNode was recorded to, for one shape of samples. With its weights' values, it is the whole layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.framework import types_pb2
from tensorflow.python.framework import op_def_registry  # no public road from an operation's name to its properties

from qlayer.angles.angles import AngleGraph
from qlayer.circuits.circuit import Circuit
from qlayer.circuits.serialization import from_data, to_data
from qlayer.errors import FormatError, UnsupportedError

FORMAT = 1  # of the data; a higher number for data that this version could not read

# what calculates angles has no state; these have one that harms nobody
_HARMLESS = {
    "Assert",
    "Case",
    "If",
    "PartitionedCall",
    "RandomStandardNormal",
    "RandomUniform",
    "RandomUniformInt",
    "StatefulPartitionedCall",
    "While",
}
# TensorFlow calls these stateless, although their attributes name files, addresses or programs
_HARMFUL = {"BatchFunction", "DebugIdentity", "DebugNanCount", "DebugNumericSummary", "ImmutableConst", "XlaLaunchV2"}
_NO_NUMBERS = (types_pb2.DT_STRING, types_pb2.DT_RESOURCE)


@dataclass(frozen=True)
class Program:
    """A recorded QNode.

    Args:
        circuit: the circuit without its angles' values.
        angle_graph: what computes the angles from inputs and weights.
        sample_shape: shape of one sample of the inputs.
        dtype: "float32" or "float64": what all arguments of the angle graph are.
    """

    circuit: Circuit
    angle_graph: AngleGraph
    sample_shape: tuple[int, ...]
    dtype: str

    def to_data(self) -> dict[str, Any]:
        """The program as JSON data, with the number of the data's format."""
        return {"format": FORMAT, **to_data(self, Program)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Program:
        """The program that data was made of.

        Raises:
            FormatError: if a newer qlayer wrote the data, or none did.
            UnsupportedError: if its graph does more than calculate.
        """
        found = data.get("format")
        if isinstance(found, int) and found > FORMAT:
            raise FormatError(
                f"the circuit was saved in format {found}, and this qlayer reads formats up to {FORMAT}. Load it with "
                "a newer qlayer."
            )
        try:
            program: Program = from_data({name: value for name, value in data.items() if name != "format"}, cls)
            _check_operations(tf.compat.v1.GraphDef.FromString(program.angle_graph.graph_def))
        except (KeyError, TypeError, ValueError, AssertionError, DecodeError) as exc:
            raise FormatError(
                f"this is no circuit that qlayer saved: {exc}. Save the model again, or load the file it was copied "
                "from."
            ) from exc
        return program

    def check_dtype(self, dtype: str) -> None:
        """Refuse another precision than the one the program was recorded in.

        Raises:
            UnsupportedError: naming both.
        """
        if dtype != self.dtype:
            raise UnsupportedError(
                f"the circuit was recorded in {self.dtype}, and the layer computes in {dtype}. Give the layer "
                f"dtype={self.dtype!r}, or make a new one from the QNode."
            )


def _check_operations(graph_def: tf.compat.v1.GraphDef) -> None:
    """Refuse a graph that reads or writes files, runs Python, or keeps state: a file may come from anywhere."""
    for name in _operations(graph_def):
        if name not in _HARMLESS and not _only_calculates(name):
            raise UnsupportedError(
                f"the saved circuit's angles are calculated with {name}, which does more than calculate, and is not "
                "run. If you trust the file, make the layer from its QNode and load the weights alone."
            )


def _only_calculates(name: str) -> bool:
    """Whether an operation turns numbers into numbers and nothing else: no state, no text (a path, a program)."""
    definition = op_def_registry.get(name)
    if definition is None or definition.is_stateful or name in _HARMFUL or "Dataset" in name or "PyFunc" in name:
        return False
    return not any(argument.type in _NO_NUMBERS for argument in (*definition.input_arg, *definition.output_arg))


def _operations(graph_def: tf.compat.v1.GraphDef) -> Iterator[str]:
    """The names of all operations, also those inside the graph's functions; functions that are called by name too."""
    functions = {function.signature.name for function in graph_def.library.function}
    yield from (node.op for node in graph_def.node if node.op not in functions)
    for function in graph_def.library.function:
        yield from (node.op for node in function.node_def if node.op not in functions)
