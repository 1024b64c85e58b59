"""The circuits in PennyLane; read by every contestant that speaks it, in the releases 0.41 and 0.45."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pennylane as qml

from benchmarks.gate_list import IQP_REPEATS
from benchmarks.hamiltonian import PauliWord, hamiltonian
from benchmarks.task import Task


def qnode(task: Task, device: Any, **options: Any) -> Any:
    """The circuit of a task as a QNode of the arguments `inputs` (one sample) and `weights`.

    Args:
        task: which circuit, and its size.
        device: PennyLane's device of at least `task.wires` wires.
        **options: for the QNode: "interface", "diff_method", ...
    """
    return qml.QNode(_CIRCUITS[task.circuit](range(task.wires)), device, **options)


def _strongly_entangling(wires: range) -> Callable[..., Any]:
    def circuit(inputs: Any, weights: Any) -> Any:
        qml.AngleEmbedding(inputs, wires=wires)
        qml.StronglyEntanglingLayers(weights, wires=wires)
        return [qml.expval(qml.Z(wire)) for wire in wires]

    return circuit


def _re_uploading(wires: range) -> Callable[..., Any]:
    def circuit(inputs: Any, weights: Any) -> Any:
        for layer in range(weights.shape[0]):
            qml.AngleEmbedding(inputs, wires=wires)
            qml.StronglyEntanglingLayers(weights[layer : layer + 1], wires=wires)
        return qml.expval(qml.Z(0))

    return circuit


def _amplitudes(wires: range) -> Callable[..., Any]:
    def circuit(inputs: Any, weights: Any) -> Any:
        qml.AmplitudeEmbedding(inputs, wires=wires, normalize=True)
        qml.BasicEntanglerLayers(weights, wires=wires)
        return qml.probs(wires=wires)

    return circuit


def _iqp(wires: range) -> Callable[..., Any]:
    words = hamiltonian(len(wires))
    observable = qml.Hamiltonian([word.coefficient for word in words], [_operator(word) for word in words])

    def circuit(inputs: Any, weights: Any) -> Any:
        qml.IQPEmbedding(inputs, wires=wires, n_repeats=IQP_REPEATS)
        qml.BasicEntanglerLayers(weights, wires=wires)
        return qml.expval(observable)

    return circuit


def _operator(word: PauliWord) -> Any:
    return qml.prod(*(getattr(qml, letter)(wire) for wire, letter in word.letters.items()))


_CIRCUITS: dict[str, Callable[[range], Callable[..., Any]]] = {
    "a": _strongly_entangling,
    "b": _re_uploading,
    "c": _amplitudes,
    "d": _iqp,
}
