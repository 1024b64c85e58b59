"""Readouts: Pauli words as bits, against NumPy's matrices."""

from functools import reduce

import numpy as np
import pytest

from qlayer.circuits.circuit import Measurement, PauliTerm
from qlayer.circuits.factors import Permutation
from qlayer.circuits.permutations import BasisPermutation
from qlayer.circuits.readouts import pulled_back, readout_of

WIRES = 3
PAULIS = {
    "I": np.eye(2),
    "X": np.array([[0, 1], [1, 0]]),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1, -1]),
}


def matrix_of(readout):
    """The observable of a readout: P|x> = phase * (-1) ** popcount(x & z) |x ^ self.x>."""
    states = np.arange(2**WIRES)
    total = np.zeros((2**WIRES, 2**WIRES), complex)
    for coefficient, word in readout.words:
        signs = (-1.0) ** np.bitwise_count(states & word.z)
        total[states ^ word.x, states] += coefficient * word.phase * signs
    return total


def measurement(*words):
    """The expectation value of a sum of Pauli words with coefficients."""
    terms = tuple(
        PauliTerm(coefficient, tuple((wire, pauli) for wire, pauli in enumerate(word) if pauli != "I"))
        for coefficient, word in words
    )
    return Measurement("expval", observable=terms)


@pytest.mark.parametrize("words", [[(1.0, "XYZ")], [(0.5, "IYI"), (-2.0, "ZZX")], [(1.0, "III"), (3.0, "YYY")]])
def test_words(words):
    """A readout is the sum of its words."""
    expected = sum(coefficient * reduce(np.kron, map(PAULIS.get, word)) for coefficient, word in words)
    np.testing.assert_allclose(matrix_of(readout_of(measurement(*words), WIRES)), expected)


def test_pulled_back():
    """In front of a permutation, words of Z see the parities that they see behind it."""
    permutation = BasisPermutation(WIRES)
    for factor in (Permutation((0, 2), (0, 1, 3, 2)), Permutation((1,), (1, 0)), Permutation((2, 1), (0, 1, 3, 2))):
        permutation.append(factor)
    readout = readout_of(measurement((0.5, "ZIZ"), (2.0, "IZZ")), WIRES)
    moves = np.eye(2**WIRES)[permutation.sources()]
    np.testing.assert_allclose(matrix_of(pulled_back(readout, permutation)), moves.T @ matrix_of(readout) @ moves)
