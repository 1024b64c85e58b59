"""Pictures of circuits are well-formed, complete and harmless."""

import time
import xml.etree.ElementTree as ET

from cards import card, operation, write

from service.front.circuits.card import read_card
from service.front.circuits.drawing import draw

SVG = "{http://www.w3.org/2000/svg}"


def drawn(folder, *operations, note=None, **more):
    """The picture of a card, parsed."""
    text = draw(read_card(write(folder, card(*operations, **more))).layers, note)
    return ET.fromstring(text), text  # noqa: S314 -- our own text


def texts(svg):
    """All that is written in a picture."""
    return [element.text for element in svg.iter(f"{SVG}text")]


def test_everything_is_in_it(tmp_path):
    """A wire for each label, a group with a tooltip for each operation, titles, angles and a legend."""
    measured = [{"kind": "expval", "wires": [1], "observable": "Z(1)", "shots": 7}]
    svg, _ = drawn(
        tmp_path, operation("RX", [0], 0.5), operation("PauliX", [0, 1], controls=1), measurements=measured, note="note"
    )
    assert {"0", "1", "RX", "0.5", "⟨Z⟩", "7 shots", "layer", "note", "from the inputs"} <= set(texts(svg))
    tooltips = [group.find(f"{SVG}title").text for group in svg.iter(f"{SVG}g")]
    assert tooltips == ["RX(0.5) on 0", "PauliX on 1, controlled by 0", "expval, Z(1), 7 shots"]
    assert len([line for line in svg.iter(f"{SVG}line") if line.get("class") == "wire"]) == 2


def test_texts_are_escaped(tmp_path):
    """Whatever a card says is text: no element and no attribute comes from it."""
    evil = "</text></svg><script>alert(1)</script>\" onload='alert(1)'&amp;]]>"
    content = card(operation(evil, [evil], evil), wires=[evil])
    content["layers"][0]["name"] = evil
    content["layers"][0]["measurements"] = [{"kind": evil, "wires": [evil], "observable": evil, "shots": None}]
    text = draw(read_card(write(tmp_path, content)).layers, evil)
    svg = ET.fromstring(text)  # noqa: S314 -- our own text
    assert {element.tag for element in svg.iter()} == {
        SVG + tag for tag in ("svg", "title", "style", "rect", "text", "line", "g", "path")
    }
    assert not [name for element in svg.iter() for name in element.keys() if name.startswith("on")]  # noqa: SIM118 -- no dict
    assert "<script" not in text


def test_everything_is_inside(tmp_path):
    """No element lies outside the picture, also where the circuit is folded into several bands."""
    svg, _ = drawn(tmp_path, *[operation("Rot", [wire % 2], 0.1, 0.2, 0.3) for wire in range(40)])
    width, height = float(svg.get("width")), float(svg.get("height"))
    assert width < 1600
    for element in svg.iter(f"{SVG}rect"):
        assert 0 <= float(element.get("x", 0)) <= width - float(element.get("width"))
        assert 0 <= float(element.get("y", 0)) <= height - float(element.get("height"))
    labels = [text for text in texts(svg) if text in {"0", "1"}]
    assert len(labels) > 2  # each band has its own


def test_a_long_circuit_is_cut(tmp_path):
    """Of very many operations the first are drawn, and how many there are is said."""
    svg, _ = drawn(tmp_path, *[operation("X", [0])] * 6100)
    assert "the first 6000 of 6100 operations" in " ".join(texts(svg))
    assert len(list(svg.iter(f"{SVG}g"))) == 6000


def test_many_large_layers_are_cut(tmp_path):
    """A card as large as cards may be is a picture of a few megabytes, drawn at once."""
    wires = list(range(200))
    content = card(*[operation("U", wires[::2])] * 300, wires=wires)
    content["layers"][0]["measurements"] = [
        {"kind": "probs", "wires": wires[::2], "observable": None, "shots": None}
    ] * 100
    content["layers"] *= 20
    start = time.monotonic()
    text = draw(read_card(write(tmp_path, content)).layers)
    assert time.monotonic() - start < 10
    assert len(text) < 5_000_000
    assert "the first 3 of 300 operations · the first 3 of 100 measurements" in text


def test_marks_are_drawn(tmp_path):
    """Dots for controls, a circle for X, crosses for SWAP, a meter for what is measured."""
    svg, _ = drawn(
        tmp_path,
        operation("PauliX", [0, 1], controls=1),
        operation("PauliZ", [0, 1], controls=1),
        operation("SWAP", [0, 1]),
        measurements=[{"kind": "probs", "wires": [], "observable": None, "shots": None}],
    )
    circles = [element.get("class") for element in svg.iter(f"{SVG}circle")]
    assert sorted(circles) == ["dot", "dot", "dot", "target"]
    assert len([line for line in svg.iter(f"{SVG}line") if line.get("class") == "mark"]) == 2 + 4
    assert len(list(svg.iter(f"{SVG}path"))) == 1


def test_nothing_to_draw(tmp_path):
    """A layer without operations, and one without wires, are pictures too."""
    assert texts(drawn(tmp_path / "a")[0])[0] == "layer"
    assert texts(drawn(tmp_path / "b", wires=[])[0])[0] == "layer"
