"""Scheduler: Circuit -> Plan.

Each factor of each gate goes into the earliest step that can take it: rotations of a wire join into one 2 x 2 matrix,
diagonals and permutations into one phase and one gather.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import numpy as np

from qlayer.circuits.circuit import Circuit
from qlayer.circuits.density import density_preparation
from qlayer.circuits.factors import Factor, Matrix, Permutation, Phase, Term, Variable
from qlayer.circuits.frames import Slotted, hadamards_carried
from qlayer.circuits.hadamards import hadamards_moved
from qlayer.circuits.permutations import BasisPermutation, sharing_permutations
from qlayer.circuits.plan import (
    Angle,
    AngleSource,
    Chain,
    Layer,
    MaskTerm,
    MatrixStep,
    PhaseStep,
    Plan,
    Readout,
    VariableStep,
)
from qlayer.circuits.product import with_product_prefix
from qlayer.circuits.readouts import pulled_back, readout_of
from qlayer.circuits.slots import Slot, slotted_factors


def plans_of(circuit: Circuit) -> Iterator[Plan]:
    """The plans for a circuit, the best of which costs tell.

    They are of its gates as they are; and, where that takes matrices away, with Hadamards carried through the gates,
    diagonals joining the matrix in front of them or not.
    """
    places = count(1)
    factors = [
        (factor, slots)
        for factors, slots in (slotted_factors(operation, circuit, places) for operation in circuit.operations)
        for factor in factors
    ]
    yield _planned(circuit, factors)
    carried = list(hadamards_carried(factors))
    if _matrix_count(carried) < _matrix_count(factors):
        yield _planned(circuit, carried)
        yield _planned(circuit, carried, keeps_diagonals=True)


def _matrix_count(factors: list[Slotted]) -> int:
    return sum(isinstance(factor, Matrix) for factor, _ in factors)


def _planned(circuit: Circuit, factors: list[Slotted], *, keeps_diagonals: bool = False) -> Plan:
    scheduler = _Scheduler(circuit, keeps_diagonals=keeps_diagonals)
    for factor, slots in factors:
        scheduler.place(factor, slots)
    scheduler.finish()
    return scheduler.plan()


# ---------------------------------------------------------------------------------------------------------- scheduling


@dataclass
class _LayerBuilder:
    """A layer in the making: for each wire its constant matrices and the phases between them."""

    matrices: dict[int, list[np.ndarray]] = field(default_factory=dict)
    phases: dict[int, list[tuple[Angle, tuple[float, float]]]] = field(default_factory=dict)

    def multiply(self, wire: int, matrix: np.ndarray) -> None:
        chain = self.matrices.setdefault(wire, [np.eye(2)])
        chain[-1] = matrix @ chain[-1]

    def turn(self, wire: int, angle: Angle, multiples: tuple[float, float]) -> None:
        self.matrices.setdefault(wire, [np.eye(2)]).append(np.eye(2))
        self.phases.setdefault(wire, []).append((angle, multiples))

    def build(self) -> Layer:
        return Layer(
            tuple(
                (wire, Chain(tuple(matrices), tuple(self.phases.get(wire, ()))))
                for wire, matrices in sorted(self.matrices.items())
            )
        )


@dataclass
class _PhaseBuilder:
    """A phase and a permutation in the making; the coefficients of equal masks and angles are added."""

    permutation: BasisPermutation
    coefficients: dict[tuple[int, Angle | None], float] = field(default_factory=dict)

    def add(self, wires: frozenset[int], coefficient: float, angle: Angle | None) -> None:
        mask, flip = self.permutation.pull_back(wires)
        key = (mask, angle)
        self.coefficients[key] = self.coefficients.get(key, 0.0) + (-coefficient if flip else coefficient)

    def build(self) -> PhaseStep:
        terms = tuple(MaskTerm(mask, value, angle) for (mask, angle), value in self.coefficients.items() if value)
        return PhaseStep(terms, self.permutation.sources(), self.permutation.only_flips or 0)


_Builder = _LayerBuilder | _PhaseBuilder | MatrixStep | VariableStep


class _Scheduler:
    """Places factors into steps. Mutable: the steps, where each wire stands, and what waits for its next gate."""

    def __init__(self, circuit: Circuit, *, keeps_diagonals: bool) -> None:
        self.circuit = circuit
        self.keeps_diagonals = keeps_diagonals
        self.wire_count = circuit.wire_count * (2 if circuit.is_mixed else 1)
        self.steps: list[_Builder] = []
        self.standing: dict[int, int] = {}  # wire -> index of the last step that touches it
        self.waiting: dict[int, list[Slotted]] = {}
        # is_input_dependent -> (output, position, place) -> index of the angle and its source
        self.angles: dict[bool, dict[tuple[int, int, int], tuple[int, AngleSource]]] = {False: {}, True: {}}

    def place(self, factor: Factor, slots: tuple[Slot, ...]) -> None:
        """Put a factor into the earliest step that can take it.

        A diagonal or a flip of one wire fits into a matrix as well as into a phase. It joins the matrix in front of it;
        without one it waits for its wire's next gate and goes where that one goes. So it never costs a step of its own.
        Where diagonals are kept, it always waits: matrices without diagonals may be real.
        """
        if self._fits_anywhere(factor, slots):
            if self._stands_in_layer(factor.wires[0]) and not self.keeps_diagonals:
                self._insert(factor, slots, is_layer=True)
                return
            self.waiting.setdefault(factor.wires[0], []).append((factor, slots))
            return
        is_layer = isinstance(factor, Matrix) and len(factor.wires) == 1
        for wire in factor.wires:
            self._release(wire, is_layer=is_layer)
        self._insert(factor, slots, is_layer=is_layer)

    def finish(self) -> None:
        """Place what still waits."""
        for wire in list(self.waiting):
            self._release(wire, is_layer=False)

    def plan(self) -> Plan:
        """The finished plan."""
        readouts = tuple(readout_of(measurement, self.circuit.wire_count) for measurement in self.circuit.measurements)
        readouts = self._absorb_last_step(readouts)
        steps = [step.build() if isinstance(step, _LayerBuilder | _PhaseBuilder) else step for step in self.steps]
        steps = list(sharing_permutations(hadamards_moved(steps, self.wire_count)))
        preparation = self.circuit.preparation
        if preparation and self.circuit.is_mixed:
            preparation = density_preparation(preparation, self.circuit.wire_count)
        prefix, steps = ([], steps) if preparation else with_product_prefix(steps)
        return Plan(
            wire_count=self.wire_count,
            weight_angles=tuple(source for _, source in self.angles[False].values()),
            input_angles=tuple(source for _, source in self.angles[True].values()),
            preparation=preparation,
            prefix=tuple(prefix),
            steps=tuple(steps),
            readouts=readouts,
        )

    def _fits_anywhere(self, factor: Factor, slots: tuple[Slot, ...]) -> bool:
        if isinstance(factor, Matrix | Variable) or len(factor.wires) != 1:
            return False
        terms = factor.terms if isinstance(factor, Phase) else ()
        used = {term.parameter for term in terms if term.parameter is not None}
        return not any(self.circuit.is_input_dependent(slots[index].parameter) for index in used)

    def _stands_in_layer(self, wire: int) -> bool:
        """Whether the last thing that happened to a wire is a matrix of its own."""
        last = self.standing.get(wire)
        return last is not None and isinstance(self.steps[last], _LayerBuilder)

    def _release(self, wire: int, *, is_layer: bool) -> None:
        for factor, slots in self.waiting.pop(wire, ()):
            self._insert(factor, slots, is_layer=is_layer)

    def _insert(self, factor: Factor, slots: tuple[Slot, ...], *, is_layer: bool) -> None:
        start = max((self.standing.get(wire, 0) for wire in factor.wires), default=0)
        if is_layer:
            index, layer = self._find_layer(start)
            self._join_layer(layer, factor, slots)
        elif isinstance(factor, Matrix):
            index = len(self.steps)
            self.steps.append(MatrixStep(factor.wires, factor.matrix))
        elif isinstance(factor, Variable):
            index = len(self.steps)
            elements = slots[factor.parameter].parameter
            self.steps.append(
                VariableStep(factor.wires, factor.controls, factor.is_adjoint, factor.is_conjugate, elements)
            )
        else:
            index, phase = self._find_phase(start, factor)
            self._join_phase(phase, factor, slots)
        self.standing.update(dict.fromkeys(factor.wires, index))

    def _find_layer(self, start: int) -> tuple[int, _LayerBuilder]:
        for index, step in enumerate(self.steps[start:], start):
            if isinstance(step, _LayerBuilder):
                return index, step
        self.steps.append(layer := _LayerBuilder())
        return len(self.steps) - 1, layer

    def _find_phase(self, start: int, factor: Phase | Permutation) -> tuple[int, _PhaseBuilder]:
        wires = frozenset(factor.wires)
        for index, step in enumerate(self.steps[start:], start):
            if isinstance(step, _PhaseBuilder) and (
                isinstance(factor, Permutation) or step.permutation.accepts_phase(wires)
            ):
                return index, step
        self.steps.append(phase := _PhaseBuilder(BasisPermutation(self.wire_count)))
        return len(self.steps) - 1, phase

    def _join_layer(self, step: _LayerBuilder, factor: Factor, slots: tuple[Slot, ...]) -> None:
        (wire,) = factor.wires
        match factor:
            case Matrix():
                step.multiply(wire, factor.matrix)
            case Permutation():
                step.multiply(wire, np.eye(2)[list(factor.inverse().table)])
            case Phase():
                for term in self._seen_terms(factor):
                    self._turn(step, wire, term, slots)

    def _turn(self, step: _LayerBuilder, wire: int, term: Term, slots: tuple[Slot, ...]) -> None:
        angle, coefficient = self._angle(term, slots)
        multiples = (coefficient, -coefficient if term.wires else coefficient)
        if angle is None:
            step.multiply(wire, np.diag(np.exp(1j * np.array(multiples))))
        else:
            step.turn(wire, angle, multiples)

    def _join_phase(self, step: _PhaseBuilder, factor: Phase | Permutation, slots: tuple[Slot, ...]) -> None:
        if isinstance(factor, Permutation):
            step.permutation.append(factor)
            return
        for term in self._seen_terms(factor):
            angle, coefficient = self._angle(term, slots)
            step.add(term.wires, coefficient, angle)

    def _seen_terms(self, phase: Phase) -> list[Term]:
        """The terms that a result can see: global phases only where the state itself is one."""
        return [term for term in phase.terms if term.wires or self.circuit.sees_global_phase]

    def _angle(self, term: Term, slots: tuple[Slot, ...]) -> tuple[Angle | None, float]:
        """The plan's angle of a term and its coefficient; constants are multiplied into the coefficient."""
        if term.parameter is None:
            return None, term.coefficient
        parameter, place = slots[term.parameter]
        if parameter.output is None:
            return None, term.coefficient * float(np.real(parameter.values[0]))
        varies = self.circuit.is_input_dependent(parameter)
        known, position = self.angles[varies], parameter.positions[0]
        source = AngleSource(parameter.output, position, term.coefficient)
        index, _ = known.setdefault((parameter.output, position, place), (len(known), source))
        return Angle(index, varies), term.coefficient

    def _absorb_last_step(self, readouts: tuple[Readout, ...]) -> tuple[Readout, ...]:
        """Drop a last phase that no readout sees, and read the observables in front of a last permutation."""
        last = self.steps[-1] if self.steps and not self.circuit.is_mixed else None
        is_diagonal = all(readout.is_diagonal for readout in readouts)
        if not isinstance(last, _PhaseBuilder) or not is_diagonal:
            return readouts
        last.coefficients.clear()
        if last.permutation.is_affine and all(readout.words for readout in readouts):
            self.steps.pop()
            return tuple(pulled_back(readout, last.permutation) for readout in readouts)
        return readouts
