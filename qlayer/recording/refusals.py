"""Refusals: what PennyLane cannot take apart, or is none of ours, said as the user's own operation.

States of calculated numbers that PennyLane would refuse as values end the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any

import numpy as np
import pennylane as qml
import tensorflow as tf

from qlayer.angles.traced import Traced
from qlayer.circuits.circuit import Measurement, Parameter
from qlayer.errors import CaptureError, QLayerError, UnsupportedError

# what PennyLane raises where it meets an array without values, or an operator it cannot take apart
_RAISED = (
    TypeError,
    ValueError,
    AttributeError,
    NotImplementedError,
    RecursionError,
    qml.exceptions.OperatorPropertyUndefined,
)
# numpy.allclose(norm, 1, atol=1e-10), as PennyLane checks values
_TOLERANCE = 1e-5 + 1e-10
_NOT_NORMALIZED = (
    "the amplitudes given to {} do not have norm 1. With normalize=True they are divided by their norm, with "
    "validate_norm=False taken as they are. Found"
)
_NO_BITS = "the numbers given to {} are not all 0 or 1. Round them, or give them as angles to AngleEmbedding. Found"


@contextmanager
def refusing(culprit: str) -> Iterator[None]:
    """Within it, what PennyLane cannot calculate with arrays without values is refused as its user's operation.

    Args:
        culprit: the operation and its position.
    """
    try:
        yield
    except CaptureError as exc:
        raise UnsupportedError(
            f"{culprit} cannot be compiled: PennyLane needs the values of its parameters to take it apart, and they "
            "are calculated from inputs or weights. Give it constants, or write it with the gates of PennyLane's "
            "standard set."
        ) from exc
    except _RAISED as exc:
        if isinstance(exc, QLayerError):
            raise
        raise UnsupportedError(
            f"{culprit} cannot be compiled: PennyLane cannot take it apart ({type(exc).__name__}: {exc}). Write it "
            "with the gates of PennyLane's standard set."
        ) from exc


def reason(operator: Any) -> str:
    """Why an operator without decomposition and matrix has neither, and what to do."""
    if isinstance(operator, qml.operation.CV):
        return f"{operator.name} acts on qumodes, and the circuit has qubits. Only gates of qubits can be compiled."
    return (
        f"PennyLane knows neither a decomposition nor a matrix for {operator.name}. Write it with the gates of "
        "PennyLane's standard set."
    )


def check_shots(shots: Any) -> None:
    """Refuse several numbers of shots: each would have a result of its own."""
    if shots.has_partitioned_shots:
        raise UnsupportedError(f"the QNode asks for several numbers of shots, {shots}; give it one.")


def check_finite(parameters: Iterable[Parameter], culprit: str) -> None:
    """Refuse constants that are NaN or infinite; what is calculated is checked when it is run."""
    for value in (value for parameter in parameters for value in parameter.values):
        if not np.isfinite(value):
            raise CaptureError(
                f"{culprit} is given {value}, where finite numbers are expected. Correct the constant in the QNode."
            )


def check_qubits(process: Any, measurement: Measurement) -> None:
    """Refuse a measurement of anything but qubits."""
    size = 2 ** len(measurement.wires)
    if measurement.matrix is not None and measurement.matrix.shape != (size, size):
        raise UnsupportedError(
            f"the measurement {process} has a matrix of shape {measurement.matrix.shape}, but on "
            f"{len(measurement.wires)} qubits it must be {(size, size)}. Qutrits cannot be compiled."
        )


def check_mixed(process: Any, measurement: Measurement) -> None:
    """Refuse a measurement that is of pure states alone."""
    if measurement.kind in ("classical_shadow", "shadow_expval"):
        raise UnsupportedError(
            f"{process} cannot be compiled for a circuit with channels: shadows are taken of pure states. "
            "Return qml.expval or qml.sample."
        )


def calculated_observable(process: Any) -> UnsupportedError:
    """Why a measurement of an observable that is not constant cannot be compiled."""
    return UnsupportedError(
        f"the measurement {process} has a matrix, or a variance, that is calculated from inputs or weights. "
        "Only the coefficients of a sum may be, in qml.expval. Return the expectation values of constant "
        "observables, and combine them in a layer of their own."
    )


def check_channel(culprit: str, matrix: Parameter, wires: int) -> None:
    """Refuse a channel of anything but qubits.

    Args:
        culprit: the operation and its position.
        matrix: the channel on row-major density matrices.
        wires: how many wires it acts on.
    """
    size = 4**wires
    if matrix.shape != (size, size):
        raise UnsupportedError(
            f"{culprit} maps density matrices by a matrix of shape {matrix.shape}, but on {wires} qubits it must be "
            f"{(size, size)}. Qutrits cannot be compiled."
        )


def checked_state(operator: Any) -> Any:
    """An operator of PennyLane as it is, but a state of calculated numbers with the check PennyLane makes of values."""
    for kind, (applies, is_wrong, text) in _CHECKS.items():
        if isinstance(operator, kind) and isinstance(operator.data[0], Traced) and applies(operator):
            found = copy(operator)
            found.data = (Traced(_checked(operator.data[0].tensor, is_wrong, text.format(operator.name))),)
            return found
    return operator


def _checked(values: tf.Tensor, is_wrong: Callable[[tf.Tensor], tf.Tensor], text: str) -> tf.Tensor:
    """The values as they are; running it raises InvalidArgumentError where they are wrong. XLA leaves the check out."""
    nan = tf.where(is_wrong(values), tf.constant(float("nan")), tf.constant(0.0))
    with tf.control_dependencies([tf.debugging.check_numerics(nan, text)]):
        return tf.identity(values)


def _must_have_norm_one(operator: qml.StatePrep) -> bool:
    options = operator.hyperparameters
    return options["validate_norm"] and not options["normalize"] and options["pad_with"] is None


def _has_other_norm(amplitudes: tf.Tensor) -> tf.Tensor:
    """Whether the norm is not 1. Zeros pass, which models are tried with, and NaN, which has an error of its own."""
    norm = tf.sqrt(tf.reduce_sum(tf.square(tf.abs(amplitudes))))
    return tf.logical_and(norm > 0, tf.abs(norm - 1) > _TOLERANCE)


def _has_other_numbers(bits: tf.Tensor) -> tf.Tensor:
    """Whether some numbers are neither 0 nor 1, before PennyLane has cut off their fractions."""
    given = bits.op.inputs[0] if bits.op.type == "Cast" else bits
    return tf.reduce_any(tf.logical_and(given != 0, given != 1))


_CHECKS = {
    qml.StatePrep: (_must_have_norm_one, _has_other_norm, _NOT_NORMALIZED),
    qml.BasisState: (lambda _: True, _has_other_numbers, _NO_BITS),
}
