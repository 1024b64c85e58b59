"""AngleSources: what is known of a circuit's angles, for whatever shows them: numbers, or the arguments they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod

from qlayer.circuits.circuit import Circuit, Parameter


@dataclass(frozen=True)
class AngleSources:
    """Where each angle of a circuit comes from.

    Args:
        circuit: the circuit.
        names: for each output of the angle graph, the argument it is; None for one that is calculated.
        values: from the outputs of the angle graph that are known to their elements, flattened in C order.
    """

    circuit: Circuit
    names: Sequence[str | None]
    values: Mapping[int, Sequence[float]] = field(default_factory=dict)

    def number(self, parameter: Parameter) -> float | None:
        """The value of an angle; None where it depends on what is not known."""
        if parameter.output is None:
            return float(parameter.values[0].real)
        known = self.values.get(parameter.output)
        return None if known is None else float(known[parameter.positions[0]])

    def element(self, parameter: Parameter) -> str | None:
        """The element of an argument that an angle is, such as `inputs[0, 1]`; None for one that is calculated."""
        assert parameter.output is not None, "a constant comes from no argument: this is a bug"
        name, shape = self.names[parameter.output], self.circuit.angle_outputs[parameter.output].shape
        if name is None or not shape:
            return name
        return f"{name}[{', '.join(map(str, _index(parameter.positions[0], shape)))}]"

    def text(self, parameter: Parameter) -> str:
        """What an angle that is not known is called: the element of an argument, or θ with a number."""
        return self.element(parameter) or f"θ{self._calculated.index(_place(parameter)) + 1}"

    @cached_property
    def _calculated(self) -> list[tuple[int | None, int]]:
        """The different elements that angles are calculated as, in the order of their first use."""
        parameters = [parameter for operation in self.circuit.operations for parameter in operation.parameters]
        angles = [parameter for parameter in parameters if not parameter.shape and self.number(parameter) is None]
        return list(dict.fromkeys(_place(angle) for angle in angles if self.element(angle) is None))


def _place(parameter: Parameter) -> tuple[int | None, int]:
    return parameter.output, parameter.positions[0]


def _index(position: int, shape: tuple[int, ...]) -> list[int]:
    """Where an element of a flattened array lies in it."""
    return [position // prod(shape[axis + 1 :]) % size for axis, size in enumerate(shape)]
