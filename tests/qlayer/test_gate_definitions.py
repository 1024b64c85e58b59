"""Gate definitions: their text, readable where it can be; test_openqasm runs them."""

import numpy as np
import pytest

from qlayer.circuits.circuit import Operation, Parameter
from qlayer.exporting.gate_definitions import definition, is_definable

ANGLE = Parameter((), (0.5,))
DEFINITIONS = {
    "Rot": "gate g(a0, a1, a2) q0 { rz(a0) q0; ry(a1) q0; rz(a2) q0; }",
    "U3": "gate g(a0, a1, a2) q0 { gphase(0.5 * a2); rz(a2) q0; ry(a0) q0; gphase(0.5 * a1); rz(a1) q0; }",
    "IsingXX": "gate g(a0) q0, q1 { h q0; h q1; cx q0, q1; rz(a0) q1; cx q0, q1; h q1; h q0; }",
    "IsingZZ": "gate g(a0) q0, q1 { cx q0, q1; rz(a0) q1; cx q0, q1; }",
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_text(name):
    """A definition consists of the gates that one would write by hand."""
    text = DEFINITIONS[name]
    wires = text.partition("{")[0].count("q")
    angles = text.partition(")")[0].count("a") - 1  # but for the one of "gate"
    assert definition("g", Operation(name, tuple(range(wires)), (ANGLE,) * angles)) == text


@pytest.mark.parametrize(("wires", "is_said"), [(1, True), (4, True), (5, False)])
def test_matrices(wires, is_said):
    """Matrices of up to four wires can be said; the identity needs no statement."""
    unitary = Parameter((2**wires,) * 2, tuple(np.eye(2**wires).ravel()))
    operation = Operation("QubitUnitary", tuple(range(wires)), (unitary,))
    assert is_definable(operation) is is_said
    if is_said:
        assert definition("u", operation).endswith("{  }")


def test_calculated_matrices():
    """A matrix that is calculated has no definition."""
    assert not is_definable(Operation("QubitUnitary", (0,), (Parameter((2, 2), (), 0, (0, 1, 2, 3)),)))
