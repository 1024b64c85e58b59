"""The servers in turns: each is started, compared with TensorFlow, asked, and ended; then the next; then all again."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from http.client import HTTPException
from statistics import median
from typing import Any

from benchmarks.serving.agreement import DisagreementError, check
from benchmarks.serving.contenders import SERVERS, Server
from benchmarks.serving.models import reference
from benchmarks.serving.process import Running, ServerError, free_port
from benchmarks.serving.scenarios import Scenario
from benchmarks.serving.served import Served
from benchmarks.serving.wrk import Load, WrkError, run_wrk

Measured = dict[str, Any]  # medians over the rounds, and each round; or {"skipped": why}
_WARM_UP_S = 1
_PAUSE_S = 0.5


@dataclass(frozen=True)
class Pace:
    """How long everything takes.

    Args:
        name: "quick" or "full"; it stands in the results.
        rounds: turns of each server.
        seconds: of load for each scenario in a turn, behind a second that does not count.
        minutes: no turn is begun after them, so that a slow machine has fewer turns.
    """

    name: str
    rounds: int
    seconds: int
    minutes: float


QUICK = Pace("quick", rounds=3, seconds=3, minutes=23)
FULL = Pace("full", rounds=5, seconds=10, minutes=math.inf)


@dataclass
class Turns:
    """What was seen of one server in one scenario: its state grows by a load a round, or ends with a reason."""

    loads: list[Load] = field(default_factory=list)
    reason: str = ""

    @property
    def last(self) -> str:
        """The newest load, for a line."""
        return f"{self.loads[-1].answers_per_s:.0f} answers/s" if self.loads else f"- ({self.reason[:100]})"

    def result(self, rows: int) -> Measured:
        """Medians over the rounds."""
        if self.reason or not self.loads:
            return {"skipped": self.reason or "not measured"}
        numbers = {name: median(getattr(load, name) for load in self.loads) for name in _MEDIANS}
        failed = sum(load.failed for load in self.loads)
        numbers["rows_per_s"] = numbers["answers_per_s"] * rows
        return {**numbers, "failed": failed, "rounds": [asdict(load) for load in self.loads]}


_MEDIANS = ("answers_per_s", "refusals_per_s", "p50_ms", "p99_ms")


def race(names: Sequence[str], scenarios: Sequence[Scenario], pace: Pace) -> list[dict[str, Any]]:
    """Measure servers in scenarios.

    Args:
        names: rows of `contenders.SERVERS`.
        scenarios: those of a model are measured while it is served.
        pace: how long.

    Returns:
        A point for each scenario: {"scenario": ..., "results": {name: Measured}}.
    """
    turns = {(name, scenario): Turns() for name in names for scenario in scenarios}
    models = dict.fromkeys(scenario.model for scenario in scenarios)
    deadline_s = time.monotonic() + 60 * pace.minutes
    for turn, model, name in itertools.product(range(pace.rounds), models, names):
        mine = {s: turns[name, s] for s in scenarios if s.model == model and not turns[name, s].reason}
        if time.monotonic() < deadline_s:
            _take_turn(SERVERS[name], model, mine, pace.seconds)
            print(f"[{turn + 1}/{pace.rounds}] {model} {name}: {_line(mine)}", flush=True)
    return [_point(scenario, {name: turns[name, scenario] for name in names}) for scenario in scenarios]


def _point(scenario: Scenario, turns: dict[str, Turns]) -> dict[str, Any]:
    return {
        "scenario": scenario.to_json(),
        "results": {name: of_server.result(scenario.rows) for name, of_server in turns.items()},
    }


def _take_turn(server: Server, model: str, turns: dict[Scenario, Turns], seconds: int) -> None:
    """Start a server and measure it in all its scenarios; a failure becomes the reason of those it concerns."""
    for scenario, of_scenario in turns.items():
        if scenario.encoding not in server.protocols:
            of_scenario.reason = f"it does not speak {scenario.encoding} over HTTP"
    asked = {scenario: of_scenario for scenario, of_scenario in turns.items() if not of_scenario.reason}
    if not asked:
        return
    known, port = reference(model), free_port()
    try:
        with Running(server.name, server.argv(known.folder, port), port, server.ready) as running:
            served = Served(server, running, model, known)
            for scenario, of_scenario in asked.items():
                _measure(served, scenario, of_scenario, seconds)
    except ServerError as error:
        _give_up(asked.values(), str(error))


def _measure(served: Served, scenario: Scenario, turns: Turns, seconds: int) -> None:
    try:
        if not turns.loads:
            check(served, scenario)
        turns.loads.append(load(served, scenario, seconds))
    except (DisagreementError, WrkError, OSError, HTTPException) as error:
        _give_up([turns], str(error) or repr(error))


def load(served: Served, scenario: Scenario, seconds: int) -> Load:
    """Ask a server, behind a second that does not count."""
    requests = [served.request(scenario.encoding, piece) for piece in scenario.pieces(served.known.rows)]
    url = f"http://127.0.0.1:{served.running.port}{served.path(scenario.encoding)}"
    run_wrk(url, requests, scenario.connections, _WARM_UP_S)
    time.sleep(_PAUSE_S)  # the server may still compute what nobody waits for any more
    return run_wrk(url, requests, scenario.connections, seconds)


def _give_up(turns: Iterable[Turns], reason: str) -> None:
    for of_scenario in turns:
        of_scenario.reason = reason


def _line(turns: dict[Scenario, Turns]) -> str:
    return "  ".join(of_scenario.last for of_scenario in turns.values())
