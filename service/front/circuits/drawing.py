"""Drawing: circuits as SVG, made by us from the card's records; every text in it is escaped, nothing in it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape

from service.front.circuits.card import Layer
from service.front.circuits.layout import DRAWN_MAX, Column, Glyph, affordable, bands, clipped, columns

_PITCH = 54.0  # between two wires
_BOX = 38.0
_GAP = 18.0  # between two columns
_MARGIN = 24.0
_BAND_MAX = 1400.0
_BAND_GAP = 26.0
_HEAD = 52.0
_FOOT = 34.0
_NARROWEST = 460.0
_TITLE_CHAR = 8.4
_SMALL_CHAR = 6.4
_LABEL_CHARS = 14
_METER = 24.0
_DOT = 5.0
_CIRCLE = 13.0
_CROSS = 7.0
_LEGEND = {"fixed": "fixed", "weights": "weights", "inputs": "from the inputs", "measured": "measured"}
_STYLE = """
text{font-family:ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;fill:#1f2937}
.page{fill:#ffffff}
.head{font-size:16px;font-weight:600}
.note,.small{font-size:11px}
.note{fill:#6b7280}
.label,.title{font-size:14px}
.wire{stroke:#9ca3af;stroke-width:1.4}
.link{stroke:#334155;stroke-width:1.8}
.mark{stroke:#334155;stroke-width:1.8;fill:none}
.target{stroke:#334155;stroke-width:1.8;fill:#ffffff}
.dot{fill:#334155}
.fixed{fill:#e5e7eb;stroke:#64748b}
.weights{fill:#dbeafe;stroke:#3b82f6}
.inputs{fill:#fef3c7;stroke:#d97706}
.measured{fill:#dcfce7;stroke:#16a34a}
.needle{stroke:#166534;stroke-width:1.6;fill:none;stroke-linecap:round}
@media (prefers-color-scheme:dark){
text{fill:#e5e7eb}
.page,.target{fill:#0f172a}
.note{fill:#94a3b8}
.wire{stroke:#64748b}
.link,.mark,.target{stroke:#cbd5e1}
.dot{fill:#cbd5e1}
.fixed{fill:#1f2937;stroke:#94a3b8}
.weights{fill:#1e3a8a;stroke:#60a5fa}
.inputs{fill:#78350f;stroke:#fbbf24}
.measured{fill:#14532d;stroke:#4ade80}
.needle{stroke:#bbf7d0}
}
"""


def draw(layers: Sequence[Layer], note: str | None = None) -> str:
    """Circuits as an SVG document, under each other.

    Args:
        layers: of the card; at least one.
        note: a line at the end.
    """
    top, width = _MARGIN, _NARROWEST
    body: list[str] = []
    for layer in layers:
        drawn, layer_width, layer_height = _layer(_within(layer, DRAWN_MAX / len(layers)), layer, top)
        body += drawn
        top += layer_height
        width = max(width, layer_width)
    body += _legend(top)
    top += _FOOT
    if note:
        body.append(_text(_MARGIN, top, note, "note", "start"))
        top += _FOOT
    size = f'width="{width:g}" height="{top:g}"'
    name = clipped(", ".join(layer.name for layer in layers), 200)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size} viewBox="0 0 {width:g} {top:g}">',
            f"<title>Quantum circuit of {escape(name)}</title>",
            f"<style>{_STYLE}</style>",
            f'<rect class="page" {size}/>',
            *body,
            "</svg>\n",
        ]
    )


def _within(layer: Layer, places: float) -> Layer:
    """A layer with as much of it as is drawn."""
    operations = affordable(layer.operations, places)
    return replace(layer, operations=operations, measurements=affordable(layer.measurements, places))


def _layer(layer: Layer, whole: Layer, top: float) -> tuple[list[str], float, float]:
    """The elements of what is drawn of a layer, their width and their height."""
    placed = columns(layer.operations, layer.measurements, layer.wires)
    widths = [max(map(_width, column)) + _GAP for column in placed]
    left = _MARGIN + _TITLE_CHAR * max((len(_label(wire)) for wire in layer.wires), default=0) + 10
    elements = _heading(layer, whole, top)
    height, right = _HEAD, left
    for band in bands(widths, _BAND_MAX):
        elements += _band(layer, placed[band.start : band.stop], widths[band.start : band.stop], left, top + height)
        height += len(layer.wires) * _PITCH + _BAND_GAP
        right = max(right, left + sum(widths[band.start : band.stop]))
    return elements, right + _GAP + _MARGIN, height


def _heading(layer: Layer, whole: Layer, top: float) -> list[str]:
    facts = f"{len(layer.wires)} wires · depth {layer.depth} · {layer.parameters} parameters"
    for drawn, found, word in (
        (layer.operations, whole.operations, "operations"),
        (layer.measurements, whole.measurements, "measurements"),
    ):
        facts += f" · the first {len(drawn)} of {len(found)} {word}" if len(drawn) < len(found) else ""
    return [
        _text(_MARGIN, top + 8, clipped(layer.name, 60), "head", "start"),
        _text(_MARGIN, top + 26, facts, "note", "start"),
    ]


def _band(layer: Layer, placed: list[Column], widths: list[float], left: float, top: float) -> list[str]:
    """Wires with their labels, and the columns on them."""
    right = left + sum(widths) + _GAP
    elements = []
    for row, wire in enumerate(layer.wires):
        elements += [
            _text(left - 10, _y(top, row) + 5, _label(wire), "label", "end"),
            _line(left, _y(top, row), right, _y(top, row), "wire"),
        ]
    x = left + _GAP / 2
    for column, width in zip(placed, widths, strict=True):
        for glyph in column:
            elements += _glyph(glyph, x + width / 2, top)
        x += width
    return elements


def _glyph(glyph: Glyph, x: float, top: float) -> list[str]:
    """An operation or measurement around a vertical line."""
    rows = glyph.rows
    link = [_line(x, _y(top, rows[0]), x, _y(top, rows[-1]), "link")] if len(rows) > 1 else []
    dots = [_dot(x, _y(top, row)) for row in glyph.controls]
    targets = [element for run in glyph.runs for element in _TARGETS[glyph.mark](glyph, x, top, run)]
    return ["<g>", f"<title>{escape(glyph.tooltip)}</title>", *link, *dots, *targets, "</g>"]


def _box(glyph: Glyph, x: float, top: float, run: range) -> list[str]:
    width, middle = _width(glyph), (_y(top, run[0]) + _y(top, run[-1])) / 2
    height = (len(run) - 1) * _PITCH + _BOX
    is_measured = glyph.style == "measured"
    text_x = x + _METER / 2 if is_measured else x
    box = (
        f'<rect class="{glyph.style}" x="{x - width / 2:g}" y="{middle - height / 2:g}" width="{width:g}" '
        f'height="{height:g}" rx="6" stroke-width="1.4"/>'
    )
    meter = _meter(x - width / 2 + _METER / 2 + 4, middle) if is_measured else []
    lines = [_text(text_x, middle - (1 if glyph.subtitle else -5), glyph.title, "title")]
    lines += [_text(text_x, middle + 13, glyph.subtitle, "small")] if glyph.subtitle else []
    return [box, *meter, *lines]


def _meter(x: float, y: float) -> list[str]:
    return [
        f'<path class="needle" d="M{x - 8:g} {y + 5:g}a8 8 0 0 1 16 0"/>',
        _line(x, y + 5, x + 6, y - 6, "needle"),
    ]


def _not(_: Glyph, x: float, top: float, run: range) -> list[str]:
    elements = []
    for y in (_y(top, row) for row in run):
        elements += [f'<circle class="target" cx="{x:g}" cy="{y:g}" r="{_CIRCLE:g}"/>']
        elements += [_line(x - _CIRCLE, y, x + _CIRCLE, y, "mark"), _line(x, y - _CIRCLE, x, y + _CIRCLE, "mark")]
    return elements


def _dots(_: Glyph, x: float, top: float, run: range) -> list[str]:
    return [_dot(x, _y(top, row)) for row in run]


def _crosses(_: Glyph, x: float, top: float, run: range) -> list[str]:
    elements = []
    for y in (_y(top, row) for row in run):
        elements += [_line(x - _CROSS, y - _CROSS, x + _CROSS, y + _CROSS, "mark")]
        elements += [_line(x - _CROSS, y + _CROSS, x + _CROSS, y - _CROSS, "mark")]
    return elements


_TARGETS = {"box": _box, "not": _not, "dot": _dots, "swap": _crosses}
"""What is drawn on a run of neighbouring target wires, by mark."""


def _legend(top: float) -> list[str]:
    elements, x = [], _MARGIN
    for style, words in _LEGEND.items():
        elements += [
            f'<rect class="{style}" x="{x:g}" y="{top - 11:g}" width="14" height="14" rx="3"/>',
            _text(x + 20, top, words, "note", "start"),
        ]
        x += 20 + _SMALL_CHAR * len(words) + 28
    return elements


def _width(glyph: Glyph) -> float:
    if glyph.mark != "box":
        return 2 * _CIRCLE
    text = max(_TITLE_CHAR * len(glyph.title), _SMALL_CHAR * len(glyph.subtitle))
    return max(_BOX, text + 18 + (_METER if glyph.style == "measured" else 0))


def _y(top: float, row: int) -> float:
    return top + row * _PITCH + _BOX / 2


def _label(wire: int | str) -> str:
    return clipped(str(wire), _LABEL_CHARS)


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line class="{style}" x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"/>'


def _dot(x: float, y: float) -> str:
    return f'<circle class="dot" cx="{x:g}" cy="{y:g}" r="{_DOT:g}"/>'


def _text(x: float, y: float, text: str, style: str, anchor: str = "middle") -> str:
    return f'<text class="{style}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'
