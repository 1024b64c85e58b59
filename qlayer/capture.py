"""Capture: from a QNode to a Circuit and the graph that computes its angles.

The only file that imports PennyLane for circuits. PennyLane is read here, never executed: the quantum function runs once,
on arrays without values, and what it queued is rewritten to the gate table by PennyLane's own decompositions.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

import numpy as np
import pennylane as qml
import tensorflow as tf

from qlayer.angles import AngleGraph, depends_on
from qlayer.circuit import AngleOutput, Circuit, Measurement, Operation, Parameter, PauliTerm, Preparation
from qlayer.errors import CaptureError, UnsupportedError
from qlayer.gates import GATES
from qlayer.traced import Traced

# exact simulators of pure states: what they would compute is what we compile
_DEVICES = ("default.qubit", "lightning.qubit", "lightning.kokkos", "lightning.gpu", "reference.qubit")
_WITHOUT_EFFECT = ("Barrier", "Snapshot", "WireCut")
# up to here a constant operation is one small matrix; above, PennyLane's decomposition has less work
_MATRIX_MAX_WIRES = 2


def capture(
    qnode: qml.QNode, input_argument: str, sample_shape: Sequence[int], weight_shapes: Mapping[str, Sequence[int]], dtype: Any
) -> tuple[Circuit, AngleGraph]:
    """Record a QNode.

    Args:
        qnode: the QNode; its function is called once.
        input_argument: name of the argument that takes one sample of the inputs.
        sample_shape: shape of one sample.
        weight_shapes: shape of each other argument, by name.
        dtype: real data type of all arguments.

    Returns:
        The circuit, and the graph from inputs and weights (in the order of `weight_shapes`) to its angles.

    Raises:
        CaptureError: if the function asks for the value of an argument, or cannot be called with these shapes.
        UnsupportedError: if the device, an operation or a measurement cannot be compiled; it names the culprit.
    """
    check_device(qnode)
    recorded: list[_Recording] = []
    names = (input_argument, *weight_shapes)

    def record(*arguments: tf.Tensor) -> list[tf.Tensor]:
        recording = _record(qnode, dict(zip(names, arguments, strict=True)))
        recorded.append(recording)
        return recording.sources

    specs = [tf.TensorSpec(shape, dtype) for shape in (sample_shape, *weight_shapes.values())]
    with tf.init_scope():
        graph = tf.function(record, autograph=False).get_concrete_function(*specs).graph
    (recording,) = recorded
    return recording.circuit(graph.inputs[0]), _angle_graph(graph, recording.sources, len(names))


def check_device(qnode: qml.QNode) -> None:
    """Refuse a device that does more, or other things, than simulate a pure state."""
    if qnode.device.name not in _DEVICES:
        raise UnsupportedError(
            f"the QNode runs on device {qnode.device.name!r}, which cannot be compiled to TensorFlow. Use one of "
            f"{', '.join(_DEVICES)}."
        )


def _angle_graph(graph: tf.Graph, sources: list[tf.Tensor], arguments: int) -> AngleGraph:
    unknown = [outer for outer, _ in graph.captures]
    if unknown:
        raise CaptureError(
            f"the quantum function uses {unknown[0]!r}, which is made outside of it and is not one of its arguments. "
            "Make it a weight of the layer, or a NumPy array if it never changes."
        )
    return AngleGraph(
        graph_def=graph.as_graph_def().SerializeToString(deterministic=True),
        arguments=tuple(tensor.name for tensor in graph.inputs[:arguments]),
        outputs=tuple(tensor.name for tensor in sources),
        is_input_dependent=tuple(depends_on(tensor, graph.inputs[0]) for tensor in sources),
    )


def _record(qnode: qml.QNode, arguments: Mapping[str, tf.Tensor]) -> _Recording:
    """Call the quantum function once and read what it queued."""
    results: list[Any] = []

    def function(*args: Any, **kwargs: Any) -> Any:
        results.append(qnode.func(*args, **kwargs))
        return results[-1]

    recorder = copy.copy(qnode)
    recorder.func = function
    tape = qml.workflow.construct_tape(recorder, level="user")(**{name: Traced(value) for name, value in arguments.items()})
    if tape.shots:
        raise UnsupportedError(
            f"the QNode asks for {tape.shots.total_shots} shots; finite shots cannot be compiled yet. Use shots=None."
        )
    labels = _wire_order(qnode.device, tape)
    recording = _Recording(labels, is_bare=isinstance(results[0], qml.measurements.MeasurementProcess))
    with qml.QueuingManager.stop_recording():
        recording.add_operations(tape.operations)
        recording.add_measurements(tape.measurements)
    return recording


def _wire_order(device: Any, tape: qml.tape.QuantumScript) -> list[Any]:
    """The device's wires; without any, the circuit's own, as default.qubit orders them."""
    if device.wires is not None and len(device.wires):
        unknown = [wire for wire in tape.wires if wire not in device.wires]
        if unknown:
            raise UnsupportedError(f"the circuit uses wires {unknown}, but its device only has {device.wires.tolist()}.")
        return list(device.wires)
    labels = list(tape.wires)
    return sorted(labels) if set(labels) == set(range(len(labels))) else labels


@dataclass
class _Recording:
    """A circuit in the making. Mutable: everything but the wire labels grows while operations are added."""

    labels: list[Any]
    is_bare: bool
    sources: list[tf.Tensor] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
    preparation: Preparation | None = None

    def circuit(self, inputs: tf.Tensor) -> Circuit:
        """The finished circuit; `inputs` is the placeholder of one sample."""
        return Circuit(
            wire_labels=tuple(self.labels),
            operations=tuple(self.operations),
            measurements=tuple(self.measurements),
            angle_outputs=tuple(AngleOutput(tuple(s.shape), depends_on(s, inputs)) for s in self.sources),
            preparation=self.preparation,
            is_bare=self.is_bare,
        )

    def add_operations(self, operators: Iterable[Any]) -> None:
        for position, operator in enumerate(operators):
            if isinstance(operator, qml.StatePrep) and not self.operations and self.preparation is None:
                amplitudes = self.parameter(operator.parameters[0])
                self.preparation = Preparation(self.wires(operator.wires), amplitudes)
            else:
                self.operations.extend(self.rewrite(operator, f"operation {position} of the circuit, {_name(operator)}"))

    def wires(self, labels: Iterable[Any]) -> tuple[int, ...]:
        """The numbers of wires that are given by label."""
        return tuple(self.labels.index(label) for label in labels)

    def parameter(self, value: Any) -> Parameter:
        """An operation's argument as elements of the graph's outputs, or as constants."""
        if isinstance(value, tf.Tensor):
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
        if isinstance(operator, qml.ops.Adjoint):
            base = self.rewrite(operator.base, culprit)
            return [replace(operation, is_adjoint=not operation.is_adjoint) for operation in reversed(base)]
        if isinstance(operator, qml.ops.Controlled):
            return self.rewrite_controlled(operator, culprit)
        if operator.name in GATES:
            return [self.gate(operator, culprit)]
        if _is_small_constant(operator):
            return [self.matrix(operator)]
        if operator.has_decomposition:
            return [found for part in operator.decomposition() for found in self.rewrite(part, culprit)]
        if operator.has_matrix and _is_constant(operator):
            return [self.matrix(operator)]
        raise UnsupportedError(
            f"{culprit} cannot be compiled: PennyLane knows neither a decomposition nor a constant matrix for "
            f"{operator.name}. Write it with the gates of PennyLane's standard set."
        )

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
                    f"{culprit} takes one angle for each sample, but was given {parameter.shape} of them. `inputs` is one "
                    "sample in a QNode: write `inputs[0]` for its first feature, not `inputs[:, 0]`."
                )
        return Operation(operator.name, self.wires(operator.wires), tuple(_scalar(p) for p in parameters))

    def matrix(self, operator: Any) -> Operation:
        """A constant matrix."""
        return Operation("QubitUnitary", self.wires(operator.wires), (self.parameter(_dense(operator)),))

    def add_measurements(self, processes: Iterable[Any]) -> None:
        for process in processes:
            reader = _MEASUREMENTS.get(type(process))
            if reader is None:
                raise UnsupportedError(
                    f"the measurement {process} cannot be compiled yet; expval of Pauli words and their sums, probs and "
                    "state can."
                )
            self.measurements.append(reader(self, process))

    def expval(self, process: Any) -> Measurement:
        """An expectation value of a sum of Pauli words."""
        sentence = process.obs.pauli_rep if process.obs is not None else None
        if sentence is None:
            raise UnsupportedError(f"{process} is not a sum of Pauli words; only those can be compiled yet.")
        sentence.simplify()
        return Measurement("expval", (), tuple(self.term(word, coefficient) for word, coefficient in sentence.items()))

    def term(self, word: Any, coefficient: Any) -> PauliTerm:
        """One Pauli word with its coefficient."""
        if not np.isclose(np.imag(coefficient), 0):
            raise UnsupportedError(f"the coefficient {coefficient} of {word} is not real, so this is no observable.")
        factors = zip(self.wires(word), word.values(), strict=True)
        return PauliTerm(float(np.real(coefficient)), tuple(factors))

    def probs(self, process: Any) -> Measurement:
        """Probabilities in the computational basis."""
        if process.obs is not None or process.mv is not None or process._eigvals is not None:  # noqa: SLF001 - no public name
            raise UnsupportedError(f"{process} cannot be compiled yet; probs of wires can.")
        return Measurement("probs", self.wires(process.wires or self.labels))

    def state(self, _process: Any) -> Measurement:
        """The whole statevector."""
        return Measurement("state", tuple(range(len(self.labels))))


_MEASUREMENTS: dict[type, Callable[[_Recording, Any], Measurement]] = {
    qml.measurements.ExpectationMP: _Recording.expval,
    qml.measurements.ProbabilityMP: _Recording.probs,
    qml.measurements.StateMP: _Recording.state,
}



def _name(operator: Any) -> str:
    return f"{operator.name} on wires {operator.wires.tolist()}"


def _scalar(parameter: Parameter) -> Parameter:
    return Parameter((), parameter.values, parameter.output, parameter.positions)


def _is_constant(operator: Any) -> bool:
    return not any(isinstance(value, Traced | tf.Tensor) for value in operator.parameters)


def _is_small_constant(operator: Any) -> bool:
    is_small = len(operator.wires) <= _MATRIX_MAX_WIRES or isinstance(operator, qml.QubitUnitary)
    return bool(operator.has_matrix and is_small and _is_constant(operator))


def _dense(operator: Any) -> np.ndarray:
    matrix = qml.matrix(operator, wire_order=operator.wires)
    return np.asarray(matrix.todense() if hasattr(matrix, "todense") else matrix)
