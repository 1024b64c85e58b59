"""Circuits with constant weights on each plan that the cost model can choose, forced by the costs of the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import oracle
import pennylane as qml
import pytest
import tensorflow as tf

from qlayer.frozen import folding, quadratic, trigonometric
from qlayer.frozen.frozen import FrozenCircuit
from qlayer.recording.capture import capture

WIRES = 4
_FREE, _DEAR = 0.0, 1e9
# for each plan, what the steps of a folded one, a polynomial and a quadratic form cost
_COSTS = {
    "fused": (_DEAR, _DEAR, _DEAR),
    "folded": (_FREE, _DEAR, _DEAR),
    "polynomial": (_DEAR, _FREE, _DEAR),
    "quadratic form": (_DEAR, _DEAR, _FREE),
}
PLANS = tuple(_COSTS)


def force(monkeypatch: pytest.MonkeyPatch, plan: str) -> None:
    """Let the cost model choose one plan wherever that one is possible."""
    folded, polynomial, form = _COSTS[plan]
    monkeypatch.setattr(
        folding, "steps_cost", lambda steps, wires: folded if _is_whole(steps, wires) else np.nextafter(0, 1)
    )
    monkeypatch.setattr(trigonometric, "products_cost", lambda *_: polynomial)
    monkeypatch.setattr(quadratic, "products_cost", lambda *_: form)


def _is_whole(steps: Any, wires: int) -> bool:
    return len(steps) == 1 and getattr(steps[0], "wires", ()) == tuple(range(wires))


def frozen(
    function: Callable[..., Any],
    sample_shape: tuple[int, ...],
    weights: Mapping[str, np.ndarray],
    dtype: tf.DType = tf.float64,
    device: Any = None,
    shots: int | None = None,
) -> FrozenCircuit:
    """A quantum function with constant weights, exact or with finite shots."""
    qnode = qml.QNode(function, device or qml.device("default.qubit", wires=WIRES), shots=shots)
    captured = capture(qnode, "inputs", sample_shape, {name: value.shape for name, value in weights.items()}, dtype)
    return FrozenCircuit(*captured, dtype, [value.astype(dtype.as_numpy_dtype) for value in weights.values()])


def run(circuit: FrozenCircuit, inputs: np.ndarray) -> np.ndarray:
    """The results of a batch, traced as in an exported model."""
    traced = tf.function(circuit, autograph=False)
    return np.asarray(traced(tf.constant(inputs, circuit.dtype)))


# ----------------------------------------------------------------------------------------------------------- circuits


def _every_z() -> list[Any]:
    return [qml.expval(qml.Z(wire)) for wire in range(WIRES)]


def _embedded(rotation: str) -> Callable[..., Any]:
    def function(inputs: Any, weights: Any) -> Any:
        qml.AngleEmbedding(inputs, wires=range(WIRES), rotation=rotation)
        qml.StronglyEntanglingLayers(weights, wires=range(WIRES))
        return _every_z()

    return function


def _reuploading(inputs: Any, weights: Any) -> Any:
    for layer in weights:
        qml.AngleEmbedding(inputs[:2], wires=range(2))
        qml.StronglyEntanglingLayers(layer[None], wires=range(WIRES))
    return qml.expval(qml.Z(0) @ qml.X(3)), qml.probs(wires=[1, 2])


def _amplitudes(inputs: Any, weights: Any) -> Any:
    qml.AmplitudeEmbedding(inputs, wires=range(2), normalize=True)
    qml.BasicEntanglerLayers(weights[:, :, 0], wires=range(WIRES))
    return qml.probs(wires=range(WIRES))


def _iqp(inputs: Any, weights: Any) -> Any:
    qml.IQPEmbedding(inputs, wires=range(WIRES))
    qml.StronglyEntanglingLayers(weights, wires=range(WIRES))
    return qml.expval(qml.Hamiltonian([0.3, -0.7, 1.1], [qml.Z(0) @ qml.Y(1), qml.X(2), qml.Z(3) @ qml.Z(1)]))


def _quarters(inputs: Any, weights: Any) -> Any:
    qml.StronglyEntanglingLayers(weights, wires=range(WIRES))
    qml.CRX(inputs[0], wires=[0, 1])
    qml.ControlledPhaseShift(inputs[1], wires=[1, 2])
    qml.SingleExcitation(inputs[2], wires=[2, 3])
    qml.StronglyEntanglingLayers(weights, wires=range(WIRES))
    return qml.expval(qml.Y(1)), qml.expval(qml.Z(2) @ qml.X(3)), qml.expval(qml.X(0))


def _mixture(inputs: Any, weights: Any) -> Any:
    qml.RX(inputs[0], wires=0)
    qml.CRY(inputs[0], wires=[0, 1])
    qml.StronglyEntanglingLayers(weights, wires=range(WIRES))
    qml.PhaseShift(inputs[0], wires=2)
    qml.StronglyEntanglingLayers(weights, wires=range(WIRES))
    return qml.expval(qml.X(1)), qml.expval(qml.Hermitian(np.array([[1, 2j], [-2j, 0.5]]), wires=2))


def _calculated(inputs: Any, weights: Any) -> Any:
    qml.RX(0.37 * inputs[0], wires=0)
    qml.RY(np.pi * inputs[1], wires=1)
    qml.CRZ(inputs[0] * weights[0, 0, 0], wires=[0, 2])
    qml.StronglyEntanglingLayers(weights, wires=range(WIRES))
    return qml.expval(qml.Z(0)), qml.expval(qml.X(2))


def _unitary(inputs: Any, weights: Any) -> Any:
    angle = weights[0, 0, 0]
    cos, sin = qml.math.cos(angle), qml.math.sin(angle)
    qml.AngleEmbedding(inputs[:3], wires=range(3))
    qml.QubitUnitary(qml.math.stack([qml.math.stack([cos, -sin]), qml.math.stack([sin, cos])]), wires=1)
    qml.StronglyEntanglingLayers(weights, wires=range(WIRES))
    return _every_z()


def _several_in_a_row(inputs: Any, weights: Any) -> Any:
    for wire in range(WIRES):
        qml.RX(inputs[0], wires=wire)
        qml.RZ(inputs[1], wires=wire)
    qml.StronglyEntanglingLayers(weights, wires=range(WIRES))
    return _every_z()


def _weighted(inputs: Any, weights: Any) -> Any:
    qml.AngleEmbedding(inputs, wires=range(WIRES))
    qml.StronglyEntanglingLayers(weights, wires=range(WIRES))
    return qml.expval(qml.Hamiltonian(weights[0, :2, 0], [qml.Z(0), qml.X(1)]))


def _weights_only(inputs: Any, weights: Any) -> Any:
    qml.StronglyEntanglingLayers(weights, wires=range(WIRES))
    return qml.expval(qml.Z(0)), qml.probs(wires=[1, 3])


def _measured(measure: Callable[[], Any]) -> Callable[..., Any]:
    def function(inputs: Any, weights: Any) -> Any:
        qml.AngleEmbedding(inputs, wires=range(WIRES))
        qml.StronglyEntanglingLayers(weights, wires=range(WIRES))
        return measure()

    return function


def _evolved(inputs: Any, weights: Any) -> Any:
    qml.AngleEmbedding(inputs[:2], wires=range(2))
    qml.evolve(qml.X(0) @ qml.Z(1) + 0.3 * qml.Y(1), inputs[2])
    qml.StronglyEntanglingLayers(weights, wires=range(WIRES))
    return _every_z()


def _postselected(inputs: Any, weights: Any) -> Any:
    qml.StronglyEntanglingLayers(weights, wires=range(WIRES))
    qml.AngleEmbedding(inputs[:2], wires=range(2))
    qml.CNOT([1, 0])
    qml.measure(0, postselect=1)
    return qml.expval(qml.Z(1)), qml.expval(qml.X(2))


# that are polynomials of their angles
POLYNOMIALS: dict[str, Callable[..., Any]] = {
    "RX embedding": _embedded("X"),
    "RY embedding": _embedded("Y"),
    "RZ embedding": _embedded("Z"),
    "re-uploading": _reuploading,
    "frequencies of quarters": _quarters,
    "frequencies that differ": _mixture,
    "calculated angles": _calculated,
    "matrix of weights": _unitary,
    "several gates of an input": _several_in_a_row,
    "probs of an observable": _measured(lambda: qml.probs(op=qml.X(0) @ qml.Z(2))),
    "IQP embedding": _iqp,
    "probs in any order": _measured(lambda: qml.probs(wires=[3, 0, 2])),
}
# that are none: their results, or what they take, are not linear in sines and cosines
OTHERS: dict[str, Callable[..., Any]] = {
    "amplitudes": _amplitudes,
    "weighted sum": _weighted,
    "weights only": _weights_only,
    "state": _measured(qml.state),
    "density matrix": _measured(lambda: qml.density_matrix(wires=[2, 0])),
    "variance": _measured(lambda: (qml.var(qml.Z(0)), qml.expval(qml.X(1)))),
    "entropy": _measured(lambda: qml.vn_entropy(wires=[0, 1])),
    "purity": _measured(lambda: qml.purity(wires=[0])),
    "postselection": _postselected,
    "frequencies that no standard gate has": _evolved,
}
CIRCUITS = POLYNOMIALS | OTHERS

INPUTS = np.random.default_rng(21).uniform(-3, 3, (5, WIRES))
WEIGHTS = {"weights": np.random.default_rng(22).uniform(-3, 3, (2, WIRES, 3))}


def expected(name: str) -> np.ndarray:
    """What PennyLane computes."""
    return oracle.expected(CIRCUITS[name], INPUTS, WEIGHTS, device=qml.device("default.qubit", wires=WIRES))
