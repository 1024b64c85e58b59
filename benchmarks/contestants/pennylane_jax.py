"""PennyLane's default.qubit with JAX: jit of vmap, float32 and complex64, everything on the device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import pennylane as qml

from benchmarks.contestants.worker import Call, RefusedError, main
from benchmarks.kinds import Arrays
from benchmarks.pennylane_circuits import qnode
from benchmarks.task import Task

Batched = Callable[[jax.Array, jax.Array], jax.Array]  # inputs (batch, features), weights -> (batch, ...)


class PennyLaneJax:
    """The questions that JAX answers."""

    packages: tuple[str, ...] = ("pennylane", "jax", "jaxlib", "numpy")

    def prepare(self, task: Task, arrays: Arrays) -> Call:
        """Build what the task needs; see `Contestant`."""
        if task.question not in QUESTIONS:
            raise RefusedError(f"there is no {task.question!r} in JAX")
        return QUESTIONS[task.question](_batched(task), arrays)


def exported(batched: Batched, arrays: Arrays) -> Call:
    """The forward pass, with the weights as constants of the compiled program."""
    weights = jnp.asarray(arrays.weights)
    forward = jax.jit(lambda inputs: batched(inputs, weights))
    inputs = jax.device_put(arrays.inputs)
    return lambda: [jax.block_until_ready(forward(inputs))]


def training(batched: Batched, arrays: Arrays) -> Call:
    """The forward pass, with the weights as an argument."""
    forward = jax.jit(batched)
    inputs, weights = jax.device_put((arrays.inputs, arrays.weights))
    return lambda: [jax.block_until_ready(forward(inputs, weights))]


def gradient(batched: Batched, arrays: Arrays) -> Call:
    """The sum of the squares of all outputs, and its gradients by weights and inputs."""

    def loss(weights: jax.Array, inputs: jax.Array) -> jax.Array:
        return jnp.sum(batched(inputs, weights) ** 2)

    step = jax.jit(jax.value_and_grad(loss, argnums=(0, 1)))
    inputs, weights = jax.device_put((arrays.inputs, arrays.weights))

    def call() -> list[jax.Array]:
        value, gradients = jax.block_until_ready(step(weights, inputs))
        return [value, *gradients]

    return call


QUESTIONS: dict[str, Callable[[Batched, Arrays], Call]] = {
    "exported": exported,
    "training": training,
    "gradient": gradient,
}


def _batched(task: Task) -> Batched:
    device = qml.device("default.qubit", wires=task.wires)
    circuit = qnode(task, device, interface="jax", diff_method="backprop")
    return jax.vmap(lambda inputs, weights: _stacked(circuit(inputs, weights)), in_axes=(0, None))


def _stacked(results: Any) -> jax.Array:
    return jnp.stack(results) if isinstance(results, list | tuple) else results


if __name__ == "__main__":
    main(PennyLaneJax)
