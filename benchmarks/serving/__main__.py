"""How fast does our server answer, next to Triton, MLServer, BentoML, LitServe, Ray Serve and FastAPI by hand?

python -m benchmarks.serving [--full] [--only NAME ...] [--parts race overload scaling]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.environments import python_of, variables
from benchmarks.machine import describe_machine
from benchmarks.results import FOLDER, write_results
from benchmarks.serving.contenders import SERVERS, Server
from benchmarks.serving.overload import TIMES, overload
from benchmarks.serving.race import FULL, QUICK, Pace, race
from benchmarks.serving.scaling import scaling
from benchmarks.serving.scenarios import QUICK_SCENARIOS, SCENARIOS
from benchmarks.serving.wrk import MISSING, has_wrk

_PARTS = ("race", "overload", "scaling")
_OVERLOAD_TIMES = 3  # the seconds of a load of the race: an open loop has to settle
_SCALING_ROUNDS = 2
_VERSIONS = """
import importlib.metadata, json, platform, sys
print(json.dumps({"python": platform.python_version()} | {p: importlib.metadata.version(p) for p in sys.argv[1:]}))
"""


def measure(arguments: Sequence[str] | None = None) -> Path:
    """Measure as the command line says, and write the results.

    Parts that are not asked for keep what an earlier run found.

    Args:
        arguments: of the command line; None for those of this process.

    Returns:
        The file of results.
    """
    options = _parser().parse_args(arguments)
    if not has_wrk():
        sys.exit(MISSING)
    pace = _pace(options)
    run = {**_earlier(options.results), "question": "serving", "machine": describe_machine(), "effort": pace.name}
    for part in options.parts:
        run |= _MEASURES[part](options, pace)
        path = write_results("serving", run, options.results)
    return path


def _race(options: argparse.Namespace, pace: Pace) -> dict[str, Any]:
    servers = {name: SERVERS[name] for name in options.only}
    versions = {name: _versions(server) for name, server in servers.items()}
    chosen = SCENARIOS if options.full else QUICK_SCENARIOS
    scenarios = [scenario for scenario in chosen if scenario.model in options.models]
    return {"versions": versions, "points": race(list(servers), scenarios, pace)}


def _overload(_options: argparse.Namespace, pace: Pace) -> dict[str, Any]:
    return {"overload": {"times": TIMES, **overload(_OVERLOAD_TIMES * pace.seconds)}}


def _scaling(_options: argparse.Namespace, pace: Pace) -> dict[str, Any]:
    return {"scaling": scaling(pace.seconds, _SCALING_ROUNDS)}


_MEASURES = {"race": _race, "overload": _overload, "scaling": _scaling}


def _versions(server: Server) -> dict[str, str]:
    command = [str(python_of(server.environment)), "-c", _VERSIONS, *server.packages]
    done = subprocess.run(command, env=variables(), capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def _pace(options: argparse.Namespace) -> Pace:
    pace = FULL if options.full else QUICK
    return replace(pace, rounds=options.rounds or pace.rounds, seconds=options.seconds or pace.seconds)


def _earlier(folder: Path) -> dict[str, Any]:
    path = folder / "serving.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {"versions": {}, "points": []}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description="The serving benchmark.")
    models = sorted({scenario.model for scenario in SCENARIOS})
    parser.add_argument("--full", action="store_true", help="more and longer rounds; hours instead of minutes")
    parser.add_argument("--only", nargs="+", choices=SERVERS, default=list(SERVERS), help="these servers only")
    parser.add_argument("--models", nargs="+", choices=models, default=models, help="these models only")
    parser.add_argument("--parts", nargs="+", choices=_PARTS, default=_PARTS, help="these parts only")
    parser.add_argument("--rounds", type=int, help="turns of each server")
    parser.add_argument("--seconds", type=int, help="of each load")
    parser.add_argument("--results", type=Path, default=FOLDER, help="folder for the file of results")
    return parser


if __name__ == "__main__":
    print(measure())
