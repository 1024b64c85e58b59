"""Recording: what PennyLane queued, read into the records of a circuit.

Operators are rewritten to the gate table: controls and adjoints are peeled off, small constant operators become
matrices, and everything else goes through PennyLane's own decompositions until it is in the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

import numpy as np
import pennylane as qml
import tensorflow as tf

from qlayer.angles.angles import depends_on
from qlayer.angles.merging import merge, moved_measurement, moved_operation, moved_preparation
from qlayer.angles.traced import Traced, register_product
from qlayer.circuits.circuit import AngleOutput, Circuit, Measurement, Operation, Parameter, Preparation
from qlayer.circuits.gates import GATES
from qlayer.errors import CaptureError, UnsupportedError
from qlayer.recording import refusals
from qlayer.recording.eigenbasis import (
    Evolution,
    calculated_exponential,
    exponential,
    is_calculated,
    is_calculated_sum,
    power,
)
from qlayer.recording.observation import read_measurement, summands

_WITHOUT_EFFECT = ("Barrier", "Snapshot", "WireCut")
# up to here a constant operation is one small matrix; above, PennyLane's decomposition has less work
_MATRIX_MAX_WIRES = 2


@dataclass
class Recording:
    """A circuit in the making. Mutable: everything but the wire labels grows while operations are added."""

    labels: list[Any]
    visible: list[Any]  # the labels that the user knows; the rest holds deferred measurements
    is_bare: bool
    gradient: str = "exact"
    keeps_density: bool = False  # whether the device's state is a density matrix
    sources: list[tf.Tensor] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
    preparation: Preparation | None = None
    is_mixed: bool = False  # once there was a channel

    def circuit(self, inputs: tf.Tensor) -> Circuit:
        """The finished circuit; `inputs` is the placeholder of one sample."""
        return Circuit(
            wire_labels=tuple(self.labels),
            operations=tuple(self.operations),
            measurements=tuple(self.measurements),
            angle_outputs=tuple(AngleOutput(tuple(s.shape), depends_on(s, inputs)) for s in self.sources),
            preparation=self.preparation,
            is_bare=self.is_bare,
            is_mixed=self.is_mixed,
            gradient=self.gradient,
        )

    def merge(self) -> None:
        """Join the outputs that are calculated alike; to be called while the graph is made."""
        self.sources, places = merge(self.sources)
        self.operations = [moved_operation(operation, places) for operation in self.operations]
        self.measurements = [moved_measurement(measurement, places) for measurement in self.measurements]
        self.preparation = moved_preparation(self.preparation, places)

    def add_operations(self, operators: Sequence[Any]) -> None:
        """Add PennyLane's operators in order; a state that comes first becomes the preparation."""
        self.is_mixed = any(
            isinstance(operator, (qml.operation.Channel, qml.QubitDensityMatrix)) for operator in operators
        )
        for position, operator in enumerate(map(refusals.checked_state, operators)):
            culprit = f"operation {position} of the circuit, {_name(operator)}"
            is_first = not self.operations and self.preparation is None
            if is_first and isinstance(operator, (qml.StatePrep, qml.QubitDensityMatrix)):
                self.preparation = self.prepared(operator)
                refusals.check_finite([self.preparation.amplitudes], culprit)
            else:
                with refusals.refusing(culprit):
                    rewritten = self.rewrite(operator, culprit)
                refusals.check_finite([parameter for found in rewritten for parameter in found.parameters], culprit)
                self.operations.extend(rewritten)

    def prepared(self, operator: Any) -> Preparation:
        """The amplitudes of a state; for a density matrix, its elements."""
        elements = operator.parameters[0]
        if self.is_mixed and isinstance(operator, qml.StatePrep):
            amplitudes = qml.math.reshape(elements, (-1,))
            elements = qml.math.kron(amplitudes, qml.math.conj(amplitudes))
        return Preparation(self.wires(operator.wires), _flat(self.parameter(elements)))

    def wires(self, labels: Iterable[Any]) -> tuple[int, ...]:
        """The numbers of wires that are given by label."""
        return tuple(self.labels.index(label) for label in labels)

    def parameter(self, value: Any) -> Parameter:
        """An operation's argument as elements of the graph's outputs, or as constants."""
        if tf.is_symbolic_tensor(value):
            value = Traced(value)
        if isinstance(value, Traced):
            return Parameter(tuple(value.shape), (), self.output(value.source), tuple(value.positions.ravel().tolist()))
        constants = np.asarray(value)
        return Parameter(constants.shape, tuple(constants.ravel().tolist()))

    def output(self, source: tf.Tensor) -> int:
        """The index of a tensor among the graph's outputs."""
        for index, known in enumerate(self.sources):
            if known is source:
                return index
        self.sources.append(source)
        return len(self.sources) - 1

    def rewrite(self, operator: Any, culprit: str) -> list[Operation]:
        """An operator of PennyLane as operations of the gate table."""
        if operator.name in _WITHOUT_EFFECT:
            return []
        for kind, rewriting in _REWRITTEN.items():
            if isinstance(operator, kind):
                return rewriting(self, operator, culprit)
        if operator.name in GATES:
            return [self.gate(operator, culprit)]
        return self.rewrite_other(operator, culprit)

    def rewrite_adjoint(self, operator: Any, culprit: str) -> list[Operation]:
        """The inverse of every operation of the base, in reverse order."""
        base = self.rewrite(operator.base, culprit)
        return [replace(operation, is_adjoint=not operation.is_adjoint) for operation in reversed(base)]

    def rewrite_channel(self, operator: Any, culprit: str) -> list[Operation]:
        """A channel as a matrix on row-major density matrices: the sum of the Kraus matrices' K x conj(K)."""
        if isinstance(operator, qml.QubitDensityMatrix):  # what was there is traced out
            density = qml.math.reshape(operator.parameters[0], (-1, 1))
            matrix = density * np.eye(2 ** len(operator.wires)).reshape(1, -1)
        else:
            kraus = [qml.math.cast(factor, "complex128") for factor in operator.kraus_matrices()]
            matrix = sum(qml.math.kron(factor, qml.math.conj(factor)) for factor in kraus)
        parameter = self.parameter(matrix)
        refusals.check_channel(culprit, parameter, len(operator.wires))
        if not self.keeps_density:
            raise UnsupportedError(
                f"{culprit} makes the state a mixed one, and the QNode's device keeps a pure one. Use the device "
                "default.mixed."
            )
        self.is_mixed = True
        return [Operation("Channel", self.wires(operator.wires), (parameter,))]

    def rewrite_projector(self, operator: Any, _culprit: str) -> list[Operation]:
        """What postselection leaves: the state of each wire that was measured."""
        return [
            Operation("Projection", (wire,), (self.parameter(float(bit)),))
            for wire, bit in zip(self.wires(operator.wires), operator.parameters[0], strict=True)
        ]

    def rewrite_other(self, operator: Any, culprit: str) -> list[Operation]:
        """An operator without a row: as a small matrix, by its decomposition, or as a large matrix."""
        if operator.has_matrix and (isinstance(operator, qml.QubitUnitary) or _is_small_constant(operator)):
            return [self.matrix(operator, culprit)]
        if isinstance(operator, qml.ops.Exp) and is_calculated_sum(operator.base):
            return [self.unitary(operator, culprit, calculated_exponential(operator, culprit))]
        if isinstance(operator, qml.ops.Exp) and not operator.has_decomposition:
            return self.evolution(operator, exponential(operator, culprit))
        if isinstance(operator, qml.ops.Pow) and isinstance(operator.z, Traced) and not is_calculated(operator.base):
            return self.evolution(operator, power(operator))
        if operator.has_decomposition:
            return [found for part in operator.decomposition() for found in self.rewrite(part, culprit)]
        if operator.has_matrix:
            return [self.matrix(operator, culprit)]
        raise UnsupportedError(f"{culprit} cannot be compiled: {refusals.reason(operator)}")

    def evolution(self, operator: Any, found: Evolution) -> list[Operation]:
        """A diagonal between the changes into its eigenbasis and back."""
        wires = self.wires(operator.wires)
        return [
            Operation("QubitUnitary", wires, (self.parameter(found.basis.conj().T),)),
            Operation(
                "DiagonalEvolution", wires, (_scalar(self.parameter(found.angle)), self.parameter(found.energies))
            ),
            Operation("QubitUnitary", wires, (self.parameter(found.basis),)),
        ]

    def rewrite_controlled(self, operator: Any, culprit: str) -> list[Operation]:
        """Every operation of the base with more controls, between X gates where a control value is 0."""
        controls = self.wires(operator.control_wires)
        flips = [
            Operation("PauliX", (wire,)) for wire, one in zip(controls, operator.control_values, strict=True) if not one
        ]
        base = self.rewrite(operator.base, culprit)
        inner = [
            replace(operation, wires=(*controls, *operation.wires), controls=len(controls) + operation.controls)
            for operation in base
        ]
        return [*flips, *inner, *flips]

    def gate(self, operator: Any, culprit: str) -> Operation:
        """A row of the gate table."""
        parameters = tuple(self.parameter(value) for value in operator.parameters)
        for parameter in parameters:
            if parameter.shape and prod(parameter.shape) != 1:
                raise UnsupportedError(
                    f"{culprit} takes one angle for each sample, but was given {parameter.shape} of them. `inputs` is "
                    "one sample in a QNode: write `inputs[0]` for its first feature, not `inputs[:, 0]`."
                )
        return Operation(operator.name, self.wires(operator.wires), tuple(_scalar(p) for p in parameters))

    def matrix(self, operator: Any, culprit: str) -> Operation:
        """An operator as its matrix."""
        return self.unitary(operator, culprit, _dense(operator))

    def unitary(self, operator: Any, culprit: str, elements: Any) -> Operation:
        """A whole matrix, constant or calculated."""
        matrix = self.parameter(elements)
        size = 2 ** len(operator.wires)
        if matrix.shape not in {(size, size), (1, size, size)}:
            raise UnsupportedError(
                f"{culprit} has a matrix of shape {matrix.shape}, but on {len(operator.wires)} qubits it must be "
                f"{(size, size)}. Qutrits, and a matrix for each sample of a batch, cannot be compiled."
            )
        # without the axis of a batch of one
        return Operation("QubitUnitary", self.wires(operator.wires), (replace(matrix, shape=(size, size)),))

    def add_measurements(self, processes: Iterable[Any], shots: int) -> None:
        """Add PennyLane's measurements in order; 0 shots for exact results."""
        for process in processes:
            self.measurements.append(self.measurement(process, shots))

    def measurement(self, process: Any, shots: int) -> Measurement:
        """One of PennyLane's measurements, of qubits and of constant observables."""
        try:
            measurement = read_measurement(process, self.wires, self.visible, shots)
        except CaptureError as exc:
            return self.weighted_sum(process, shots, exc)
        refusals.check_qubits(process, measurement)
        if measurement.kind == "state" and self.keeps_density:
            return replace(measurement, kind="density_matrix")
        if self.is_mixed:
            refusals.check_mixed(process, measurement)
        return measurement

    def weighted_sum(self, process: Any, shots: int, unknown: CaptureError) -> Measurement:
        """The expectation value of a sum with calculated coefficients: of its terms, and the coefficients."""
        refusal = refusals.calculated_observable(process)
        if not isinstance(process, qml.measurements.ExpectationMP):
            raise refusal from unknown
        try:
            coefficients, terms = zip(*summands(process.obs), strict=True)
            parts = tuple(self.term(term, shots) for term in terms)
        except (CaptureError, qml.exceptions.OperatorPropertyUndefined):
            raise refusal from unknown
        weights = self.parameter(qml.math.stack(list(coefficients)))
        return Measurement(parts[0].kind, shots=shots, parts=parts, weights=weights)

    def term(self, term: Any, shots: int) -> Measurement:
        """The expectation value of a term; of a constant, PennyLane only takes it where there is a wire."""
        observable = term if len(term.wires) else qml.Identity(self.visible[0])
        return read_measurement(qml.expval(observable), self.wires, self.visible, shots)


_REWRITTEN: dict[Any, Callable[[Recording, Any, str], list[Operation]]] = {
    qml.ops.Adjoint: Recording.rewrite_adjoint,
    qml.ops.Controlled: Recording.rewrite_controlled,
    qml.operation.Channel: Recording.rewrite_channel,
    qml.QubitDensityMatrix: Recording.rewrite_channel,
    qml.Projector: Recording.rewrite_projector,
}


# `weights[0] * qml.X(0)`: PennyLane would take the array for no number
register_product(qml.operation.Operator, qml.s_prod)


def _name(operator: Any) -> str:
    return f"{operator.name} on wires {operator.wires.tolist()}"


def _scalar(parameter: Parameter) -> Parameter:
    return Parameter((), parameter.values, parameter.output, parameter.positions)


def _flat(parameter: Parameter) -> Parameter:
    return replace(parameter, shape=(prod(parameter.shape),))


def _is_small_constant(operator: Any) -> bool:
    """Whether it is worth a matrix; some templates keep their angles among the hyperparameters."""
    values = tf.nest.flatten([*operator.parameters, *operator.hyperparameters.values()])
    return len(operator.wires) <= _MATRIX_MAX_WIRES and not any(isinstance(v, Traced | tf.Tensor) for v in values)


def _dense(operator: Any) -> Any:
    """The matrix on the operator's own wires: a NumPy array, or a traced one."""
    matrix = qml.matrix(operator, wire_order=operator.wires)
    return matrix.todense() if hasattr(matrix, "todense") else matrix
