"""What is measured at one place of a table: a question about a circuit, its size and its batch."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Self


@dataclass(frozen=True, order=True)
class Task:
    """A question about one circuit.

    Args:
        question: what one call does: "exported", "training", "gradient", "save", "export", "load", "moons", ...
        circuit: a row of `kinds.KINDS`: "a" to "d".
        wires: number of wires.
        layers: number of layers of weights.
        batch: samples in one call.
    """

    question: str
    circuit: str
    wires: int
    layers: int
    batch: int

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The task that `to_json` described."""
        return cls(**data)

    def to_json(self) -> dict[str, Any]:
        """The task as JSON data."""
        return asdict(self)

    def asking(self, question: str) -> Task:
        """Another question about the same circuit."""
        return replace(self, question=question)

    @property
    def label(self) -> str:
        """The task for people, without its question."""
        return f"({self.circuit}) n={self.wires} layers={self.layers} batch={self.batch}"
