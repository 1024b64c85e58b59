"""What more processes of our server bring on this machine's cores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.serving.contenders import US
from benchmarks.serving.models import reference
from benchmarks.serving.process import Running, ServerError, free_port
from benchmarks.serving.race import load
from benchmarks.serving.scenarios import Scenario


@dataclass(frozen=True)
class Setup:
    """A server with more processes.

    Args:
        name: for tables.
        flags: of the command line.
    """

    name: str
    flags: tuple[str, ...]


SETUPS = (
    Setup("one front, one instance", ()),
    Setup("two instances", ("--instances", "2")),
    Setup("two fronts", ("--fronts", "2")),
    Setup("two fronts, two instances", ("--fronts", "2", "--instances", "2")),
)
LOADS = (Scenario("q14", 64, 1, "json"), Scenario("q4", 64, 1, "json"))  # the model is the limit, and the front is


def scaling(seconds: int, rounds: int) -> list[dict[str, Any]]:
    """Measure every setup under every load, in turns.

    Args:
        seconds: of a load.
        rounds: turns of each setup.

    Returns:
        [{"scenario": ..., "results": {setup: {"rounds": [...]} or {"skipped": why}}}].
    """
    return [
        {"scenario": scenario.to_json(), "results": _results(scenario, seconds, rounds)} for scenario in LOADS
    ]


def _results(scenario: Scenario, seconds: int, rounds: int) -> dict[str, dict[str, Any]]:
    results: dict[str, dict[str, Any]] = {setup.name: {"rounds": []} for setup in SETUPS}
    for _ in range(rounds):
        for setup in SETUPS:
            result = results[setup.name]
            if "skipped" in result:
                continue
            try:
                result["rounds"].append(_turn(scenario, setup.flags, seconds))
            except ServerError as error:
                results[setup.name] = {"skipped": str(error)}
            print(f"{scenario.label}, {setup.name}: {_short(results[setup.name])}", flush=True)
    return results


def _turn(scenario: Scenario, flags: Sequence[str], seconds: int) -> dict[str, Any]:
    known, port = reference(scenario.model), free_port()
    with Running("scaling", [*US.argv(known.folder, port), *flags], port, US.ready) as running:
        return asdict(load(US, running, scenario, known, seconds))


def _short(result: dict[str, Any]) -> str:
    return f"{result['rounds'][-1]['answers_per_s']:.0f} answers/s" if "rounds" in result else result["skipped"][:100]
