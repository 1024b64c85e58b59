"""The file of results of a question."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.environments import ROOT
from benchmarks.task import Task

FOLDER = ROOT / "benchmarks" / "results"


def write_results(name: str, run: Mapping[str, Any], folder: Path = FOLDER) -> Path:
    """Write what a run measured.

    Args:
        name: of the question.
        run: {"question", "machine", "effort", "versions", "points": [{"task": ..., "results": ...}]}.
        folder: of all results.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(run, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def read_results(name: str, folder: Path = FOLDER) -> dict[str, Any] | None:
    """What `write_results` wrote, with tasks; None if the question was not asked yet."""
    path = folder / f"{name}.json"
    if not path.exists():
        return None
    run: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for point in run["points"]:
        point["task"] = Task.from_json(point["task"])
    return run
