"""Slots: the places of a circuit that take a parameter.

The parameter-shift rule shifts an angle in one place at a time, and in a place where it turns a single diagonal: there
the result is a sinusoid in it. Every term of every phase is such a place. Otherwise all places of a parameter share one
slot, so that their terms can be added up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from qlayer.circuits.circuit import Circuit, Operation, Parameter
from qlayer.circuits.density import density_factors, on_density
from qlayer.circuits.factors import Factor, Phase
from qlayer.circuits.gates import factors_of


class Slot(NamedTuple):
    """A parameter, and the number of the place it is taken in; 0 for all places."""

    parameter: Parameter
    place: int = 0


def slotted_factors(
    operation: Operation, circuit: Circuit, places: Iterator[int]
) -> tuple[tuple[Factor, ...], tuple[Slot, ...]]:
    """The factors of an operation on the circuit's register.

    Args:
        operation: an operation of the circuit.
        circuit: the circuit.
        places: numbers for places, each one new.

    Returns:
        The factors, in order of application, and the slots that the parameters in their terms are positions in.
    """
    slots = tuple(Slot(parameter) for parameter in operation.parameters)
    if operation.name == "Channel":
        return factors_of(on_density(operation, circuit.wire_count)), slots
    factors = factors_of(operation)
    if circuit.gradient == "parameter-shift":
        factors, slots = _with_places(factors, slots, places)
    if circuit.is_mixed:
        factors = density_factors(factors, circuit.wire_count, len(slots))
    return factors, slots


def _with_places(
    factors: tuple[Factor, ...], slots: tuple[Slot, ...], places: Iterator[int]
) -> tuple[tuple[Factor, ...], tuple[Slot, ...]]:
    """The same factors with a slot of its own for every term."""
    placed: list[Factor] = []
    for factor in factors:
        if isinstance(factor, Phase):
            terms = []
            for term in factor.terms:
                if term.parameter is not None:
                    slots = (*slots, slots[term.parameter]._replace(place=next(places)))
                terms.append(term if term.parameter is None else replace(term, parameter=len(slots) - 1))
            placed.append(Phase(tuple(terms)))
        else:
            placed.append(factor)
    return tuple(placed), slots
