"""AngleSources: numbers where they are known, the arguments they are elsewhere."""

from qlayer.circuits.angle_sources import AngleSources
from qlayer.circuits.circuit import AngleOutput, Circuit, Operation, Parameter

CONSTANT = Parameter((), (0.5,))
ELEMENT = Parameter((), (), 0, (4,))
WHOLE = Parameter((), (), 1, (0,))
CALCULATED = [Parameter((), (), 2, (place,)) for place in (1, 0)]
CIRCUIT = Circuit(
    (0,),
    tuple(Operation("RX", (0,), (angle,)) for angle in (CONSTANT, ELEMENT, WHOLE, *CALCULATED, CALCULATED[0])),
    (),
    (AngleOutput((2, 3), True), AngleOutput((), False), AngleOutput((2,), True)),
)
SOURCES = AngleSources(CIRCUIT, ("inputs", "weight", None))


def test_numbers():
    """Constants are numbers, and so is what the known values hold; everything else is not."""
    known = AngleSources(CIRCUIT, SOURCES.names, {1: [0.25]})
    assert [known.number(angle) for angle in (CONSTANT, ELEMENT, WHOLE, CALCULATED[0])] == [0.5, None, 0.25, None]
    assert SOURCES.number(WHOLE) is None


def test_texts():
    """An element of an argument by its index, a scalar by its name, the others numbered in the order of their use."""
    assert [SOURCES.text(angle) for angle in (ELEMENT, WHOLE, *CALCULATED)] == ["inputs[1, 1]", "weight", "θ1", "θ2"]
    assert SOURCES.element(CALCULATED[0]) is None
