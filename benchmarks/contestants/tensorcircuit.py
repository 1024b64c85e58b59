"""TensorCircuit-NG: jit of vmap, complex64. Its backend, jax or tensorflow, is the program's argument."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorcircuit as tc

from benchmarks.contestants.worker import Call, RefusedError, main
from benchmarks.gate_list import Angle, Gate, gates
from benchmarks.hamiltonian import hamiltonian
from benchmarks.kinds import Arrays
from benchmarks.task import Task

Circuit = Callable[[Any, Any], Any]  # one sample, weights -> the outputs of the sample


class TensorCircuit:
    """The questions that TensorCircuit answers.

    Args:
        backend: "jax" or "tensorflow".
    """

    def __init__(self, backend: str) -> None:
        self._backend = tc.set_backend(backend)
        tc.set_dtype("complex64")
        self.packages: tuple[str, ...] = ("tensorcircuit-ng", backend, "numpy")
        self._questions: dict[str, Callable[[Circuit, Arrays], Call]] = {
            "exported": self._exported,
            "training": self._training,
            "gradient": self._gradient,
        }

    def prepare(self, task: Task, arrays: Arrays) -> Call:
        """Build what the task needs; see `Contestant`."""
        if task.question not in self._questions:
            raise RefusedError(f"there is no {task.question!r} in TensorCircuit")
        return self._questions[task.question](circuit(task, self._backend), arrays)

    def _exported(self, sample: Circuit, arrays: Arrays) -> Call:
        """The forward pass, with the weights as constants of the compiled program."""
        weights = self._backend.convert_to_tensor(arrays.weights)
        forward = self._backend.jit(self._backend.vmap(lambda inputs: sample(inputs, weights)))
        inputs = self._backend.convert_to_tensor(arrays.inputs)
        return lambda: [_finished(forward(inputs))]

    def _training(self, sample: Circuit, arrays: Arrays) -> Call:
        """The forward pass, with the weights as an argument."""
        forward = self._backend.jit(self._backend.vmap(sample, vectorized_argnums=0))
        inputs, weights = map(self._backend.convert_to_tensor, (arrays.inputs, arrays.weights))
        return lambda: [_finished(forward(inputs, weights))]

    def _gradient(self, sample: Circuit, arrays: Arrays) -> Call:
        """The sum of the squares of all outputs, and its gradients by weights and inputs."""
        batched = self._backend.vmap(sample, vectorized_argnums=0)

        def loss(weights: Any, inputs: Any) -> Any:
            return self._backend.sum(batched(inputs, weights) ** 2)

        gradients = self._backend.value_and_grad(loss, argnums=(0, 1))

        def dense(weights: Any, inputs: Any) -> list[Any]:
            """TensorFlow's gradients may be sparse: for a batch of one, where its vmap picks the only sample."""
            value, by_arguments = gradients(weights, inputs)
            return [value, *map(self._backend.convert_to_tensor, by_arguments)]

        step = self._backend.jit(dense)
        inputs, weights = map(self._backend.convert_to_tensor, (arrays.inputs, arrays.weights))
        return lambda: [_finished(array) for array in step(weights, inputs)]


def _finished(array: Any) -> Any:
    """The array once it is calculated: JAX returns before, TensorFlow does not."""
    return array.block_until_ready() if hasattr(array, "block_until_ready") else array


def circuit(task: Task, backend: Any) -> Circuit:
    """The circuit of a task as a function of one sample and the weights."""
    gate_list, measure = gates(task), _MEASUREMENTS[task.circuit]

    def sample(inputs: Any, weights: Any) -> Any:
        state = _prepared(task, inputs, backend)
        flat = backend.reshape(weights, [-1])
        for gate in gate_list:
            _apply(state, gate, inputs, flat)
        return measure(task, state.state(), backend)

    return sample


def _prepared(task: Task, inputs: Any, backend: Any) -> Any:
    """The register before the first gate: zeros, or the normalized features as amplitudes."""
    if task.circuit != "c":
        return tc.Circuit(task.wires)
    amplitudes = inputs / backend.sqrt(backend.sum(inputs * inputs))
    return tc.Circuit(task.wires, inputs=backend.cast(amplitudes, "complex64"))


def _apply(state: Any, gate: Gate, inputs: Any, weights: Any) -> None:
    arguments = {} if gate.angle is None else {"theta": _value(gate.angle, inputs, weights)}
    getattr(state, gate.name)(*gate.wires, **arguments)


def _value(angle: Angle, inputs: Any, weights: Any) -> Any:
    if angle.weight is not None:
        return weights[angle.weight]
    first, *rest = angle.features
    return inputs[first] * inputs[rest[0]] if rest else inputs[first]


def _probabilities(_task: Task, state: Any, backend: Any) -> Any:
    return backend.real(state) ** 2 + backend.imag(state) ** 2


def _signs(wires: int) -> np.ndarray:
    """Shape (2**wires, wires): the eigenvalue of Z on each wire, for each basis state."""
    states = np.arange(2**wires)[:, None] >> np.arange(wires)[::-1]
    return (1 - 2 * (states & 1)).astype(np.float32)


def _z_of_every_wire(task: Task, state: Any, backend: Any) -> Any:
    """Faster by far than one `expectation_ps` for each wire, which contracts the state each time."""
    return _z_of(range(task.wires), task, state, backend)


def _z_of_first_wire(task: Task, state: Any, backend: Any) -> Any:
    return _z_of(range(1), task, state, backend)[0]


def _z_of(wires: range, task: Task, state: Any, backend: Any) -> Any:
    signs = backend.convert_to_tensor(_signs(task.wires)[:, wires.start : wires.stop])
    return backend.reshape(backend.reshape(_probabilities(task, state, backend), [1, -1]) @ signs, [-1])


def _pauli_words(task: Task, state: Any, backend: Any) -> Any:
    register = tc.Circuit(task.wires, inputs=state)
    return sum(
        word.coefficient * backend.real(register.expectation_ps(**_wires_by_letter(word.letters)))
        for word in hamiltonian(task.wires)
    )


def _wires_by_letter(letters: dict[int, str]) -> dict[str, list[int]]:
    return {letter.lower(): [wire for wire in letters if letters[wire] == letter] for letter in "XYZ"}


_MEASUREMENTS: dict[str, Callable[[Task, Any, Any], Any]] = {
    "a": _z_of_every_wire,
    "b": _z_of_first_wire,
    "c": _probabilities,
    "d": _pauli_words,
}

if __name__ == "__main__":
    main(lambda: TensorCircuit(sys.argv[1]))
