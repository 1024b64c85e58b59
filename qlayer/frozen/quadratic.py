"""Quadratic forms: what a circuit with constant gates makes of a state that is given.

Behind an amplitude embedding, a circuit whose weights are constants is one unitary, and results that look at
probabilities alone are sums of squares of what it makes of the amplitudes. Up to nine wires or so that is one matrix
product with the batch where it comes in, and goes out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from qlayer.circuits.plan import Plan, Readout, wire_bit
from qlayer.frozen.folding import FOLDED_MAX_WIRES, is_constant_step, unitary_of
from qlayer.simulation.costs import plan_cost, products_cost
from qlayer.simulation.phases import parities
from qlayer.simulation.simulation import Simulation

_OPERATIONS = 6  # that a run starts


@dataclass(frozen=True)
class QuadraticForm:
    """Results as sums of the squares of linear forms.

    Args:
        unitary: from the given amplitudes to those at the end: complex, shape (2 ** k, 2 ** n).
        table: from the probabilities at the end to the results, shape (2 ** n, results); None for the probabilities.
    """

    unitary: np.ndarray
    table: np.ndarray | None

    def __call__(self, amplitudes: tf.Tensor) -> tf.Tensor:
        """The results: real or complex amplitudes (b, 2 ** k) -> (b, results)."""
        matrix = np.concatenate([self.unitary.real, self.unitary.imag], axis=1)
        if amplitudes.dtype.is_complex:
            amplitudes = tf.concat([tf.math.real(amplitudes), tf.math.imag(amplitudes)], axis=1)
            matrix = np.concatenate([matrix, np.concatenate([-self.unitary.imag, self.unitary.real], axis=1)])
        squares = tf.square(tf.matmul(amplitudes, tf.constant(matrix, amplitudes.dtype)))
        size = self.unitary.shape[1]
        probabilities = squares[:, :size] + squares[:, size:]
        if self.table is None:
            return probabilities
        return tf.matmul(probabilities, tf.constant(self.table, amplitudes.dtype))


def quadratic_form_of(simulation: Simulation) -> QuadraticForm | None:
    """The quadratic form that a simulation with constant weights computes; None where the simulation is cheaper."""
    plan, preparation = simulation.plan, simulation.plan.preparation
    is_unitary = not (simulation.is_mixed or simulation.is_postselected)
    if preparation is None or not is_unitary or plan.wire_count > FOLDED_MAX_WIRES:
        return None
    if not all(map(is_constant_step, plan.steps)) or not all(map(_is_of_probabilities, plan.readouts)):
        return None
    size = 2**plan.wire_count
    table = _table(plan.readouts, plan.wire_count)
    multiplications = 2 * size * 2 ** len(preparation.wires) + (0 if table is None else table.size)
    if products_cost(multiplications, multiplications, _OPERATIONS) > plan_cost(plan):
        return None
    return QuadraticForm(unitary_of(plan.steps, plan).T[_given(plan)], table)


def _is_of_probabilities(readout: Readout) -> bool:
    return readout.is_diagonal and readout.measurement.kind in ("expval", "probs")


def _given(plan: Plan) -> np.ndarray:
    """The basis state that each given amplitude belongs to, all other wires being in 0."""
    assert plan.preparation is not None, "a quadratic form is of given amplitudes: this is a bug"
    wires = plan.preparation.wires
    return _bits(len(wires)) @ np.array([wire_bit(wire, plan.wire_count) for wire in wires])


def _table(readouts: Sequence[Readout], wire_count: int) -> np.ndarray | None:
    """From the probabilities of all basis states to every result; None if that is nothing but the probabilities."""
    parts = [_columns(readout, wire_count) for readout in readouts]
    table = np.concatenate(parts, axis=1)
    return None if np.array_equal(table, np.eye(2**wire_count)) else table


def _columns(readout: Readout, wire_count: int) -> np.ndarray:
    if readout.measurement.kind == "expval":
        signs = parities([word.z for _, word in readout.words], wire_count)
        return signs @ np.array([[coefficient * word.phase.real] for coefficient, word in readout.words])
    wires = list(readout.measurement.wires)
    outcomes = _bits(wire_count)[:, wires] @ 2 ** np.arange(len(wires))[::-1]
    return np.eye(2 ** len(wires))[outcomes]


def _bits(count: int) -> np.ndarray:
    """The bits of every basis state, the most significant first: shape (2 ** count, count)."""
    return np.arange(2**count)[:, np.newaxis] >> np.arange(count)[::-1] & 1
