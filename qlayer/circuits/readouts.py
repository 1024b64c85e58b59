"""Readouts: what is measured, as Pauli words on the bits of basis states, in front of or behind a permutation."""

from __future__ import annotations

from dataclasses import replace

from qlayer.circuits.circuit import Measurement, PauliTerm
from qlayer.circuits.permutations import BasisPermutation
from qlayer.circuits.plan import Readout, Word, wire_bit


def readout_of(measurement: Measurement, wire_count: int) -> Readout:
    """What a plan reads for a measurement."""
    words = tuple((term.coefficient, _word(term, wire_count)) for term in measurement.observable)
    return Readout(measurement, words)


def _word(term: PauliTerm, wire_count: int) -> Word:
    """X flips, Z signs, Y = i X Z does both."""
    masks = {pauli: sum(wire_bit(w, wire_count) for w, p in term.factors if p == pauli) for pauli in "XYZ"}
    return Word(masks["X"] | masks["Y"], masks["Z"] | masks["Y"], 1j ** masks["Y"].bit_count())


def pulled_back(readout: Readout, permutation: BasisPermutation) -> Readout:
    """The readout of Z words in front of a permutation: parities are carried through it."""
    words = []
    for coefficient, word in readout.words:
        wires = frozenset(w for w in range(permutation.wire_count) if word.z & wire_bit(w, permutation.wire_count))
        mask, flip = permutation.pull_back(wires)
        words.append((-coefficient if flip else coefficient, Word(0, mask, 1)))
    return replace(readout, words=tuple(words))
