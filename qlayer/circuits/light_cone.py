"""Light cone: the part of a circuit that its measurements can see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from qlayer.circuits.circuit import Circuit, Operation, PauliTerm


def light_cone(circuit: Circuit) -> Circuit:
    """The same circuit without the operations and wires that no measurement depends on."""
    cone = set().union(*(measurement.all_wires for measurement in circuit.measurements))
    # a postselected wire changes what is measured on every wire that it is entangled with
    cone.update(wire for operation in circuit.operations if operation.name == "Projection" for wire in operation.wires)
    kept: list[Operation] = []
    for operation in reversed(circuit.operations):
        if cone.intersection(operation.wires) or (not operation.wires and circuit.sees_global_phase):
            cone.update(operation.wires)
            kept.append(operation)
    if circuit.preparation and cone.intersection(circuit.preparation.wires):
        cone.update(circuit.preparation.wires)
    elif circuit.preparation:
        circuit = replace(circuit, preparation=None)
    return _on_wires(
        replace(circuit, operations=tuple(reversed(kept))), sorted(cone) or [0]
    )  # what measures nothing but the identity still has a register


def _on_wires(circuit: Circuit, wires: list[int]) -> Circuit:
    """The circuit on some of its wires, which have to be all that it uses."""
    number = {wire: position for position, wire in enumerate(wires)}

    def renamed(old: Iterable[int]) -> tuple[int, ...]:
        return tuple(number[wire] for wire in old)

    def term(old: PauliTerm) -> PauliTerm:
        return PauliTerm(old.coefficient, tuple((number[wire], pauli) for wire, pauli in old.factors))

    preparation = circuit.preparation
    return replace(
        circuit,
        wire_labels=tuple(circuit.wire_labels[wire] for wire in wires),
        operations=tuple(replace(operation, wires=renamed(operation.wires)) for operation in circuit.operations),
        measurements=tuple(
            replace(
                old,
                wires=renamed(old.wires),
                other_wires=renamed(old.other_wires),
                observable=tuple(term(part) for part in old.observable),
            )
            for old in circuit.measurements
        ),
        preparation=preparation and replace(preparation, wires=renamed(preparation.wires)),
    )
