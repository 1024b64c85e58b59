"""Product: the leading steps of a plan, in which no wire is entangled with another, so that each is a vector alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from qlayer.circuits.plan import Layer, MatrixStep, PhaseStep, Step, VariableStep, is_real, wire_bit


def with_product_prefix(steps: Sequence[Step]) -> tuple[list[Layer | PhaseStep], list[Step]]:
    """The leading steps that keep every wire unentangled, and the others.

    The first diagonal that entangles is two where inputs turn nothing but single wires in it: for them no number has
    to be calculated for each basis state and sample.
    """
    length = _product_length(steps)
    prefix = [step for step in steps[:length] if isinstance(step, Layer | PhaseStep)]
    others = list(steps[length:])
    if others and isinstance(others[0], PhaseStep):
        own = tuple(term for term in others[0].terms if term.angle and term.angle.is_input_dependent)
        if own and all(term.mask.bit_count() <= 1 for term in own):
            shared = tuple(term for term in others[0].terms if term not in own)
            return [*prefix, PhaseStep(own, None, 0)], [replace(others[0], terms=shared), *others[1:]]
    return prefix, others


def _product_length(steps: Sequence[Step]) -> int:
    """How many leading steps keep every wire unentangled."""
    for index, step in enumerate(steps):
        if isinstance(step, MatrixStep | VariableStep):
            return index
        if isinstance(step, PhaseStep):
            entangling = any(term.mask.bit_count() > 1 for term in step.terms)
            if entangling or (step.sources is not None and not step.flips):
                return index
    return len(steps)


def is_real_product(prefix: Sequence[Layer | PhaseStep], wire_count: int) -> bool:
    """Whether a prefix leaves every wire with real amplitudes whatever the angles are."""
    vectors = np.tile([1.0 + 0j, 0], (wire_count, 1))
    for step in prefix:
        vectors = _sampled_layer(step, vectors) if isinstance(step, Layer) else _sampled_phase(step, vectors)
    return is_real(vectors)


def _sampled_layer(layer: Layer, vectors: np.ndarray) -> np.ndarray:
    """A layer at the samples of the angles, on the vectors of all wires: (n, 2)."""
    chains = dict(layer.chains)
    return np.array([chains[wire].sample @ vector if wire in chains else vector for wire, vector in enumerate(vectors)])


def _sampled_phase(step: PhaseStep, vectors: np.ndarray) -> np.ndarray:
    """A diagonal of single wires and flips at the samples of the angles, on the vectors of all wires: (n, 2)."""
    bits = np.array([wire_bit(wire, len(vectors)) for wire in range(len(vectors))])
    phases = np.zeros(vectors.shape)
    for term in step.terms:
        phase = term.coefficient * (term.angle.sample if term.angle else 1)
        if term.mask:
            phases += phase * np.where((bits == term.mask)[:, np.newaxis], [1, -1], 0)
        else:
            phases[0] += phase  # a global phase is given to wire 0
    turned = vectors * np.exp(1j * phases)
    return np.where((bits & step.flips > 0)[:, np.newaxis], turned[:, ::-1], turned)
