"""The results of the serving benchmark as a figure: a group of bars for each kind of load."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from benchmarks.plots import SETTINGS, write_figure
from benchmarks.serving.contenders import SERVERS
from benchmarks.serving.scenarios import Scenario

_COLOURS = {  # of Okabe and Ito, which the colour-blind can tell apart
    "service": "#D55E00",
    "triton": "#0072B2",
    "mlserver": "#009E73",
    "bentoml": "#56B4E9",
    "litserve": "#CC79A7",
    "ray": "#E69F00",
    "fastapi": "#999999",
}


@dataclass(frozen=True)
class Panel:
    """A part of the figure: whether its requests have one row, what its bars show, and what that is called."""

    title: str
    is_single: bool
    value: str
    label: str


_PANELS = (
    Panel("One row per request", is_single=True, value="answers_per_s", label="requests a second"),
    Panel("One row per request", is_single=True, value="p99_ms", label="p99 in milliseconds"),
    Panel("Batches of 1,024 rows", is_single=False, value="rows_per_s", label="rows a second"),
)


def draw(run: Mapping[str, Any], folder: Path, name: str = "serving") -> list[Path]:
    """Draw the figure.

    Args:
        run: the results.
        folder: where a PNG and an SVG are written.
        name: of the two files.

    Returns:
        The two files.
    """
    names = [server for server in SERVERS if server in run["versions"]]
    points = [(Scenario(**point["scenario"]), point["results"]) for point in run["points"]]
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(11, 4.6), layout="constrained")
        panels = figure.subplots(1, len(_PANELS))
        for axes, panel in zip(panels, _PANELS, strict=True):
            chosen = [(scenario, results) for scenario, results in points if panel.is_single == (scenario.rows == 1)]
            _bars(axes, chosen, names, panel.value)
            axes.set_title(panel.title, fontsize=9)
            axes.set_xlabel(panel.label)
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(names))
        return [write_figure(figure, folder / f"{name}.{ending}") for ending in ("png", "svg")]


def _bars(axes: Axes, points: Sequence[tuple[Scenario, Mapping[str, Any]]], names: Sequence[str], value: str) -> None:
    height = 1 / (len(names) + 1.5)
    shown = [results[name][value] for _, results in points for name in names if value in results.get(name, {})]
    for i, name in enumerate(names):
        known = [
            (place + (i + 0.5) * height, results[name][value])
            for place, (_, results) in enumerate(points)
            if value in results.get(name, {})
        ]
        places, widths = zip(*known, strict=True) if known else ([], [])
        axes.barh(places, widths, 0.9 * height, label=name, color=_COLOURS[name])
    axes.set_yticks([place + len(names) / 2 * height for place in range(len(points))])
    axes.set_yticklabels([_short(scenario) for scenario, _ in points])
    axes.set_ylim(len(points), -height)
    axes.set_xscale("log")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(left=10 ** math.floor(math.log10(min(shown, default=1))))


def _short(scenario: Scenario) -> str:
    asked = f"{scenario.connections} conn." if scenario.rows == 1 else scenario.encoding
    return f"{scenario.model} {asked}"
