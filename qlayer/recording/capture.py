"""Capture: from a QNode to a Circuit and the graph that computes its angles.

With `recording`, `observation`, `eigenbasis` and `refusals`, the files that read PennyLane (`host` alone executes it).
The function runs once, on arrays without values, and what it queued is rewritten to the gate table.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from traceback import walk_tb
from typing import Any

import pennylane as qml
import tensorflow as tf

from qlayer.angles.angles import AngleGraph, depends_on
from qlayer.angles.casts import with_silent_casts
from qlayer.angles.squeezes import with_named_axes
from qlayer.angles.substitutes import constants_as, unknown_differs
from qlayer.angles.traced import Traced
from qlayer.circuits.circuit import Circuit
from qlayer.errors import CaptureError, QLayerError, UnsupportedError
from qlayer.recording.recording import Recording
from qlayer.recording.refusals import check_shots

QNode = qml.QNode

# exact simulators: what they would compute is what we compile
_DEVICES = (
    "default.qubit",
    "lightning.qubit",
    "lightning.kokkos",
    "lightning.gpu",
    "reference.qubit",
    "default.mixed",
)
_KEEP_DENSITY = ("default.mixed",)
# methods of PennyLane that differentiate the state itself, also where results are drawn from it
_EXACT_GRADIENTS = ("backprop", "adjoint")
# transforms that only split a circuit by what can be measured at once: the compiled circuit measures everything at once
_SPLITTING = {
    transform.tape_transform
    for transform in (
        qml.transforms.broadcast_expand,
        qml.transforms.sign_expand,
        qml.transforms.split_non_commuting,
        qml.transforms.split_to_single_terms,
    )
}
# operations that hold functions: a graph with them cannot be copied into another one for good
_CONTROL_FLOW = ("If", "StatelessIf", "While", "StatelessWhile", "Case", "StatelessCase")


def capture(
    qnode: qml.QNode,
    input_argument: str,
    sample_shape: Sequence[int],
    weight_shapes: Mapping[str, Sequence[int]],
    dtype: Any,
) -> tuple[Circuit, AngleGraph]:
    """Record a QNode.

    Args:
        qnode: the QNode. Its function is called once; twice if it turns out to be written for batches.
        input_argument: name of the argument that takes one sample of the inputs.
        sample_shape: shape of one sample.
        weight_shapes: shape of each other argument, by name.
        dtype: real data type of all arguments.

    Returns:
        The circuit, and the graph from inputs and weights (in the order of `weight_shapes`) to its angles.

    Raises:
        CaptureError: if the function asks for the value of an argument, or cannot be called with these shapes.
        UnsupportedError: if an operation or a measurement cannot be compiled; it names the culprit.
    """
    arguments = {input_argument: tuple(sample_shape), **weight_shapes}
    try:
        return _capture(qnode, arguments, dtype)
    except QLayerError:
        raise
    except Exception as exc:
        # a QNode that was written for PennyLane's broadcasting (`inputs[:, 0]`) takes a batch of one sample
        try:
            return _capture(qnode, arguments | {input_argument: (1, *sample_shape)}, dtype)
        except Exception:  # noqa: BLE001, S110 - the first error is the one that tells the user what is wrong
            pass
        # others are mistakes of any Python, neither of shapes nor of what our arrays lack
        if not isinstance(exc, ValueError | TypeError | IndexError) and Traced.__name__ not in str(exc):
            raise
        raise CaptureError(_shapes_do_not_fit(qnode, arguments, exc)) from exc


def _shapes_do_not_fit(qnode: qml.QNode, arguments: Mapping[str, Sequence[int]], exc: Exception) -> str:
    shapes = ", ".join(f"{name!r} of shape {tuple(shape)}" for name, shape in arguments.items())
    reason = str(exc).partition("\n")[0].rstrip(".")
    # Keras cuts the traceback, which would show the line
    own = getattr(qnode.func, "__code__", None)
    lines = [line for frame, line in walk_tb(exc.__traceback__) if frame.f_code is own]
    place = f" in line {lines[-1]} of {own.co_filename}" if own and lines else ""
    return (
        f"the QNode {getattr(qnode.func, '__name__', repr(qnode.func))!r} was recorded with one sample of the inputs "
        f"and its weights, {shapes}, and raised {type(exc).__name__}{place}: {reason}. Correct weight_shapes, the "
        "number of features, or the QNode."
    )


def _capture(qnode: qml.QNode, arguments: Mapping[str, Sequence[int]], dtype: tf.DType) -> tuple[Circuit, AngleGraph]:
    """Record a QNode for one shape of each argument, the inputs first."""
    recorded: list[Recording] = []

    def record(*values: tf.Tensor) -> list[tf.Tensor]:
        with constants_as(dtype):
            recorded.append(_record(qnode, dict(zip(arguments, values, strict=True))))
            recorded[0].merge()
        return recorded[0].sources

    with tf.init_scope():
        specs = [tf.TensorSpec(shape, dtype) for shape in arguments.values()]
        graph = tf.function(record, autograph=False).get_concrete_function(*specs).graph
    (recording,) = recorded
    return recording.circuit(graph.inputs[0]), _angle_graph(graph, recording.sources, len(arguments))


def is_compiled(device: Any) -> bool:
    """Whether what a device computes is what we compile.

    It must be the very class that PennyLane makes under that name: a device of the user that is derived from it, or
    one with a transform of its own, keeps the name and may do something else. default.mixed with a readout error does.
    """
    is_known = device.name in _DEVICES and type(device) is qml.plugin_devices[device.name].load()
    return is_known and not getattr(device, "readout_err", None)


def _angle_graph(graph: tf.Graph, sources: list[tf.Tensor], arguments: int) -> AngleGraph:
    unknown = [outer for outer, _ in graph.captures]
    if unknown:
        raise CaptureError(
            f"the quantum function uses {unknown[0]!r}, which is made outside of it and is not one of its arguments. "
            "Make it a weight of the layer, or a NumPy array if it never changes."
        )
    graph_def = graph.as_graph_def()
    if branching := [node.name for node in graph_def.node if node.op in _CONTROL_FLOW]:
        raise CaptureError(
            f"the quantum function calculates an angle with a branch or a loop of TensorFlow ({branching[0]}), which "
            "cannot be computed for a whole batch at once. Write tf.where for tf.cond, and a Python loop for "
            "tf.while_loop."
        )
    return AngleGraph(
        sample_shape=tuple(graph.inputs[0].shape),
        graph_def=with_silent_casts(with_named_axes(graph_def, graph)).SerializeToString(deterministic=True),
        arguments=tuple(tensor.name for tensor in graph.inputs[:arguments]),
        outputs=tuple(tensor.name for tensor in sources),
        is_input_dependent=tuple(depends_on(tensor, graph.inputs[0]) for tensor in sources),
    )


def _record(qnode: qml.QNode, arguments: Mapping[str, tf.Tensor]) -> Recording:
    """Call the quantum function once and read what it queued."""
    with qml.queuing.AnnotatedQueue() as queue, warnings.catch_warnings():
        # the order of the eigenvalues is PennyLane's own, and a user who records is told nothing new each time
        warnings.filterwarnings("ignore", message="Using qp.probs with a Hermitian observable")
        returned = qnode.func(**{name: Traced(value) for name, value in arguments.items()})
    tape = qml.tape.QuantumScript.from_queue(queue, shots=qnode.shots)
    _check_returned(returned if isinstance(returned, list | tuple) else [returned], tape.measurements)
    tape = _transformed(qnode, tape)
    check_shots(tape.shots)
    labels = _wire_order(qnode.device, tape)
    tape = _deferred(tape)
    _check_postselection(qnode, tape)
    extra = [wire for wire in tape.wires if wire not in labels]
    recording = Recording(
        labels + extra,
        labels,
        is_bare=isinstance(returned, qml.measurements.MeasurementProcess),
        gradient=_gradient(qnode, tape),
        keeps_density=qnode.device.name in _KEEP_DENSITY,
    )
    with qml.QueuingManager.stop_recording():
        recording.add_operations(tape.operations)
        recording.add_measurements(tape.measurements, tape.shots.total_shots or 0)
    return recording


def _check_returned(values: Sequence[Any], measured: Sequence[qml.measurements.MeasurementProcess]) -> None:
    """Refuse to return anything but every measurement, in the order they are made."""
    if not values:
        raise CaptureError(
            "the quantum function returns an empty list, and a layer needs a result. Return a measurement, such as "
            "qml.expval(qml.Z(0))."
        )
    for value in values:
        if not isinstance(value, qml.measurements.MeasurementProcess):
            raise CaptureError(
                f"the quantum function returns {value!r}, which is no measurement. Return a measurement, such as "
                "qml.expval(qml.Z(0)), or a list or tuple of measurements, and nothing else."
            )
    if len(values) != len(measured):
        raise CaptureError(
            f"the quantum function makes {len(measured)} measurements and returns {len(values)} values; it must return "
            "every measurement it makes, once, and nothing else."
        )
    if any(value is not made for value, made in zip(values, measured, strict=True)):
        raise CaptureError(
            f"the quantum function makes the measurements {list(measured)} and returns {list(values)}; it must return "
            "all of them in the order they are made. Make them where they are returned."
        )


def _transformed(qnode: qml.QNode, tape: qml.tape.QuantumScript) -> qml.tape.QuantumScript:
    """The tape after the transforms that the user put on the QNode."""
    tape.trainable_params = []
    informative = [step for step in qnode.compile_pipeline if step.is_informative]
    if informative:
        raise UnsupportedError(
            f"the QNode has the transform {informative[0]}, which describes the circuit and does not run it. Leave it "
            "out: a layer returns the results of the measurements."
        )
    needed = [step for step in qnode.compile_pipeline if step.tape_transform not in _SPLITTING]
    try:
        with unknown_differs():
            tapes, _ = qml.CompilePipeline(*needed)([tape])
    except CaptureError as exc:
        raise UnsupportedError(
            "a transform of the QNode needs the values of angles, but they are calculated from inputs or weights. "
            f"Leave it out: {qnode.compile_pipeline}."
        ) from exc
    if len(tapes) != 1:
        raise UnsupportedError(
            f"the QNode's transforms turn it into {len(tapes)} circuits, and a layer compiles one. Leave out the "
            f"transforms that split it: {qnode.compile_pipeline}."
        )
    if len(tapes[0].measurements) != len(tape.measurements):
        raise UnsupportedError(
            f"the QNode's transforms turn its {len(tape.measurements)} measurements into {len(tapes[0].measurements)}, "
            f"and a layer returns each of its own. Leave out the transforms that do: {qnode.compile_pipeline}."
        )
    return tapes[0]


def _deferred(tape: qml.tape.QuantumScript) -> qml.tape.QuantumScript:
    """The tape with its mid-circuit measurements moved to the end, onto wires of their own where needed."""
    if not any(isinstance(operation, qml.ops.MidMeasure) for operation in tape.operations):
        return tape
    try:
        (deferred,), _ = qml.defer_measurements(tape, allow_postselect=True)
    except ValueError as exc:
        raise UnsupportedError(f"the circuit's mid-circuit measurements cannot be moved to its end: {exc}") from exc
    return deferred


def _check_postselection(qnode: qml.QNode, tape: qml.tape.QuantumScript) -> None:
    """Refuse to drop shots: how many are left is not known, and the shape of the output must be."""
    if _is_postselected(tape) and tape.shots and qnode.execute_kwargs["postselect_mode"] == "hw-like":
        raise UnsupportedError(
            'the QNode drops the shots that postselection rejects, postselect_mode="hw-like", and a layer draws a '
            'fixed number of them. Use postselect_mode="fill-shots".'
        )


def _is_postselected(tape: qml.tape.QuantumScript) -> bool:
    """Whether some outcomes were left out when the measurements were deferred."""
    return any(isinstance(operation, qml.Projector) for operation in tape.operations)


def _gradient(qnode: qml.QNode, tape: qml.tape.QuantumScript) -> str:
    """How the QNode's method of differentiation is carried out.

    Without shots every method has the same result, which backpropagation finds. A postselected circuit is no sinusoid
    in its angles, because its norm changes with them: no rule shifts it.
    """
    if qnode.diff_method is None:
        return "none"
    if not tape.shots or _is_postselected(tape) or qnode.diff_method in _EXACT_GRADIENTS:
        return "exact"
    return "parameter-shift"


def _wire_order(device: Any, tape: qml.tape.QuantumScript) -> list[Any]:
    """The device's wires; without any, the circuit's own, as default.qubit orders them."""
    if device.wires is not None and len(device.wires):
        unknown = [wire for wire in tape.wires if wire not in device.wires]
        if unknown:
            raise UnsupportedError(
                f"the circuit uses wires {unknown}, but its device only has {device.wires.tolist()}."
            )
        return list(device.wires)
    labels = list(tape.wires)
    return sorted(labels) if set(labels) == set(range(len(labels))) else labels
