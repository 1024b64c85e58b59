"""Product: the leading steps of a plan, in which no wire is entangled with another, so that each is a vector alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from qlayer.circuits.plan import Layer, MatrixStep, PhaseStep, Step, VariableStep, is_real, wire_bit


def is_real_product(prefix: Sequence[Layer | PhaseStep], wire_count: int) -> bool:
    """Whether a prefix leaves every wire with real amplitudes whatever the angles are."""
    vectors = np.tile([1.0 + 0j, 0], (wire_count, 1))
    for step in prefix:
        if isinstance(step, Layer):
            for wire, chain in step.chains:
                vectors[wire] = chain.sample @ vectors[wire]
        else:
            vectors = _sampled_phase(step, vectors)
    return is_real(vectors)


def _sampled_phase(step: PhaseStep, vectors: np.ndarray) -> np.ndarray:
    """A diagonal of single wires and flips at the samples of the angles, on the vectors of all wires: (n, 2)."""
    wire_count = len(vectors)
    for term in step.terms:
        phase = term.coefficient * (term.angle.sample if term.angle else 1)
        wire = next((wire for wire in range(wire_count) if wire_bit(wire, wire_count) == term.mask), 0)
        vectors[wire] *= np.exp(1j * phase * np.array([1, -1 if term.mask else 1]))
    flipped = [bool(step.flips & wire_bit(wire, wire_count)) for wire in range(wire_count)]
    return np.where(np.array(flipped)[:, np.newaxis], vectors[:, ::-1], vectors)


def divided(steps: list[Step]) -> tuple[list[Step], int]:
    """The steps, and how many of them keep every wire unentangled.

    The first diagonal that entangles is two where inputs turn nothing but single wires in it: for them no number has
    to be calculated for each basis state and sample.
    """
    product = _product_length(steps)
    first = steps[product] if product < len(steps) else None
    if isinstance(first, PhaseStep):
        own = tuple(term for term in first.terms if term.angle and term.angle.is_input_dependent)
        if own and all(term.mask.bit_count() == 1 for term in own):
            others = tuple(term for term in first.terms if term not in own)
            steps[product : product + 1] = [PhaseStep(own, None, 0), replace(first, terms=others)]
            product += 1
    return steps, product


def _product_length(steps: list[Step]) -> int:
    """How many leading steps keep every wire unentangled."""
    for index, step in enumerate(steps):
        if isinstance(step, MatrixStep | VariableStep):
            return index
        if isinstance(step, PhaseStep):
            entangling = any(term.mask.bit_count() > 1 for term in step.terms)
            if entangling or (step.sources is not None and not step.flips):
                return index
    return len(steps)
