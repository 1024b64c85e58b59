"""What the servers are asked: a table."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Scenario:
    """One kind of load.

    Args:
        model: a row of `models.MODELS`.
        connections: kept open, each with one request at a time.
        rows: of each request.
        encoding: "json" or "binary".
    """

    model: str
    connections: int
    rows: int
    encoding: str

    @property
    def label(self) -> str:
        """For a line."""
        asked = "1 row" if self.rows == 1 else f"{self.rows:,} rows"
        kept = "1 connection" if self.connections == 1 else f"{self.connections} connections"
        return f"{self.model}, {kept}, {asked}, {self.encoding}"

    def to_json(self) -> dict[str, Any]:
        """As JSON data."""
        return asdict(self)

    def pieces(self, rows: np.ndarray) -> list[np.ndarray]:
        """The rows of each request of a cycle: all of them, but at most `_CYCLE` requests."""
        count = min(_CYCLE, len(rows) // self.rows)
        return np.split(rows[: count * self.rows], count)


_CYCLE = 512
_BATCH = 1024
_BATCH_CONNECTIONS = 4  # the next batch is there when one is answered, and none waits long
_CONNECTIONS = (1, 16, 64)

SCENARIOS = tuple(
    scenario
    for model in ("q4", "q10")
    for scenario in (
        *(Scenario(model, connections, 1, "json") for connections in _CONNECTIONS),
        *(Scenario(model, _BATCH_CONNECTIONS, _BATCH, encoding) for encoding in ("json", "binary")),
    )
)
QUICK_SCENARIOS = tuple(s for s in SCENARIOS if s.model == "q4" or s.connections not in _CONNECTIONS[:2])
