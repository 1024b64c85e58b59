"""The results of a question as a Markdown page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from benchmarks.contenders import RIVALS, US
from benchmarks.kinds import KINDS
from benchmarks.question import Question
from benchmarks.summary import best_rival, geometric_mean, ratio
from benchmarks.task import Task
from benchmarks.units import UNITS

Results = Mapping[str, Mapping[str, Any]]


def page(question: Question, run: Mapping[str, Any], docstring: str) -> str:
    """The page of a question.

    Args:
        question: what was measured.
        run: of `results.read_results`.
        docstring: what the script says about it.
    """
    data = f"../../benchmarks/results/{question.name}.json"
    parts = [
        f"# {question.title}",
        docstring.strip(),
        f"{_machine(run)} Medians in {UNITS[question.unit].label}; [all data]({data}).",
        f"![{question.title}]({question.name}.svg)",
        table(question, run),
        _summary(question, run),
        _circuits(run),
        _left_out(run),
        _versions(run),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def table(question: Question, run: Mapping[str, Any]) -> str:
    """Rows are points, columns are contestants, the last one compares."""
    names = [name for name in question.contenders if name in run["versions"]]
    header, compare = COMPARISONS[question.comparison]
    rows = [
        [*_place(point["task"]), *(_cell(question, point["results"], name) for name in names), compare(question, point)]
        for point in run["points"]
    ]
    return _markdown(["", "circuit", "wires", "layers", "batch", *names, header], rows)


def _markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _place(task: Task) -> list[str]:
    return [task.question, task.circuit, *(f"{number:,}" for number in (task.wires, task.layers, task.batch))]


def _cell(question: Question, results: Results, name: str) -> str:
    value = results.get(name, {}).get(question.value)
    return "-" if value is None else UNITS[question.unit].show(value)


def _against_rivals(question: Question, point: Mapping[str, Any]) -> str:
    times = ratio(point["results"], US.name, RIVALS, question.value)
    return "-" if times is None else f"{times:.2f} ({best_rival(point['results'], RIVALS, question.value)})"


def _share_of_limit(question: Question, point: Mapping[str, Any]) -> str:
    share = limit_share(point["results"], question.value)
    return "-" if share is None else f"{share:.0%}"


def limit_share(results: Results, value: str) -> float | None:
    """The time of the unavoidable work as a share of ours; None if not all of it was measured."""
    names = ("products", "passes", US.name)
    if any(value not in results.get(name, {}) for name in names):
        return None
    products, passes, ours = (results[name][value] for name in names)
    return float((products + passes) / ours)


COMPARISONS: dict[str, tuple[str, Callable[[Question, Mapping[str, Any]], str]]] = {
    "rivals": ("best rival / ours", _against_rivals),
    "limit": ("of the limit", _share_of_limit),
}


def _machine(run: Mapping[str, Any]) -> str:
    machine = run["machine"]
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}, "
        f"{machine['date']}, a {run['effort']} run."
    )


def _summary(question: Question, run: Mapping[str, Any]) -> str:
    """Geometric means of the last column, for each batch."""
    ratios: dict[int, list[float | None]] = defaultdict(list)
    for point in run["points"]:
        ratios[point["task"].batch].append(ratio(point["results"], US.name, RIVALS, question.value))
    means = {batch: geometric_mean(of_batch) for batch, of_batch in sorted(ratios.items())}
    known = [f"batch {batch:,}: {mean:.2f}" for batch, mean in means.items() if mean is not None]
    return "Best rival / ours, geometric means: " + "; ".join(known) + "." if known else ""


def _circuits(run: Mapping[str, Any]) -> str:
    used = sorted({point["task"].circuit for point in run["points"]})
    return "\n".join(f"- ({name}) {KINDS[name].title}" for name in used)


def _left_out(run: Mapping[str, Any]) -> str:
    """Why cells are empty: one line for each contestant and reason."""
    labels: dict[str, list[str]] = defaultdict(list)
    for point in run["points"]:
        for name, result in point["results"].items():
            if "skipped" in result:
                task = point["task"]
                labels[f"{name}: {_one_line(result['skipped'])}"].append(f"{task.question} {task.label}")
    lines = [f"- {reason}: {', '.join(places)}" for reason, places in labels.items()]
    return "\n".join(["Left out:", "", *lines]) if lines else ""


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "/")


def _versions(run: Mapping[str, Any]) -> str:
    lines = [f"- {name}: {', '.join(f'{p} {v}' for p, v in of.items())}" for name, of in run["versions"].items()]
    return "\n".join(["Versions:", "", *lines])
