"""The observable of circuit (d): ten fixed pseudo-random Pauli words with coefficients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

WORDS = 10
_SEED = 20_240_607
_LETTERS = "IXYZ"


@dataclass(frozen=True)
class PauliWord:
    """A product of Pauli operators, times a coefficient.

    Args:
        coefficient: a float32 number, as a float.
        letters: from each wire that is not the identity to "X", "Y" or "Z".
    """

    coefficient: float
    letters: dict[int, str]


def hamiltonian(wires: int) -> list[PauliWord]:
    """Ten different words on `wires` wires, none of them the identity; the same at every call."""
    generator = np.random.default_rng([_SEED, wires])
    words: dict[str, None] = {}  # a set that keeps its order
    while len(words) < WORDS:
        words["".join(generator.choice(list(_LETTERS), size=wires))] = None
        words.pop("I" * wires, None)
    coefficients = generator.uniform(-1, 1, WORDS).astype(np.float32)
    return [PauliWord(float(c), _letters(word)) for c, word in zip(coefficients, words, strict=True)]


def _letters(word: str) -> dict[int, str]:
    return {wire: letter for wire, letter in enumerate(word) if letter != "I"}
