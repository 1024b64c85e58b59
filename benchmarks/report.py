"""Tables and plots from the files of results, without measuring anything.

python -m benchmarks.report [QUESTION ...]
"""

from __future__ import annotations

import argparse
import importlib
import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.environments import ROOT
from benchmarks.plots import draw
from benchmarks.question import Question
from benchmarks.results import FOLDER, read_results
from benchmarks.serving import page as serving_page
from benchmarks.serving import plot as serving_plot
from benchmarks.tables import page

PAGES = ROOT / "docs" / "benchmarks"
SCRIPTS = (  # in the order of the pages and of `make bench`
    "exported",
    "limit",
    "training",
    "gradient",
    "first_call",
    "saving",
    "moons",
    "memory",
    "scaling_wires",
    "scaling_depth",
    "scaling_batch",
)
SERVING = "serving"  # of `make bench-serving`


def question_of(script: str) -> tuple[Question, str]:
    """The question of a script, and what its docstring says."""
    module = importlib.import_module(f"benchmarks.{script}")
    return module.QUESTION, module.__doc__ or ""


def report(scripts: Sequence[str] = (*SCRIPTS, SERVING), results: Path = FOLDER, pages: Path = PAGES) -> list[Path]:
    """Write a page and a figure for each question that has results, and the list of the pages.

    Args:
        scripts: of which questions.
        results: folder of the files of results.
        pages: folder of what is written.

    Returns:
        The pages.
    """
    pages.mkdir(parents=True, exist_ok=True)
    written = [path for script in scripts if (path := _report_one(script, results, pages))]
    titles = {**{script: question_of(script)[0].title for script in SCRIPTS}, SERVING: serving_page.TITLE}
    lines = [f"- [{title}]({script}.md)" for script, title in titles.items() if (pages / f"{script}.md").exists()]
    text = "\n".join(["# Benchmarks", "", "How they are made: [benchmarks](../../benchmarks/README.md).", "", *lines])
    (pages / "README.md").write_text(text + "\n", encoding="utf-8")
    return written


def _report_one(script: str, results: Path, pages: Path) -> Path | None:
    if script == SERVING:
        return _report_serving(results, pages)
    question, docstring = question_of(script)
    run = read_results(question.name, results)
    if run is None:
        return None
    draw(question, run, pages)
    path = pages / f"{question.name}.md"
    path.write_text(page(question, run, docstring), encoding="utf-8")
    return path


def _report_serving(results: Path, pages: Path) -> Path | None:
    """The page of the servers, which are not asked about circuits and have tables of their own."""
    source = results / f"{SERVING}.json"
    if not source.exists():
        return None
    run = json.loads(source.read_text(encoding="utf-8"))
    serving_plot.draw(run, pages)
    path = pages / f"{SERVING}.md"
    path.write_text(serving_page.page(run), encoding="utf-8")
    return path


def _main() -> None:
    parser = argparse.ArgumentParser(description="Tables and plots from the files of results.")
    parser.add_argument(
        "questions", nargs="*", default=(*SCRIPTS, SERVING), metavar="QUESTION", help=", ".join((*SCRIPTS, SERVING))
    )
    for path in report(parser.parse_args().questions):
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    _main()
