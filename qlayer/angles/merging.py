"""Merging: angles that are calculated alike are calculated at once.

Templates calculate their angles one by one (`inputs[0] * inputs[1]`, `inputs[0] * inputs[2]`, ...). Scalars with the
same tree of elementwise operations become one vector, so that the angle graph does not grow with the circuit. Those
that are the same calculation of the same elements, as in an embedding that is repeated, are one element of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from qlayer.circuits.circuit import Measurement, Operation, Parameter, Preparation

# operations of TensorFlow that do to each element of a vector what they do to a scalar
_ELEMENTWISE = {
    "Abs",
    "Acos",
    "Add",
    "AddV2",
    "Asin",
    "Atan",
    "Atan2",
    "Cos",
    "Cosh",
    "Div",
    "Exp",
    "Log",
    "Maximum",
    "Minimum",
    "Mul",
    "Neg",
    "Pow",
    "RealDiv",
    "Reciprocal",
    "Rsqrt",
    "Sigmoid",
    "Sign",
    "Sin",
    "Sinh",
    "Sqrt",
    "Square",
    "Sub",
    "Tan",
    "Tanh",
}
_ATTRIBUTES = {"T"}  # an operation with any other attribute is not merged


@dataclass(frozen=True, eq=False)
class _Leaf:
    """An element of a tensor, or a constant where there is no tensor."""

    tensor: tf.Tensor | None
    value: int | float
    dtype: tf.DType


@dataclass(frozen=True, eq=False)
class _Node:
    """An elementwise operation on leaves and nodes."""

    kind: str
    inputs: tuple[_Leaf | _Node, ...]


Place = tuple[int, int | None]  # an output, and the element of it that a former output now is; None for all of it


def merge(sources: Sequence[tf.Tensor]) -> tuple[list[tf.Tensor], list[Place]]:
    """Join scalars that are calculated alike; to be called in their graph.

    Args:
        sources: tensors of one graph.

    Returns:
        Fewer tensors, and for each source where it is among them.
    """
    groups: dict[Any, list[int]] = {}
    trees = [_tree(source) if source.shape.rank == 0 else None for source in sources]
    for index, tree in enumerate(trees):
        groups.setdefault(index if tree is None else _kind(tree), []).append(index)
    merged: list[tf.Tensor] = []
    places: dict[int, Place] = {}
    for members in groups.values():
        found = [tree for index in members if (tree := trees[index]) is not None]
        if len(found) > 1:
            keys = [_key(tree) for tree in found]
            different = dict(zip(keys, found, strict=True))
            positions = {key: position for position, key in enumerate(different)}
            places |= {index: (len(merged), positions[key]) for index, key in zip(members, keys, strict=True)}
            merged.append(_vector(list(different.values())))
        else:
            places[members[0]] = len(merged), None
            merged.append(sources[members[0]])
    return merged, [places[index] for index in range(len(sources))]


def _tree(tensor: tf.Tensor) -> _Leaf | _Node | None:
    """How a scalar is calculated; None where something else than elements and elementwise operations takes part."""
    operation = tensor.op
    if operation.type == "Identity":
        return _tree(operation.inputs[0])
    constant = tf.get_static_value(tensor)
    if constant is not None:
        return _Leaf(None, constant.item(), tensor.dtype)
    if operation.type == "GatherV2":
        position = tf.get_static_value(operation.inputs[1])
        flat = operation.inputs[0].shape.rank == 1 and position is not None
        return _Leaf(operation.inputs[0], int(position), tensor.dtype) if flat else None
    if operation.type not in _ELEMENTWISE or not _ATTRIBUTES.issuperset(operation.node_def.attr):
        return None
    trees = [_tree(value) if value.shape.rank == 0 else None for value in operation.inputs]
    known = tuple(tree for tree in trees if tree is not None)
    return _Node(operation.type, known) if len(known) == len(trees) else None


def _kind(tree: _Leaf | _Node) -> Any:
    """What trees that can be merged have in common: all but the positions and the constants."""
    if isinstance(tree, _Node):
        return tree.kind, tuple(_kind(value) for value in tree.inputs)
    return tree.dtype if tree.tensor is None else _flat_source(tree.tensor)


def _key(tree: _Leaf | _Node) -> Any:
    """What trees that are the same calculation have in common."""
    if isinstance(tree, _Node):
        return tree.kind, tuple(_key(value) for value in tree.inputs)
    return _kind(tree), tree.value


def _flat_source(tensor: tf.Tensor) -> str:
    """The tensor that was flattened: each element is picked from a reshape of its own."""
    return tensor.op.inputs[0].name if tensor.op.type == "Reshape" else tensor.name


def _vector(trees: Sequence[_Leaf | _Node]) -> tf.Tensor:
    """The values of trees of one kind: shape (trees,)."""
    first = trees[0]
    if isinstance(first, _Leaf):
        values = [tree.value for tree in trees if isinstance(tree, _Leaf)]
        return tf.constant(values, first.dtype) if first.tensor is None else tf.gather(first.tensor, values)
    columns = zip(*(tree.inputs for tree in trees if isinstance(tree, _Node)), strict=True)
    inputs = [_vector(column) for column in columns]
    names = ("x",) if len(inputs) == 1 else ("y", "x") if first.kind == "Atan2" else ("x", "y")
    return getattr(tf.raw_ops, first.kind)(**dict(zip(names, inputs, strict=True)))


def moved(parameter: Parameter, places: Sequence[Place]) -> Parameter:
    """A parameter after its outputs were merged."""
    if parameter.output is None:
        return parameter
    output, position = places[parameter.output]
    positions = parameter.positions if position is None else (position,) * len(parameter.positions)
    return replace(parameter, output=output, positions=positions)


def moved_operation(operation: Operation, places: Sequence[Place]) -> Operation:
    """An operation after the outputs of its parameters were merged."""
    return replace(operation, parameters=tuple(moved(parameter, places) for parameter in operation.parameters))


def moved_preparation(preparation: Preparation | None, places: Sequence[Place]) -> Preparation | None:
    """A preparation after the outputs of its amplitudes were merged."""
    return preparation and replace(preparation, amplitudes=moved(preparation.amplitudes, places))


def moved_measurement(measurement: Measurement, places: Sequence[Place]) -> Measurement:
    """A measurement after the outputs of its coefficients were merged."""
    weights = measurement.weights
    return replace(measurement, weights=weights and moved(weights, places))
