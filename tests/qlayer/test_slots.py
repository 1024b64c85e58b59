"""Slots: a place of its own for every term that the parameter-shift rule shifts."""

from itertools import count

from qlayer.circuits.circuit import AngleOutput, Circuit, Operation, Parameter
from qlayer.circuits.factors import Phase
from qlayer.circuits.slots import Slot, slotted_factors

ANGLE = Parameter((), (), 0, (0,))
CHANNEL = Parameter((4, 4), tuple(complex(row == column) for row in range(4) for column in range(4)))


def slotted(operation, **options):
    """The factors and slots of an operation of a circuit of two wires."""
    circuit = Circuit((0, 1), (operation,), (), (AngleOutput((1,), True),), **options)
    return slotted_factors(operation, circuit, count(1))


def slots_of_terms(factors, slots):
    """The slot of each term that an angle turns."""
    phases = [factor for factor in factors if isinstance(factor, Phase)]
    return [slots[term.parameter] for phase in phases for term in phase.terms if term.parameter is not None]


def test_backpropagation_needs_one_slot():
    """Without the rule, all terms of a parameter share its slot."""
    found = slots_of_terms(*slotted(Operation("SingleExcitation", (0, 1), (ANGLE,))))
    assert len(found) > 1
    assert set(found) == {Slot(ANGLE)}


def test_a_place_for_each_term():
    """With the rule, the terms of a gate of two frequencies have different places of the same parameter."""
    found = slots_of_terms(*slotted(Operation("SingleExcitation", (0, 1), (ANGLE,)), gradient="parameter-shift"))
    assert [slot.place for slot in found] == list(range(1, 1 + len(found)))
    assert {slot.parameter for slot in found} == {ANGLE}


def test_rows_and_columns_share_places():
    """A shift moves a density matrix's rows and columns together: both have the same places."""
    operation = Operation("RX", (1,), (ANGLE,))
    found = slots_of_terms(*slotted(operation, gradient="parameter-shift", is_mixed=True))
    assert [slot.place for slot in found] == [1, 1]


def test_channels_are_one_matrix():
    """A channel acts once, on the rows and the columns of its wires."""
    (factor,), slots = slotted(Operation("Channel", (1,), (CHANNEL,)), is_mixed=True, gradient="parameter-shift")
    assert factor.wires == (1, 3)
    assert slots == (Slot(CHANNEL),)
