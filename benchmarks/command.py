"""The command line of every question's script."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from dataclasses import replace
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


def ask(question: Question, arguments: Sequence[str] | None = None) -> Path:
    """Measure a question as the command line says, and write its results.

    Args:
        question: what to measure.
        arguments: of the command line; None for those of this process.

    Returns:
        The file of results.
    """
    options = _parser(question).parse_args(arguments)
    contenders, tasks, effort, minutes = _chosen(question, options)
    for name in contenders:
        python_of(CONTENDERS[name].environment)
    deadline_s = time.monotonic() + 60 * (options.minutes or minutes)
    return _run(question, contenders, tasks, effort, deadline_s, options.results)


def _chosen(
    question: Question, options: argparse.Namespace
) -> tuple[tuple[str, ...], tuple[Task, ...], Effort, float]:
    """Contestants, points, effort and minutes."""
    tasks = question.full if options.full else question.quick
    contenders = question.contenders if options.full else question.quick_contenders
    effort = FULL if options.full else QUICK
    if question.prepare_limit_s:
        effort = replace(effort, prepare_limit_s=question.prepare_limit_s)
    fitting = tuple(task for task in tasks if task.wires <= options.wires)
    return tuple(options.only or contenders), fitting, effort, math.inf if options.full else question.quick_minutes


def _parser(question: Question) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=question.title)
    parser.add_argument("--full", action="store_true", help="all points, and more rounds; hours instead of minutes")
    parser.add_argument("--only", nargs="+", choices=question.contenders, help="these contestants only, ours first")
    parser.add_argument("--wires", type=int, default=math.inf, metavar="N", help="circuits of up to N wires only")
    parser.add_argument("--minutes", type=float, help="begin nothing after so many minutes")
    parser.add_argument("--results", type=Path, default=FOLDER, help="folder for the file of results")
    return parser


def _run(
    question: Question, contenders: Sequence[str], tasks: Sequence[Task], effort: Effort, deadline_s: float, folder: Path
) -> Path:
    """Measure point by point. The file is written after each, so that an interrupted run leaves what it has."""
    print(f"{question.title}: {len(tasks)} points, {len(contenders)} contestants", flush=True)
    measured: list[dict[str, Any]] = []
    with Race(contenders, effort, deadline_s) as race:
        for i, task in enumerate(tasks, start=1):
            results = race.run(task, question.mode)
            measured.append({"task": task.to_json(), "results": results})
            path = write_results(question.name, _record(question, effort, race, measured), folder)
            print(f"[{i}/{len(tasks)}] {task.question} {task.label}  {_line(question, results)}", flush=True)
    return path


def _record(question: Question, effort: Effort, race: Race, measured: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "question": question.name,
        "machine": describe_machine(),
        "effort": effort.name,
        "versions": race.versions,
        "points": measured,
    }


def _line(question: Question, results: Results) -> str:
    return "  ".join(f"{name} {_short(result, question.value)}" for name, result in results.items())


def _short(result: dict[str, Any], value: str) -> str:
    return f"{result[value]:.4g}" if value in result else f"- ({result.get('skipped', 'nothing')[:60]})"
