"""What we set out to reach: a table, from a run's results to what was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.serving.contenders import RIVALS, US

Run = Mapping[str, Any]
Found = tuple[float, str] | None  # a number, and whom it is about; None if it was not measured


@dataclass(frozen=True)
class Target:
    """A number that is to be reached.

    Args:
        wanted: in words.
        find: the number, from a run.
        least: it has to be at least this,
        most: or at most this.
    """

    wanted: str
    find: Callable[[Run], Found]
    least: float | None = None
    most: float | None = None

    def holds(self, number: float) -> bool:
        """Whether a number reaches it."""
        return (self.least is None or number >= self.least) and (self.most is None or number <= self.most)


def _results(run: Run, **wanted: Any) -> Mapping[str, Mapping[str, Any]]:
    """Of the scenario that has these values; empty if it was not measured."""
    for point in run.get("points", []):
        if all(point["scenario"][name] == value for name, value in wanted.items()):
            return dict(point["results"])
    return {}


def _against(value: str, rivals: Sequence[str], **scenario: Any) -> Callable[[Run], Found]:
    """Our value divided by the largest one of some rivals."""

    def find(run: Run) -> Found:
        results = _results(run, **scenario)
        known = {name: results[name][value] for name in rivals if value in results.get(name, {})}
        if not known or value not in results.get(US.name, {}):
            return None
        best = max(known, key=lambda name: known[name])
        return results[US.name][value] / known[best], best

    return find


def _binary_against_json(model: str) -> Callable[[Run], Found]:
    def find(run: Run) -> Found:
        binary, text = (
            _results(run, model=model, rows=1024, encoding=encoding).get(US.name, {}).get("rows_per_s", 0.0)
            for encoding in ("binary", "json")
        )
        return (binary / text, US.name) if binary and text else None

    return find


def _of_overload(value: str, by: str | None = None) -> Callable[[Run], Found]:
    """A number of the overload, perhaps divided by another one."""

    def find(run: Run) -> Found:
        seen = run.get("overload") or {}
        if seen.get(value) is None or (by and not seen.get(by)):
            return None
        return (seen[value] / seen[by] if by else seen[value]), US.name

    return find


def _of_batches(model: str) -> list[Target]:
    by_encoding = [
        Target(
            f"{model}, batches of 1,024 rows, {encoding}: rows a second, of the best rival's",
            _against("rows_per_s", RIVALS, model=model, rows=1024, encoding=encoding),
            least=1,
        )
        for encoding in ("json", "binary")
    ]
    return [
        *by_encoding,
        Target(f"{model}, batches of 1,024 rows: binary, of JSON", _binary_against_json(model), least=3),
    ]


_ONE_ROW = {"rows": 1, "encoding": "json", "model": "q4"}

TARGETS = (
    Target(
        "64 connections: requests a second, of Triton's",
        _against("answers_per_s", ["triton"], connections=64, **_ONE_ROW),
        least=3,
    ),
    Target("64 connections: p99, of Triton's", _against("p99_ms", ["triton"], connections=64, **_ONE_ROW), most=1),
    Target(
        "16 connections: requests a second, of the best rival's",
        _against("answers_per_s", RIVALS, connections=16, **_ONE_ROW),
        least=3,
    ),
    Target(
        "1 connection: requests a second, of FastAPI's by hand",
        _against("answers_per_s", ["fastapi"], connections=1, **_ONE_ROW),
        least=0.9,
    ),
    *(target for model in ("q4", "q10") for target in _of_batches(model)),
    Target(
        "overload: the front's refusals a second, of the capacity",
        _of_overload("refusal_rate_per_s", "capacity_per_s"),
        least=10,
    ),
    Target("overload: goodput, of the capacity", _of_overload("goodput_per_s", "capacity_per_s"), least=0.9),
    Target("overload: median of a refusal in ms", _of_overload("refusal_p50_ms"), most=5),
    Target(
        "overload: p99 of the accepted, of the time a full queue takes (a quarter for the scatter of a call's time)",
        _of_overload("accepted_p99_ms", "bound_ms"),
        most=1.25,
    ),
)
