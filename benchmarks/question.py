"""A question: what is measured, of whom and where. Each script of this folder holds one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from benchmarks.kinds import KINDS
from benchmarks.task import Task

ALL_WIRES = (2, 4, 6, 8, 10, 12, 16, 20)
ALL_BATCHES = (1, 32, 1024)
STATES_BYTES_MAX = 2**34  # 16 GiB of complex64 for a batch: more than any rival could hold


@dataclass(frozen=True)
class Question:
    """What a script measures.

    Args:
        name: of its files of results, and of its script.
        title: for people.
        contenders: names of `contenders.CONTENDERS`, ours first.
        full: the points of `make bench-full`.
        quick: those of `make bench`,
        quick_contenders: and who takes part in it.
        quick_minutes: how long `make bench` may take for them; what is not reached by then is left out.
        mode: how a point is measured: a row of `race.MODES`.
        value: which of the results is compared: "median_s", "first_call_s" or "peak_bytes".
        unit: of tables and plots: a row of `units.UNITS`.
        comparison: the last column of the table: a row of `tables.COMPARISONS`.
        axis: of the plot: "wires", "layers" or "batch"; None for bars.
        prepare_limit_s: replaces that of the effort, where a single call is long; None for that.
    """

    name: str
    title: str
    contenders: tuple[str, ...]
    full: tuple[Task, ...]
    quick: tuple[Task, ...]
    quick_contenders: tuple[str, ...]
    quick_minutes: float
    mode: str = "calls"
    value: str = "median_s"
    unit: str = "ms"
    comparison: str = "rivals"
    axis: str | None = "wires"
    prepare_limit_s: float | None = None


def points(
    question: str, circuits: Iterable[str], sizes: Iterable[tuple[int, int]], layers: int | None = None
) -> tuple[Task, ...]:
    """The points of a question, circuit by circuit.

    Args:
        question: of the tasks.
        circuits: names of `kinds.KINDS`.
        sizes: pairs of wires and batch.
        layers: None for as many as the circuit usually has.
    """
    pairs = product(circuits, sizes)
    return tuple(Task(question, c, wires, layers or KINDS[c].layers, batch) for c, (wires, batch) in pairs)


def usual_points(question: str) -> tuple[Task, ...]:
    """Those of a question that takes much of `make bench`: each circuit at a few sizes."""
    return (
        *points(question, "a", [(8, 32), (10, 1024), (12, 32)]),
        *points(question, "bcd", [(8, 32), (10, 1024)]),
    )


def every_size(wires: Iterable[int] = ALL_WIRES, batches: Iterable[int] = ALL_BATCHES) -> tuple[tuple[int, int], ...]:
    """All pairs of wires and batch whose states fit into STATES_BYTES_MAX."""
    return tuple((n, batch) for n, batch in product(wires, batches) if 8 * batch * 2**n <= STATES_BYTES_MAX)
