"""Orders: in which order of bits each step of a plan finds the register.

Matrices leave their own bits in front. Diagonals are made for the order that they meet, and permutations leave the bits
as the next matrix wants them, so that the state is moved as seldom as can be. Real amplitudes have no part among their
bits; the first diagonal or complex matrix puts it in front.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from qlayer.circuits.plan import Layer, MaskTerm, MatrixStep, PhaseStep, Step, VariableStep, wire_bit
from qlayer.simulation.kernels import blocks_of
from qlayer.simulation.register import PART, Bits, in_order, leading, multiplied, wires_of, with_part


def orders(steps: Sequence[Step], start: Bits) -> list[tuple[Bits, Bits]]:
    """For each step, the order in which it acts, and the one in which it leaves the register.

    Args:
        steps: steps on the joined register.
        start: the order of the register's bits in front of them.
    """
    return list(_orders(steps, start))


def _orders(steps: Sequence[Step], bits: Bits) -> Iterator[tuple[Bits, Bits]]:
    first_seen: dict[tuple[MaskTerm, ...], Bits] = {}
    for step, following in zip_longest(steps, steps[1:]):
        if isinstance(step, PhaseStep) and step.terms:
            bits = with_part(bits)
        if isinstance(step, PhaseStep) and is_input_dependent(step.terms):
            bits = first_seen.setdefault(step.terms, bits)  # its factors are large: they are made for one order
        after = _after(step, following, bits)
        yield bits, after
        bits = after


def _after(step: Step, following: Step | None, bits: Bits) -> Bits:
    wire_count = len(wires_of(bits))
    match step:
        case Layer():
            for block in blocks_of(step, wire_count):
                bits = leading(bits, block) if step.is_real else multiplied(bits, block)
        case MatrixStep() | VariableStep():
            bits = multiplied(bits, step.wires)
        case PhaseStep(sources=sources) if sources is not None:
            wanted = leading(in_order(wire_count), _wanted(following, wire_count))
            bits = wanted if PART in bits else wires_of(wanted)
    return bits


def _wanted(step: Step | None, wire_count: int) -> Bits:
    """The bits that a step moves to the front."""
    match step:
        case Layer():
            first = blocks_of(step, wire_count)[0]
            return first if step.is_real else (PART, *first)
        case MatrixStep() | VariableStep():
            return (PART, *step.wires)
    return ()


def is_input_dependent(terms: tuple[MaskTerm, ...]) -> bool:
    """Whether a phase polynomial changes from sample to sample."""
    return any(term.angle and term.angle.is_input_dependent for term in terms)


def placed(terms: tuple[MaskTerm, ...], bits: Bits) -> tuple[MaskTerm, ...]:
    """A phase polynomial on wires that stand in another order; where the part stands makes no difference."""
    wires = wires_of(bits)
    moved = {wire_bit(wire, len(wires)): wire_bit(place, len(wires)) for place, wire in enumerate(wires)}
    return tuple(
        MaskTerm(sum(new for old, new in moved.items() if term.mask & old), term.coefficient, term.angle)
        for term in terms
    )
