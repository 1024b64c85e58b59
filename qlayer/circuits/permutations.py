"""Permutations of basis states that grow gate by gate.

Most permutations of circuits (X, CNOT, SWAP and their products) are affine: each bit of the new state is a parity of
bits of the old one, perhaps flipped. Parities can be carried through them, which lets diagonals on both sides of a run
of CNOTs become one diagonal (a phase polynomial: Amy, Maslov, Mosca 2014). Others (Toffoli) stop what touches their
wires.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256

import numpy as np

from qlayer.circuits.factors import Permutation
from qlayer.circuits.plan import PhaseStep, Step, wire_bit


@dataclass
class BasisPermutation:
    """A product of permutations of the basis states of a register. Mutable while a plan is made: `append` extends it.

    Args:
        wire_count: number of wires of the register.
    """

    wire_count: int
    _parities: list[int] = field(init=False)  # for each wire, the mask of the old bits whose parity is its new bit
    _flips: list[int] = field(init=False)  # for each wire, 1 where the new bit is flipped
    _scrambling: list[Permutation] = field(init=False, default_factory=list)  # what is not affine, applied afterwards

    def __post_init__(self) -> None:
        self._parities = [wire_bit(wire, self.wire_count) for wire in range(self.wire_count)]
        self._flips = [0] * self.wire_count

    def accepts_phase(self, wires: frozenset[int]) -> bool:
        """Whether a parity of these wires can be carried to the front."""
        return not wires & self._scrambled()

    def append(self, permutation: Permutation) -> None:
        """Apply one more permutation after all others."""
        affine = _affine(permutation)
        if affine is None or not self.accepts_phase(frozenset(permutation.wires)):
            self._scrambling.append(permutation)
            return
        columns, flips = affine
        pulled = [self.pull_back(frozenset(permutation.wires[j] for j in column)) for column in columns]
        for wire, (mask, flip), flipped in zip(permutation.wires, pulled, flips, strict=True):
            self._parities[wire], self._flips[wire] = mask, flip ^ flipped

    def pull_back(self, wires: frozenset[int]) -> tuple[int, int]:
        """The parity of some new bits as a parity of old bits: its mask, and 1 where it is flipped."""
        mask, flip = 0, 0
        for wire in wires:
            mask, flip = mask ^ self._parities[wire], flip ^ self._flips[wire]
        return mask, flip

    @property
    def is_affine(self) -> bool:
        """Whether every parity can be carried through."""
        return not self._scrambling

    @property
    def only_flips(self) -> int | None:
        """The mask of flipped bits where it does nothing else, otherwise None."""
        bits = [wire_bit(wire, self.wire_count) for wire in range(self.wire_count)]
        if self._scrambling or self._parities != bits:
            return None
        return sum(bit for bit, flip in zip(bits, self._flips, strict=True) if flip)

    def sources(self) -> np.ndarray | None:
        """For each basis state, the one that becomes it; shape (2 ** wire_count,). None for the identity."""
        if self.only_flips == 0:
            return None
        bits = [wire_bit(wire, self.wire_count) for wire in range(self.wire_count)]
        rows = list(zip(bits, self._parities, self._flips, strict=True))
        images = [sum(bit for bit, mask, _ in rows if mask & old) for old in bits]
        targets = linear(np.array(images, np.int32)) ^ np.int32(sum(bit for bit, _, flip in rows if flip))
        for permutation in self._scrambling:
            targets = self._scramble(permutation, targets)
        return inverted(targets.astype(np.int32))

    def _scrambled(self) -> frozenset[int]:
        return frozenset(wire for permutation in self._scrambling for wire in permutation.wires)

    def _scramble(self, permutation: Permutation, states: np.ndarray) -> np.ndarray:
        """Apply one table to the bits of its wires in every state."""
        bits = [wire_bit(wire, self.wire_count) for wire in permutation.wires]
        place = [wire_bit(position, len(bits)) for position in range(len(bits))]
        old = sum(((states & bit) > 0) * value for bit, value in zip(bits, place, strict=True))
        new = np.asarray(permutation.table)[old]
        cleared = states & ~sum(bits)
        return cleared + sum(((new & value) > 0) * bit for bit, value in zip(bits, place, strict=True))


def linear(images: np.ndarray) -> np.ndarray:
    """The image of every basis state under a linear map, from those of single bits; the first wire's comes first."""
    found = np.zeros(1, images.dtype)
    for image in images[::-1]:
        found = np.concatenate([found, found ^ image])
    return found


def inverted(sources: np.ndarray) -> np.ndarray:
    """The permutation that undoes one; `np.argsort` would take ten times as long."""
    places = np.empty_like(sources)
    places[sources] = np.arange(len(sources), dtype=sources.dtype)
    return places


def sharing_permutations(steps: Iterable[Step]) -> Iterator[Step]:
    """The steps, equal permutations as one array: each takes 4 MiB on 20 wires."""
    known: dict[bytes, np.ndarray] = {}
    for step in steps:
        if isinstance(step, PhaseStep) and step.sources is not None:
            yield replace(step, sources=known.setdefault(sha256(step.sources.data).digest(), step.sources))
        else:
            yield step


def _affine(permutation: Permutation) -> tuple[list[list[int]], list[int]] | None:
    """For each wire, the positions whose parity it becomes, and whether it is flipped; None if it is not affine."""
    table = np.asarray(permutation.table)
    count = len(permutation.wires)
    images = [int(table[wire_bit(j, count)] ^ table[0]) for j in range(count)]
    states = np.arange(len(table))
    linear = np.full_like(table, table[0])
    for j, image in enumerate(images):
        linear = linear ^ np.where(states & wire_bit(j, count), image, 0)
    if not np.array_equal(linear, table):
        return None
    columns = [[j for j, image in enumerate(images) if image & wire_bit(wire, count)] for wire in range(count)]
    return columns, [int(bool(table[0] & wire_bit(wire, count))) for wire in range(count)]
