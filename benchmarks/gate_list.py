"""The circuits as lists of gates, for simulators that do not read PennyLane."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

from benchmarks.kinds import weights_shape
from benchmarks.task import Task

IQP_REPEATS = 2


@dataclass(frozen=True)
class Angle:
    """Where the angle of a gate comes from.

    Args:
        weight: position in the flattened weights; None for an angle of the inputs.
        features: positions of the features whose product the angle is; empty for a weight.
    """

    weight: int | None = None
    features: tuple[int, ...] = ()


@dataclass(frozen=True)
class Gate:
    """A gate of the few that the circuits are made of: "h", "rx", "ry", "rz", "rzz" and "cnot"."""

    name: str
    wires: tuple[int, ...]
    angle: Angle | None = None


def gates(task: Task) -> list[Gate]:
    """The circuit gate by gate, behind the amplitude embedding in the case of (c)."""
    return list(_CIRCUITS[task.circuit](task))


def _angle_embedding(wires: int) -> Iterator[Gate]:
    yield from (Gate("rx", (wire,), Angle(features=(wire,))) for wire in range(wires))


def _iqp_embedding(wires: int) -> Iterator[Gate]:
    for _ in range(IQP_REPEATS):
        yield from (Gate("h", (wire,)) for wire in range(wires))
        yield from (Gate("rz", (wire,), Angle(features=(wire,))) for wire in range(wires))
        yield from (Gate("rzz", pair, Angle(features=pair)) for pair in combinations(range(wires), 2))


def _rotation(wire: int, weight: int) -> Iterator[Gate]:
    yield from (Gate(name, (wire,), Angle(weight + i)) for i, name in enumerate(("rz", "ry", "rz")))


def _strongly_entangling_layer(wires: int, weight: int, reach: int) -> Iterator[Gate]:
    for wire in range(wires):
        yield from _rotation(wire, weight + 3 * wire)
    yield from (Gate("cnot", (wire, (wire + reach) % wires)) for wire in range(wires))


def _basic_entangler_layer(wires: int, weight: int) -> Iterator[Gate]:
    yield from (Gate("rx", (wire,), Angle(weight + wire)) for wire in range(wires))
    ring = range(wires if wires > 2 else 1)  # noqa: PLR2004 - on two wires the ring is one CNOT, as in PennyLane
    yield from (Gate("cnot", (wire, (wire + 1) % wires)) for wire in ring)


def _first_weights(task: Task) -> range:
    """Where the weights of each layer start in the flattened weights."""
    layers, *rest = weights_shape(task)
    return range(0, layers * math.prod(rest), math.prod(rest))


def _strongly_entangling(task: Task) -> Iterator[Gate]:
    yield from _angle_embedding(task.wires)
    for layer, weight in enumerate(_first_weights(task)):
        yield from _strongly_entangling_layer(task.wires, weight, layer % (task.wires - 1) + 1)


def _re_uploading(task: Task) -> Iterator[Gate]:
    for weight in _first_weights(task):
        yield from _angle_embedding(task.wires)
        yield from _strongly_entangling_layer(task.wires, weight, 1)


def _basic_entangler(task: Task) -> Iterator[Gate]:
    for weight in _first_weights(task):
        yield from _basic_entangler_layer(task.wires, weight)


def _iqp(task: Task) -> Iterator[Gate]:
    yield from _iqp_embedding(task.wires)
    yield from _basic_entangler(task)


_CIRCUITS: dict[str, Callable[[Task], Iterator[Gate]]] = {
    "a": _strongly_entangling,
    "b": _re_uploading,
    "c": _basic_entangler,
    "d": _iqp,
}
