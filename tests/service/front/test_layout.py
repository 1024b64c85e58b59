"""What is drawn on which wires, in which column."""

import math

import pytest
from cards import card, operation, write

from service.front.circuits.card import read_card
from service.front.circuits.layout import affordable, bands, clipped, columns


def glyphs(folder, *operations, wires=(0, 1, 2), measurements=()):
    """The columns of a card's layer."""
    content = card(*operations, wires=wires, measurements=measurements)
    [layer] = read_card(write(folder, content)).layers
    return columns(layer.operations, layer.measurements, layer.wires)


MARKS = [
    (operation("PauliX", [0, 1], controls=1), ("not", (0,), (1,))),
    (operation("PauliX", [2, 0, 1], controls=2), ("not", (2, 0), (1,))),
    (operation("PauliZ", [0, 1], controls=1), ("dot", (0,), (1,))),
    (operation("PauliX", [0]), ("box", (), (0,))),
    (operation("SWAP", [0, 2]), ("swap", (), (0, 2))),
    (operation("SWAP", [0, 1, 2], controls=1), ("swap", (0,), (1, 2))),
    (operation("GlobalPhase", [], 0.5), ("box", (), (0, 1, 2))),
    (operation("RX", [0], 0.5, controls=1), ("box", (), (0,))),
]


@pytest.mark.parametrize(("drawn", "expected"), MARKS)
def test_marks(tmp_path, drawn, expected):
    """Controlled X and Z and SWAP have their usual marks, all else is a box; what has no wires is on all."""
    [[glyph]] = glyphs(tmp_path, drawn)
    assert (glyph.mark, glyph.controls, glyph.targets) == expected


TEXTS = [
    (operation("Hadamard", [0]), "H", "", "fixed", "Hadamard on 0"),
    (operation("T", [1, 0], controls=1, adjoint=True), "T†", "", "fixed", "T† on 0, controlled by 1"),
    (operation("RX", [0], math.pi / 2), "RX", "π/2", "weights", "RX(1.5707963267948966) on 0"),
    (operation("RX", [0], -3 * math.pi / 4), "RX", "-3π/4", "weights", None),
    (operation("RX", [0], 2 * math.pi), "RX", "2π", "weights", None),
    (operation("RX", [0], 0.0), "RX", "0", "weights", None),
    (operation("RX", [0], 1.23456), "RX", "1.23", "weights", None),
    (operation("RX", [0], "inputs[0]"), "RX", "inputs[0]", "inputs", "RX(inputs[0]) on 0"),
    (operation("Rot", [0], 0.1, "θ1", 7), "Rot", "0.1, θ1, 7", "inputs", None),
    (operation("Custom" * 9, [0]), "CustomCustomCustomCustomC…", "", "fixed", None),
]


@pytest.mark.parametrize(("drawn", "title", "subtitle", "style", "tooltip"), TEXTS)
def test_texts(tmp_path, drawn, title, subtitle, style, tooltip):
    """Short names, fractions of π, three digits; the colour says what decides the angles; the tooltip says all."""
    [[glyph]] = glyphs(tmp_path, drawn)
    assert (glyph.title, glyph.subtitle, glyph.style) == (title, subtitle, style)
    assert tooltip in {None, glyph.tooltip}


RESULTS = [
    ("expval", "Z('a')", None, "⟨Z⟩", ""),
    ("expval", "X(0) @ Z(1)", None, "⟨X⊗Z⟩", ""),
    ("expval", "0.5 * X(0)", None, "⟨H⟩", "0.5 * X(0)"),
    ("var", "Y(0)", 100, "Var[Y]", "100 shots"),
    ("probs", None, None, "probs", ""),
    ("states", None, 5, "sample", "5 shots"),
    ("purity", None, None, "purity", ""),
    ("{0}{x}", "Z(0)", None, "{0}{x}", ""),
]


@pytest.mark.parametrize(("kind", "observable", "shots", "title", "subtitle"), RESULTS)
def test_measurements(tmp_path, kind, observable, shots, title, subtitle):
    """What is measured, in the usual signs; the number of shots below it."""
    measurement = {"kind": kind, "wires": [0, 1], "observable": observable, "shots": shots}
    [[glyph]] = glyphs(tmp_path, measurements=[measurement])
    assert (glyph.title, glyph.subtitle, glyph.style, glyph.targets) == (title, subtitle, "measured", (0, 1))


def test_columns_are_packed_to_the_left(tmp_path):
    """Operations on other wires stand above each other; what a line would cross stands in another column."""
    drawn = [operation("X", [0]), operation("X", [2]), operation("SWAP", [0, 2]), operation("X", [1])]
    packed = glyphs(tmp_path, *drawn, measurements=[{"kind": "probs", "wires": [], "observable": None, "shots": None}])
    assert [[glyph.title for glyph in column] for column in packed] == [["X", "X"], ["SWAP"], ["X"], ["probs"]]


def test_runs_of_neighbours_are_one_box(tmp_path):
    """Targets beside each other share a box, others are joined by a line."""
    [[glyph]] = glyphs(tmp_path, operation("U", [0, 3, 1]), wires=[0, 1, 2, 3])
    assert glyph.runs == [range(2), range(3, 4)]
    assert glyph.rows == range(4)


def test_a_layer_without_wires(tmp_path):
    """There is nothing to draw."""
    assert glyphs(tmp_path, operation("GlobalPhase", [], 1), wires=[]) == []


def test_affordable(tmp_path):
    """The first that fit into a number of places; what has no wires of its own needs one."""
    content = card(operation("X", [0]), operation("SWAP", [0, 1]), operation("GlobalPhase", [], 1))
    [layer] = read_card(write(tmp_path, content)).layers
    assert [len(affordable(layer.operations, places)) for places in range(6)] == [0, 1, 1, 2, 3, 3]


def test_bands():
    """Columns are folded where the next would be too wide; one that is too wide alone has a band of its own."""
    assert bands([50, 50, 50], 100) == [range(2), range(2, 3)]
    assert bands([500, 50], 100) == [range(1), range(1, 2)]
    assert bands([], 100) == [range(0)]


def test_clipped():
    """A text that is too long ends in an ellipsis."""
    assert clipped("abcdef", 4) == "abc…"
    assert clipped("abcd", 4) == "abcd"
