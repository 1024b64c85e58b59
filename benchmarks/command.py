"""The command line of every question's script."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.contenders import CONTENDERS
from benchmarks.effort import FULL, QUICK, Effort
from benchmarks.environments import python_of
from benchmarks.machine import describe_machine
from benchmarks.question import Question
from benchmarks.race import Race, Results
from benchmarks.results import FOLDER, write_results
from benchmarks.task import Task


@dataclass(frozen=True)
class Run:
    """What the command line asks for.

    Args:
        question: what is measured.
        contenders: who takes part, ours first.
        tasks: the points.
        effort: how long to measure and to wait.
        minutes: nothing is begun after them.
        folder: for the file of results.
    """

    question: Question
    contenders: tuple[str, ...]
    tasks: tuple[Task, ...]
    effort: Effort
    minutes: float
    folder: Path


def ask(question: Question, arguments: Sequence[str] | None = None) -> Path:
    """Measure a question as the command line says, point by point, and write its results.

    The file is written after each point, so that an interrupted run leaves what it has.

    Args:
        question: what to measure.
        arguments: of the command line; None for those of this process.

    Returns:
        The file of results.
    """
    run = _run(question, _parser(question).parse_args(arguments))
    for name in run.contenders:
        python_of(CONTENDERS[name].environment)
    print(f"{question.title}: {len(run.tasks)} points, {len(run.contenders)} contestants", flush=True)
    measured: list[dict[str, Any]] = []
    with Race(run.contenders, run.effort, time.monotonic() + 60 * run.minutes) as race:
        path = write_results(question.name, _record(run, race, measured), run.folder)
        for i, task in enumerate(run.tasks, start=1):
            results = race.run(task, question.mode)
            measured.append({"task": task.to_json(), "results": results})
            path = write_results(question.name, _record(run, race, measured), run.folder)
            print(f"[{i}/{len(run.tasks)}] {task.question} {task.label}  {_line(question, results)}", flush=True)
    return path


def _run(question: Question, options: argparse.Namespace) -> Run:
    tasks = question.full if options.full else question.quick
    contenders = question.contenders if options.full else question.quick_contenders
    effort = FULL if options.full else QUICK
    return Run(
        question,
        tuple(options.only or contenders),
        tuple(task for task in tasks if task.wires <= options.wires),
        replace(effort, prepare_limit_s=question.prepare_limit_s or effort.prepare_limit_s),
        options.minutes or (math.inf if options.full else question.quick_minutes),
        options.results,
    )


def _parser(question: Question) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=question.title)
    parser.add_argument("--full", action="store_true", help="all points, and more rounds; hours instead of minutes")
    parser.add_argument("--only", nargs="+", choices=question.contenders, help="these contestants only, ours first")
    parser.add_argument("--wires", type=int, default=math.inf, metavar="N", help="circuits of up to N wires only")
    parser.add_argument("--minutes", type=float, help="begin nothing after so many minutes")
    parser.add_argument("--results", type=Path, default=FOLDER, help="folder for the file of results")
    return parser


def _record(run: Run, race: Race, measured: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "question": run.question.name,
        "machine": describe_machine(),
        "effort": run.effort.name,
        "versions": race.versions,
        "points": measured,
    }


def _line(question: Question, results: Results) -> str:
    reasons = {result.get("skipped") for result in results.values()}
    if len(reasons) == 1 and None not in reasons:
        return f"- ({reasons.pop()})"
    return "  ".join(f"{name} {_short(result, question.value)}" for name, result in results.items())


def _short(result: dict[str, Any], value: str) -> str:
    return f"{result[value]:.4g}" if value in result else f"- ({result.get('skipped', 'nothing')[:60]})"
