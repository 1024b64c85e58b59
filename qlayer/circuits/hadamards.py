"""Hadamards: the changes of basis around an embedding, carried through the entanglers in front of them.

RX is a phase between two Hadamards. In a circuit that encodes its inputs again and again, those in front of each phase
follow the entangling permutation of the layer before. A linear permutation of basis states, x -> A x (every product of
CNOTs and SWAPs), between Hadamards on all its wires is the permutation by the inverse transpose of A. So they move in
front of it, join the matrices there, and a whole layer of matrices is gone.
"""

from __future__ import annotations

import numpy as np

from qlayer.circuits.gates import HADAMARD
from qlayer.circuits.permutations import inverted, linear
from qlayer.circuits.plan import Chain, Layer, PhaseStep, Step, wire_bit

_ROUNDING = 1e-12


def hadamards_moved(steps: list[Step], wire_count: int) -> list[Step]:
    """The steps with every layer of Hadamards behind a layer and a linear permutation joined to that layer."""
    moved: list[Step] = []
    for step in steps:
        match moved[-2:], step:
            case [Layer() as layer, PhaseStep() as entangler], Layer() as basis:
                inverse = _inverse_transpose(entangler, wire_count) if _is_all_hadamards(basis, wire_count) else None
                if inverse is not None:
                    moved[-2:] = [_with_hadamards(layer, wire_count), PhaseStep((), inverse, 0)]
                    continue
        moved.append(step)
    return moved


def _is_all_hadamards(layer: Layer, wire_count: int) -> bool:
    """Whether a layer is a Hadamard on every wire."""
    chains = [chain for _, chain in layer.chains if not chain.phases]
    return len(chains) == wire_count and all(is_hadamard(chain.matrices[0]) for chain in chains)


def is_hadamard(matrix: np.ndarray) -> bool:
    """Whether a constant is a Hadamard, up to rounding."""
    return matrix.shape == HADAMARD.shape and bool(np.abs(matrix - HADAMARD).max() < _ROUNDING)


def _with_hadamards(layer: Layer, wire_count: int) -> Layer:
    """The layer, then a Hadamard on every wire."""
    nothing = Chain((np.eye(2),), ())
    known = dict(layer.chains)
    chains = ((wire, known.get(wire, nothing)) for wire in range(wire_count))
    return Layer(
        tuple(
            (wire, Chain((*chain.matrices[:-1], HADAMARD @ chain.matrices[-1]), chain.phases)) for wire, chain in chains
        )
    )


def _inverse_transpose(step: PhaseStep, wire_count: int) -> np.ndarray | None:
    """The sources of the permutation between Hadamards; None for a step that is not just a linear permutation."""
    if step.terms or step.sources is None or step.sources[0] != 0:
        return None
    bits = [wire_bit(wire, wire_count) for wire in range(wire_count)]
    if not np.array_equal(linear(step.sources[bits]), step.sources):
        return None
    targets = inverted(step.sources)[bits]  # the images of single bits under the inverse of the sources
    transposed = [sum(bit for bit, target in zip(bits, targets, strict=True) if target & column) for column in bits]
    return linear(np.array(transposed, np.int32))
