"""TensorFlow Quantum: its C++ simulator qsim, and adjoint differentiation for gradients."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from math import pi, prod
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")  # the Keras it was written for; before TensorFlow is imported

import cirq
import sympy
import tensorflow as tf
import tensorflow_quantum as tfq

from benchmarks.contestants.worker import Call, RefusedError, main
from benchmarks.gate_list import Angle, Gate, gates
from benchmarks.hamiltonian import hamiltonian
from benchmarks.kinds import Arrays
from benchmarks.task import Task

_GATES: Mapping[str, Callable[[Any], cirq.Gate]] = {  # from the name of a gate to what makes it of angle / pi
    "h": lambda _: cirq.H,
    "cnot": lambda _: cirq.CNOT,
    "rx": lambda exponent: cirq.XPowGate(exponent=exponent, global_shift=-0.5),
    "ry": lambda exponent: cirq.YPowGate(exponent=exponent, global_shift=-0.5),
    "rz": lambda exponent: cirq.ZPowGate(exponent=exponent, global_shift=-0.5),
    "rzz": lambda exponent: cirq.ZZPowGate(exponent=exponent, global_shift=-0.5),
}
_PAULIS = {"X": cirq.X, "Y": cirq.Y, "Z": cirq.Z}


class TensorFlowQuantum:
    """The questions that TensorFlow Quantum answers."""

    packages: tuple[str, ...] = ("tensorflow-quantum", "tensorflow", "cirq-core", "numpy")

    def prepare(self, task: Task, arrays: Arrays) -> Call:
        """Build what the task needs; see `Contestant`."""
        if task.circuit not in _OBSERVABLES:
            raise RefusedError("it has expectation values only, and its circuits begin with all wires at zero")
        if task.question not in _QUESTIONS:
            raise RefusedError(f"there is no {task.question!r} in TensorFlow Quantum")
        return _QUESTIONS[task.question](Expectation(task), arrays)


class Expectation:
    """A circuit whose expectation values TensorFlow Quantum calculates.

    Args:
        task: which circuit, and its size.
    """

    def __init__(self, task: Task) -> None:
        gate_list = gates(task)
        self._angles = sorted({gate.angle for gate in gate_list if gate.angle}, key=_inputs_first)
        self._names = [f"angle_{i:05}" for i in range(len(self._angles))]
        symbols = dict(zip(self._angles, map(sympy.Symbol, self._names), strict=True))
        self._circuit = tfq.convert_to_tensor([_circuit(gate_list, symbols, task.wires)])
        self._observables = tfq.convert_to_tensor([_OBSERVABLES[task.circuit](task.wires)])
        self._simulate = tfq.get_expectation_op()
        adjoint = tfq.differentiators.Adjoint()
        self._differentiable = adjoint.generate_differentiable_op(analytic_op=self._simulate)

    def __call__(self, inputs: tf.Tensor, weights: tf.Tensor, *, is_differentiable: bool) -> tf.Tensor:
        """The expectation values of a batch: shape (batch, observables)."""
        batch = inputs.shape[0]
        simulate = self._differentiable if is_differentiable else self._simulate
        return simulate(
            tf.repeat(self._circuit, batch),
            tf.constant(self._names),
            self._exponents(inputs, weights),
            tf.repeat(self._observables, batch, axis=0),
        )

    def _exponents(self, inputs: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """The angles in units of pi, shape (batch, angles)."""
        of_inputs = [angle.features for angle in self._angles if angle.weight is None]
        of_weights = [angle.weight for angle in self._angles if angle.weight is not None]
        padded = tf.pad(inputs, [[0, 0], [0, 1]], constant_values=1)  # a column of ones: the partner of single features
        pairs = [(*features, inputs.shape[1])[:2] for features in of_inputs]
        products = prod(tf.gather(padded, places, axis=1) for places in zip(*pairs, strict=True))
        constants = tf.gather(tf.reshape(weights, [-1]), of_weights)
        return tf.concat([products, tf.repeat(constants[None], inputs.shape[0], axis=0)], axis=1) / pi


def _inputs_first(angle: Angle) -> tuple[bool, int, tuple[int, ...]]:
    return (angle.weight is not None, angle.weight or 0, angle.features)


def _circuit(gate_list: list[Gate], symbols: Mapping[Angle, sympy.Symbol], wires: int) -> cirq.Circuit:
    """An identity on each wire first, so that the circuit has them all."""
    qubits = cirq.LineQubit.range(wires)
    operations = [
        _GATES[gate.name](gate.angle and symbols[gate.angle]).on(*(qubits[w] for w in gate.wires)) for gate in gate_list
    ]
    return cirq.Circuit([cirq.I.on_each(*qubits), *operations])


def _z_of_every_wire(wires: int) -> list[cirq.PauliSum]:
    return [1.0 * cirq.Z(qubit) for qubit in cirq.LineQubit.range(wires)]


def _z_of_first_wire(_wires: int) -> list[cirq.PauliSum]:
    return _z_of_every_wire(1)


def _pauli_words(wires: int) -> list[cirq.PauliSum]:
    """One sum of all words: one number."""
    words = (
        word.coefficient * prod(_PAULIS[letter](cirq.LineQubit(wire)) for wire, letter in word.letters.items())
        for word in hamiltonian(wires)
    )
    return [sum(words, cirq.PauliSum())]


_OBSERVABLES: Mapping[str, Callable[[int], list[cirq.PauliSum]]] = {
    "a": _z_of_every_wire,
    "b": _z_of_first_wire,
    "d": _pauli_words,
}


def _forward(expectation: Expectation, arrays: Arrays) -> Call:
    inputs, weights = tf.constant(arrays.inputs), tf.Variable(arrays.weights)
    forward = tf.function(lambda inputs: expectation(inputs, weights, is_differentiable=False))
    return lambda: [forward(inputs)]


def _gradient(expectation: Expectation, arrays: Arrays) -> Call:
    inputs, weights = tf.constant(arrays.inputs), tf.Variable(arrays.weights)

    @tf.function
    def step(inputs: tf.Tensor) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(tf.square(expectation(inputs, weights, is_differentiable=True)))
        return loss, *tape.gradient(loss, [weights, inputs])

    return lambda: step(inputs)


_QUESTIONS: Mapping[str, Callable[[Expectation, Arrays], Call]] = {
    "exported": _forward,
    "training": _forward,
    "gradient": _gradient,
}

if __name__ == "__main__":
    main(TensorFlowQuantum)
