"""Circuit: what a QNode does, as plain frozen data.

The waist of qlayer: capture writes circuits, the scheduler reads them, and so does everything that draws, saves or
counts. No TensorFlow and no PennyLane here. Wires are numbered 0 to `wire_count - 1`, wire 0 being the most significant
bit of a basis state, as in PennyLane.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod


@dataclass(frozen=True)
class Parameter:
    """The numbers one argument of an operation takes: constants, or elements of an output of the angle graph.

    Args:
        shape: shape of the argument; () for an angle.
        values: the constants, flattened in C order; empty for an argument that is not constant.
        output: index of the output of the angle graph, None for constants.
        positions: where in that flattened output each element lies, flattened in C order.
    """

    shape: tuple[int, ...] = ()
    values: tuple[complex, ...] = ()
    output: int | None = None
    positions: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        given = len(self.values) if self.is_constant else len(self.positions)
        assert given == prod(self.shape), f"{given} elements for shape {self.shape}: this is a bug"

    @property
    def is_constant(self) -> bool:
        """Whether it is known without inputs and weights."""
        return self.output is None


@dataclass(frozen=True)
class Operation:
    """One gate of the gate table, or a matrix, on some wires.

    Args:
        name: row of the gate table; or one of
            "QubitUnitary", with a matrix as its only parameter;
            "DiagonalEvolution", exp(-1j * angle * diag(energies)), with the angle and the energies as parameters;
            "Projection" of a wire onto the basis state that is its parameter (postselection);
            "Channel", with its matrix on row-major density matrices as its only parameter: shape (4 ** k, 4 ** k).
        wires: the control wires first, then the wires of the gate.
        parameters: in the order of the gate's row.
        controls: how many of the wires control the gate; it acts where all of them are 1.
        is_adjoint: whether the inverse of the gate is applied.
    """

    name: str
    wires: tuple[int, ...]
    parameters: tuple[Parameter, ...] = ()
    controls: int = 0
    is_adjoint: bool = False

    def __post_init__(self) -> None:
        assert len(set(self.wires)) == len(self.wires), f"{self.name} repeats a wire of {self.wires}: this is a bug"
        assert self.controls <= len(self.wires), f"{self.name} has more controls than wires: this is a bug"


@dataclass(frozen=True)
class Preparation:
    """The amplitudes some wires start with; all other wires start in 0.

    Args:
        wires: the prepared wires.
        amplitudes: parameter of shape (2 ** len(wires),), of norm 1; of a mixed circuit, the density matrix in
            row-major order, of shape (4 ** len(wires),).
    """

    wires: tuple[int, ...]
    amplitudes: Parameter


@dataclass(frozen=True)
class PauliTerm:
    """A real multiple of a product of Pauli operators: `coefficient`, and for each wire one of "X", "Y", "Z"."""

    coefficient: float
    factors: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Measurement:
    """One result of a circuit.

    Args:
        kind: a row of the measurement table.
        wires: the wires it looks at, in their order in the result; empty for an observable of Pauli words.
        observable: the sum of Pauli words that is measured.
        matrix: constants of shape (2 ** k, 2 ** k) on the k wires: an observable that is no sum of Pauli words, or the
            change of basis in front of probabilities.
        other_wires: the second group of wires, for a mutual information.
        log_base: base of the logarithm of an entropy; None for the natural one.
        shots: how often it is drawn; 0 for an exact result.
        groups: how many groups of shots the median is taken of, for the expectation value of a classical shadow.
        parts: the expectation values of the terms of an observable whose coefficients are calculated.
        weights: these coefficients, one for each part.
    """

    kind: str
    wires: tuple[int, ...] = ()
    observable: tuple[PauliTerm, ...] = ()
    matrix: Parameter | None = None
    other_wires: tuple[int, ...] = ()
    log_base: float | None = None
    shots: int = 0
    groups: int = 1
    parts: tuple[Measurement, ...] = ()
    weights: Parameter | None = None

    @property
    def all_wires(self) -> set[int]:
        """Every wire it depends on."""
        own = {*self.wires, *self.other_wires, *(wire for term in self.observable for wire, _ in term.factors)}
        return own.union(*(part.all_wires for part in self.parts))


@dataclass(frozen=True)
class AngleOutput:
    """One output of the angle graph: its shape, and whether it changes from sample to sample."""

    shape: tuple[int, ...]
    is_input_dependent: bool


@dataclass(frozen=True)
class Circuit:
    """A circuit without its angles' values.

    Args:
        wire_labels: the user's name of each wire.
        operations: in the order of application.
        measurements: in the order of the results.
        angle_outputs: what the angle graph computes from inputs and weights.
        preparation: what the register starts with; None for all wires in 0.
        is_bare: whether the QNode returns a single measurement that is not in a list or tuple.
        is_mixed: whether its state is a density matrix; of a circuit with channels.
        gradient: how it is differentiated: "exact", by "parameter-shift", or "none".
    """

    wire_labels: tuple[int | str, ...]
    operations: tuple[Operation, ...]
    measurements: tuple[Measurement, ...]
    angle_outputs: tuple[AngleOutput, ...]
    preparation: Preparation | None = None
    is_bare: bool = False
    is_mixed: bool = False
    gradient: str = "exact"

    @property
    def wire_count(self) -> int:
        """Number of wires."""
        return len(self.wire_labels)

    @property
    def sees_global_phase(self) -> bool:
        """Whether a result changes with the global phase."""
        return any(measurement.kind == "state" for measurement in self.measurements)

    @property
    def is_postselected(self) -> bool:
        """Whether some outcomes of measurements within the circuit are left out."""
        return any(operation.name == "Projection" for operation in self.operations)

    def is_input_dependent(self, parameter: Parameter) -> bool:
        """Whether a parameter changes from sample to sample."""
        return parameter.output is not None and self.angle_outputs[parameter.output].is_input_dependent
