"""What more processes of our server bring on this machine's cores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks.serving.contenders import US
from benchmarks.serving.models import reference
from benchmarks.serving.process import Running, ServerError, free_port
from benchmarks.serving.race import Turns, load
from benchmarks.serving.scenarios import Scenario
from benchmarks.serving.served import Served


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
        A point for each load: {"scenario": ..., "results": {setup: as in `race.race`}}.
    """
    return [_point(scenario, seconds, rounds) for scenario in LOADS]


def _point(scenario: Scenario, seconds: int, rounds: int) -> dict[str, Any]:
    turns = {setup: Turns() for setup in SETUPS}
    for _ in range(rounds):
        for setup, of_setup in turns.items():
            if not of_setup.reason:
                _take_turn(setup, scenario, of_setup, seconds)
                print(f"{scenario.label}, {setup.name}: {of_setup.last}", flush=True)
    results = {setup.name: of_setup.result(scenario.rows) for setup, of_setup in turns.items()}
    return {"scenario": scenario.to_json(), "results": results}


def _take_turn(setup: Setup, scenario: Scenario, turns: Turns, seconds: int) -> None:
    known, port = reference(scenario.model), free_port()
    argv = [*US.argv(known.folder, port), *setup.flags]
    try:
        with Running("scaling", argv, port, US.ready) as running:
            turns.loads.append(load(Served(US, running, scenario.model, known), scenario, seconds))
    except ServerError as error:
        turns.reason = str(error)
