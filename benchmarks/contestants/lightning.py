"""PennyLane's lightning.qubit: a C++ simulator, adjoint differentiation, and a batch is a loop over its samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pennylane as qml
from pennylane import numpy as pnp

from benchmarks.contestants.worker import Call, RefusedError, main
from benchmarks.kinds import Arrays
from benchmarks.pennylane_circuits import qnode
from benchmarks.task import Task

Circuit = Callable[[Any, Any], Any]


class Lightning:
    """The questions that lightning.qubit answers."""

    packages: tuple[str, ...] = ("pennylane", "pennylane-lightning", "numpy")

    def prepare(self, task: Task, arrays: Arrays) -> Call:
        """Build what the task needs; see `Contestant`."""
        if task.question not in _QUESTIONS:
            raise RefusedError(f"there is no {task.question!r} with lightning.qubit")
        if (task.question, task.circuit) == ("gradient", "c"):
            raise RefusedError("adjoint differentiation is for expectation values, not for probabilities")
        return _QUESTIONS[task.question](task, arrays)


def _device(task: Task) -> Any:
    return qml.device("lightning.qubit", wires=task.wires, c_dtype=np.complex64)


def _forward(task: Task, arrays: Arrays) -> Call:
    circuit = qnode(task, _device(task), interface=None, diff_method=None)
    return lambda: [np.array([circuit(sample, arrays.weights) for sample in arrays.inputs])]


def _gradient(task: Task, arrays: Arrays) -> Call:
    circuit = qnode(task, _device(task), interface="autograd", diff_method="adjoint", device_vjp=True)
    step = qml.grad(lambda weights, sample: _sum_of_squares(circuit(sample, weights)), argnums=(0, 1))
    weights = pnp.array(arrays.weights, requires_grad=True)

    def call() -> list[Any]:
        loss, of_weights, of_inputs = 0.0, np.zeros_like(arrays.weights), np.empty_like(arrays.inputs)
        for i, sample in enumerate(pnp.array(arrays.inputs, requires_grad=True)):
            gradients = step(weights, sample)
            loss += step.forward
            of_weights += gradients[0]
            of_inputs[i] = gradients[1]
        return [loss, of_weights, of_inputs]

    return call


def _sum_of_squares(results: Any) -> Any:
    """Of one expectation value, or of a list of them."""
    return pnp.sum(pnp.stack(results) ** 2) if isinstance(results, list | tuple) else results**2


_QUESTIONS: Mapping[str, Callable[[Task, Arrays], Call]] = {
    "exported": _forward,
    "training": _forward,
    "gradient": _gradient,
}

if __name__ == "__main__":
    main(Lightning)
