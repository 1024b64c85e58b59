"""The results of the serving benchmark as a Markdown page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from benchmarks.serving.contenders import RIVALS, SERVERS, US
from benchmarks.serving.scenarios import Scenario
from benchmarks.serving.targets import TARGETS, Target

Run = Mapping[str, Any]
TITLE = "Serving"

_INTRODUCTION = """\
How many requests does our server answer, and how soon, next to what else a user could serve a SavedModel with?

All serve the same SavedModels: a circuit of 4 (q4) or 10 wires (q10) between two Dense layers. wrk asks for one row at
a time, or for 1,024, and always for different ones. It runs on the same cores, so that each server has what it leaves.
Each server is one process as its users see it: one front or API server, one worker or replica, batching switched on
where it has any, the other settings as they come. One server runs at a time, and they take turns; the tables show
medians over the turns. Before a server is timed, its answers to as many requests at once as the scenario makes are
compared with TensorFlow's for the same rows; one that differs is not timed."""
_OVERLOAD = """\
## Overload

A circuit of 14 wires, row by row, is slow on purpose. A closed loop finds its capacity, and how often the front can
refuse while the queue is full. Then an open loop sends {times} times the capacity at random moments, and counts each
latency from the moment a request was meant to be sent."""
_SCALING = """\
## More processes

Requests a second; wrk takes its share of the same cores."""


def page(run: Run) -> str:
    """The page.

    Args:
        run: of `__main__`: machine, versions, points, overload, scaling.
    """
    parts = [
        f"# {TITLE}",
        _INTRODUCTION,
        f"{_machine(run)} [All data](../../benchmarks/results/serving.json).",
        f"![{TITLE}](serving.svg)",
        _requests(run),
        _batches(run),
        _overload(run),
        _scaling(run),
        _targets(run),
        _left_out(run),
        _settings(run),
        _versions(run),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _machine(run: Run) -> str:
    machine = run["machine"]
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}, "
        f"{machine['date']}, a {run['effort']} run."
    )


def _markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _requests(run: Run) -> str:
    """One row for each scenario of single rows: requests a second, and p50 and p99 below."""
    points = [point for point in run["points"] if point["scenario"]["rows"] == 1]
    return _table("## One row per request", run, points, _request_cell) if points else ""


def _batches(run: Run) -> str:
    points = [point for point in run["points"] if point["scenario"]["rows"] > 1]
    return _table("## Batches of 1,024 rows", run, points, _batch_cell) if points else ""


def _table(title: str, run: Run, points: Sequence[Run], cell: Callable[[Run], str]) -> str:
    names = [name for name in SERVERS if name in run["versions"]]
    rows = [
        [Scenario(**point["scenario"]).label, *(cell(point["results"].get(name, {})) for name in names), _ratio(point)]
        for point in points
    ]
    return f"{title}\n\n{_LEGENDS[cell]}\n\n" + _markdown(["", *names, "ours / best rival"], rows)


def _request_cell(result: Run) -> str:
    if "answers_per_s" not in result:
        return "-"
    failed = f", {result['failed']} failed" if result["failed"] else ""
    return f"{result['answers_per_s']:,.0f} ({result['p50_ms']:.1f}, {result['p99_ms']:.1f}{failed})"


def _batch_cell(result: Run) -> str:
    return f"{result['rows_per_s']:,.0f} ({result['p99_ms']:.1f})" if "rows_per_s" in result else "-"


_LEGENDS: dict[Callable[[Run], str], str] = {
    _request_cell: "Requests a second (p50, p99 in milliseconds).",
    _batch_cell: "Rows a second (p99 of a request in milliseconds).",
}


def _ratio(point: Run) -> str:
    results = point["results"]
    rates = {name: results[name]["answers_per_s"] for name in RIVALS if "answers_per_s" in results.get(name, {})}
    if not rates or "answers_per_s" not in results.get(US.name, {}):
        return "-"
    best = max(rates, key=lambda name: rates[name])
    return f"{results[US.name]['answers_per_s'] / rates[best]:.2f} ({best})"


_OVERLOAD_ROWS = (
    ("capacity, requests a second", "capacity_per_s"),
    ("refusals of the front, a second", "refusal_rate_per_s"),
    ("offered, requests a second", "offered_per_s"),
    ("goodput, requests a second", "goodput_per_s"),
    ("refusals: p50, ms", "refusal_p50_ms"),
    ("refusals: p99, ms", "refusal_p99_ms"),
    ("accepted: p50, ms", "accepted_p50_ms"),
    ("accepted: p99, ms", "accepted_p99_ms"),
    ("the time a full queue takes, ms", "bound_ms"),
    ("the generator was late: p99, ms", "late_p99_ms"),
    ("neither answered nor refused", "others"),
)


def _overload(run: Run) -> str:
    seen = run.get("overload")
    if not seen:
        return ""
    rows = [[text, "-" if seen[name] is None else f"{seen[name]:,.4g}"] for text, name in _OVERLOAD_ROWS]
    return _OVERLOAD.format(times=seen["times"]) + "\n\n" + _markdown(["", US.name], rows)


def _scaling(run: Run) -> str:
    points = run.get("scaling") or []
    if not points:
        return ""
    setups = list(points[0]["results"])
    rows = [[setup, *(_scaled(point["results"], setup, setups[0]) for point in points)] for setup in setups]
    header = ["", *(Scenario(**point["scenario"]).label for point in points)]
    return _SCALING + "\n\n" + _markdown(header, rows)


def _scaled(results: Run, setup: str, first: str) -> str:
    if "answers_per_s" not in results[setup]:
        return "-"
    rate, base = results[setup]["answers_per_s"], results[first].get("answers_per_s")
    return f"{rate:,.0f}" + (f" ({rate / base:.2f})" if base else "")


def _targets(run: Run) -> str:
    rows = [_target_row(target, run) for target in TARGETS]
    return "## Targets\n\n" + _markdown(["", "wanted", "found", "against", "reached"], rows)


def _target_row(target: Target, run: Run) -> list[str]:
    limit = f"at least {target.least:g}" if target.least is not None else f"at most {target.most:g}"
    found = target.find(run)
    if found is None:
        return [target.wanted, limit, "-", "-", "not measured"]
    number, whom = found
    return [target.wanted, limit, f"{number:.3g}", whom, "yes" if target.holds(number) else "no"]


def _left_out(run: Run) -> str:
    """Why cells are empty: a line for each server and reason."""
    reasons: dict[str, list[str]] = {}
    for point in [*run["points"], *(run.get("scaling") or [])]:
        for name, result in point["results"].items():
            if "skipped" in result:
                reason = " ".join(result["skipped"].split()).replace("|", "/")
                reasons.setdefault(f"{name}: {reason}", []).append(Scenario(**point["scenario"]).label)
    lines = [f"- {reason} ({'; '.join(places)})" for reason, places in reasons.items()]
    return "\n".join(["Left out:", "", *lines]) if lines else ""


def _settings(run: Run) -> str:
    lines = [f"- {name}: {server.settings}" for name, server in SERVERS.items() if name in run["versions"]]
    return "\n".join(["Settings:", "", *lines])


def _versions(run: Run) -> str:
    lines = [f"- {name}: {', '.join(f'{p} {v}' for p, v in of.items())}" for name, of in run["versions"].items()]
    return "\n".join(["Versions:", "", *lines])
