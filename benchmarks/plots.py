"""The results of a question as a figure: lines over wires, layers or batch, or bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.contenders import US
from benchmarks.question import Question
from benchmarks.task import Task
from benchmarks.units import UNITS

Style = dict[str, Any]
Points = Sequence[Mapping[str, Any]]

STYLES: dict[str, Style] = {  # the colours of Okabe and Ito, which the colour-blind can tell apart, and a marker each
    "qlayer": {"color": "#D55E00", "marker": "o"},
    "pennylane-jax": {"color": "#0072B2", "marker": "s"},
    "tensorcircuit-jax": {"color": "#009E73", "marker": "^"},
    "tensorcircuit-tf": {"color": "#56B4E9", "marker": "v"},
    "tfq": {"color": "#CC79A7", "marker": "D"},
    "upstream": {"color": "#E69F00", "marker": "P"},
    "lightning": {"color": "#B8A800", "marker": "X"},
    "plain-keras": {"color": "#000000", "marker": "."},
    "products": {"color": "#0072B2", "marker": "s"},
    "passes": {"color": "#009E73", "marker": "^"},
}
SETTINGS: Any = {
    "svg.hashsalt": "qlayer",
    "font.size": 9,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "legend.frameon": False,
}
_BARS_INCHES = 0.16  # the height of a bar


def draw(question: Question, run: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draw the figure of a question.

    Args:
        question: what was measured.
        run: of `results.read_results`.
        folder: where a PNG and an SVG are written.

    Returns:
        The two files.
    """
    names = [name for name in question.contenders if name in run["versions"]]
    points = [point for point in run["points"] if any(_height(question, point, name) for name in names)]
    with mpl.rc_context(SETTINGS):
        figure = (_lines if question.axis and points else _bars)(question, points, names)
        figure.suptitle(question.title)
        return [write_figure(figure, folder / f"{question.name}.{ending}") for ending in ("png", "svg")]


def write_figure(figure: Figure, path: Path) -> Path:
    """Write a figure in the format of the path's ending, an SVG without a date."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)
    return path


def _lines(question: Question, points: Points, names: Sequence[str]) -> Figure:
    """A panel for each circuit and batch."""
    columns = sorted({_column(point["task"]) for point in points})
    rows = sorted({_row(question, point["task"]) for point in points})
    figure = Figure(figsize=(1.2 + 3.4 * len(columns), 1.4 + 2.6 * len(rows)), layout="constrained")
    panels = figure.subplots(len(rows), len(columns), squeeze=False, sharex=True, sharey=True)
    for row, axes_of_row in zip(rows, panels, strict=True):
        for column, axes in zip(columns, axes_of_row, strict=True):
            places = [p for p in points if (_row(question, p["task"]), _column(p["task"])) == (row, column)]
            _panel(axes, question, places, names)
            axes.set_title(" ".join([*column, f"batch {row:,}" if row else ""]), fontsize=9)
    _legend(figure, panels[0][0], names)
    return figure


def _column(task: Task) -> tuple[str, str]:
    return (task.question, f"({task.circuit})")


def _row(question: Question, task: Task) -> int:
    """The batch; 0 where it is on the axis."""
    return 0 if question.axis == "batch" else task.batch


def _panel(axes: Axes, question: Question, places: Points, names: Sequence[str]) -> None:
    assert question.axis
    for name in names:
        pairs = [(getattr(p["task"], question.axis), _height(question, p, name)) for p in places]
        known = sorted((x, y) for x, y in pairs if y is not None)
        width = 2.2 if name == US.name else 1.2
        axes.plot(*zip(*known, strict=True) if known else ([], []), label=name, linewidth=width, **STYLES[name])
    axes.set_yscale("log")
    axes.set_xlabel(question.axis)
    axes.set_ylabel(UNITS[question.unit].label)
    axes.set_xscale("linear" if question.axis == "wires" else "log")
    ticks = sorted({getattr(place["task"], question.axis) for place in places})
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks], minor=False)


def _height(question: Question, point: Mapping[str, Any], name: str) -> float | None:
    value = point["results"].get(name, {}).get(question.value)
    return None if value is None else value * UNITS[question.unit].scale


def _bars(question: Question, points: Points, names: Sequence[str]) -> Figure:
    """A group of bars for each point."""
    height = 1.5 + _BARS_INCHES * len(points) * (len(names) + 1.5)
    figure = Figure(figsize=(8, height), layout="constrained")
    axes = figure.subplots()
    for i, name in enumerate(names):
        bars = [(place, _height(question, point, name)) for place, point in enumerate(points)]
        known = [(place + (i + 0.5) / (len(names) + 1.5), width) for place, width in bars if width is not None]
        places, widths = zip(*known, strict=True) if known else ([], [])
        bars_of_name = axes.barh(places, widths, 0.9 / (len(names) + 1.5), label=name, color=STYLES[name]["color"])
        axes.bar_label(bars_of_name, fmt="{:.3g}", padding=2, fontsize=7)
    axes.margins(x=0.1)
    axes.set_yticks([place + len(names) / 2 / (len(names) + 1.5) for place in range(len(points))])
    axes.set_yticklabels([f"{point['task'].question} {point['task'].label}" for point in points])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel(UNITS[question.unit].label)
    _legend(figure, axes, names)
    return figure


def _legend(figure: Figure, axes: Axes, names: Sequence[str]) -> None:
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=min(len(names), 4))
