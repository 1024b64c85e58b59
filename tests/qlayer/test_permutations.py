"""Products of permutations against tables that are multiplied out state by state."""

import random

import numpy as np
import pytest

from qlayer.circuits.factors import Permutation
from qlayer.circuits.permutations import BasisPermutation

X, CNOT, SWAP = (1, 0), (0, 1, 3, 2), (0, 2, 1, 3)
TOFFOLI = (0, 1, 2, 3, 4, 5, 7, 6)
WIRES = 4


def image(permutation: Permutation, state: int) -> int:
    """Where one basis state goes, bit by bit."""
    bits = [(state >> (WIRES - 1 - wire)) & 1 for wire in range(WIRES)]
    index = int("".join(str(bits[wire]) for wire in permutation.wires), 2)
    new = format(permutation.table[index], f"0{len(permutation.wires)}b")
    for wire, bit in zip(permutation.wires, new, strict=True):
        bits[wire] = int(bit)
    return int("".join(map(str, bits)), 2)


@pytest.mark.parametrize("tables", [(X, CNOT, SWAP), (X, CNOT, SWAP, TOFFOLI)])
@pytest.mark.parametrize("seed", range(10))
def test_sources_are_the_product(tables, seed):
    """The gather indices move every amplitude to where the permutations send its state, one after the other."""
    chooser = random.Random(seed)
    product = BasisPermutation(WIRES)
    targets = list(range(2**WIRES))
    for _ in range(8):
        table = chooser.choice(tables)
        permutation = Permutation(tuple(chooser.sample(range(WIRES), len(table).bit_length() - 1)), table)
        product.append(permutation)
        targets = [image(permutation, state) for state in targets]
    sources = product.sources()
    found = np.arange(2**WIRES) if sources is None else sources
    assert [int(found[target]) for target in targets] == list(range(2**WIRES))


@pytest.mark.parametrize("seed", range(10))
def test_parities_are_pulled_back(seed):
    """A parity of the new state is the pulled back parity of the old state."""
    chooser = random.Random(seed)
    product = BasisPermutation(WIRES)
    permutations = []
    for _ in range(8):
        table = chooser.choice((X, CNOT, SWAP))
        permutations.append(Permutation(tuple(chooser.sample(range(WIRES), len(table).bit_length() - 1)), table))
        product.append(permutations[-1])
    mask, flip = product.pull_back(frozenset({0, 2}))
    for state in range(2**WIRES):
        new = state
        for permutation in permutations:
            new = image(permutation, new)
        assert (new & 0b1010).bit_count() % 2 == (state & mask).bit_count() % 2 ^ flip


def test_phases_keep_clear_of_what_is_not_affine():
    """Behind a Toffoli, only diagonals on other wires can be carried to the front."""
    product = BasisPermutation(WIRES)
    product.append(Permutation((0, 1, 2), TOFFOLI))
    assert not product.is_affine
    assert not product.accepts_phase(frozenset({2}))
    assert product.accepts_phase(frozenset({3}))


def test_flips_alone_are_recognised():
    """A product of X gates is a mask of flipped bits; with a CNOT it is not."""
    product = BasisPermutation(WIRES)
    product.append(Permutation((1,), X))
    assert product.only_flips == 0b0100
    product.append(Permutation((0, 1), CNOT))
    assert product.only_flips is None
