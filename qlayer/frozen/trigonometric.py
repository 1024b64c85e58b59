"""Trigonometric polynomials: what a circuit with few input-dependent angles is, as a function of them.

An angle that turns a phase by c in one place changes results that are linear in the density matrix by frequencies 0 and
2 c; d such places give d + 1 frequencies (Schuld, Sweke, Meyer 2021). So a circuit whose weights are constants is a
polynomial in 1, cos, sin, ... of its angles. Its coefficients come from the circuit's results on a grid; to run it is
one matrix product, however deep the circuit is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import gcd, prod

import numpy as np
import tensorflow as tf

from qlayer.circuits.plan import PhaseStep, Plan
from qlayer.simulation.axes import transposed
from qlayer.simulation.costs import plan_cost, products_cost
from qlayer.simulation.kernels import Angles
from qlayer.simulation.simulation import Numbers, Simulation, no_angles

# larger tables of coefficients make models large, and more amplitudes on the grid take longer than an export may take
_TABLE_MAX_ELEMENTS = 2**21
_GRID_MAX_AMPLITUDES = 2**26
_PRECISE_GRID_MAX_AMPLITUDES = 2**23
_GRID_BATCH = 2**12  # points of the grid that run at once
_OPERATIONS = 16  # that a run of a polynomial starts
_LINEAR = ("expval", "matrix_expval", "probs", "basis_probs")
TURN_PARTS = 48  # frequencies are multiples of 1 / 48, as those of all standard gates; others are not approximated


@dataclass(frozen=True)
class TrigonometricPolynomial:
    """Results as a polynomial in the angles.

    The features of an angle are 1, then the cosines, then the sines of the multiples of its lowest frequency; those of
    several angles are products of one of each, the last angle changing first.

    Args:
        frequencies: of each cosine and sine, as a multiple of each angle: shape (waves, angles).
        left: the features of the first angles, shape (angles there, products): 0 for 1, then 1 + the number of the wave
            for its cosine, then as many more for its sine.
        right: the same for the other angles.
        coefficients: shape (results, right products, left products).
    """

    frequencies: np.ndarray
    left: np.ndarray
    right: np.ndarray
    coefficients: np.ndarray

    def __call__(self, angles: tf.Tensor) -> tf.Tensor:
        """The results: angles (b, angles) -> (b, results)."""
        still = np.concatenate([np.zeros((1, self.frequencies.shape[1])), self.frequencies])  # its cosine is 1
        phases = tf.matmul(tf.constant(still, angles.dtype), angles, transpose_b=True)
        features = tf.gather(tf.concat([tf.cos(phases), tf.sin(phases)], axis=0), self._factors())
        results, rows, columns = self.coefficients.shape
        left, right = tf.split(tf.reduce_prod(features, axis=0), [columns, rows])
        table = tf.constant(self.coefficients.reshape(results * rows, columns), angles.dtype)
        sums = tf.reshape(tf.matmul(table, left), [results, rows, -1]) * right
        return transposed(tf.reduce_sum(sums, axis=1))

    def _factors(self) -> np.ndarray:
        """The features whose products are those of the left, then those of the right: shape (factors, products)."""
        factors = max(len(self.left), len(self.right))
        return np.concatenate(
            [np.pad(part, [(0, factors - len(part)), (0, 0)]) for part in (self.left, self.right)], axis=1
        )


def polynomial_of(simulation: Simulation) -> TrigonometricPolynomial | None:
    """The polynomial that a simulation with constant weights computes; None where the simulation is cheaper.

    There is none for a postselected state, whose results are divided by its norm, nor for a density matrix, whose
    register has other frequencies than a statevector.

    Args:
        simulation: a simulation whose plan has no angles but those of the inputs.
    """
    if simulation.is_mixed or simulation.is_postselected:
        return None
    plan = simulation.plan
    turns, results = _turns(plan), _result_count(simulation)
    if turns is None or results is None:
        return None
    points = prod(1 + 2 * _degree(turn) for turn in turns)
    if points * results > _TABLE_MAX_ELEMENTS or points * 2**plan.wire_count > _GRID_MAX_AMPLITUDES:
        return None
    if products_cost(points * results, points * results, _OPERATIONS) > plan_cost(plan):
        return None
    return _polynomial(simulation, turns)


def _polynomial(simulation: Simulation, turns: list[list[int]]) -> TrigonometricPolynomial:
    degrees = [_degree(turn) for turn in turns]
    waves = sum(degrees)
    frequencies, features = np.zeros((waves, len(turns))), []
    for angle, (turn, degree) in enumerate(zip(turns, degrees, strict=True)):
        own = sum(degrees[:angle]) + np.arange(degree)
        frequencies[own, angle] = np.arange(1, degree + 1) * gcd(*turn) / TURN_PARTS
        features.append(np.concatenate([[0], 1 + own, 2 + waves + own]))
    sizes = np.cumprod([len(own) for own in features])
    first = 1 + int(np.argmax(sizes**2 >= sizes[-1]))  # the left half of the products is not the smaller one
    left, right = _products(features[:first]), _products(features[first:])
    table = _coefficients(simulation, [gcd(*turn) / TURN_PARTS for turn in turns], degrees)
    split = table.reshape(len(table), left.shape[1], right.shape[1]).transpose(0, 2, 1)
    return TrigonometricPolynomial(frequencies, left, right, split)


def _products(features: list[np.ndarray]) -> np.ndarray:
    """Every choice of one feature of each angle: shape (angles, products)."""
    choices = np.meshgrid(*features, indexing="ij")
    return np.stack([choice.ravel() for choice in choices]) if features else np.zeros((1, 1), int)


def _result_count(simulation: Simulation) -> int | None:
    """The number of results; None if one of them is not linear in the density matrix."""
    if any(readout.measurement.kind not in _LINEAR for readout in simulation.plan.readouts):
        return None
    return sum(prod(spec.shape[1:]) for spec in simulation.result_specs())


def _turns(plan: Plan) -> list[list[int]] | None:
    """For each angle, the frequencies of its places in parts of a turn; None if the results are no such polynomial."""
    steps = (*plan.prefix, *plan.steps)
    if plan.weight_angles or plan.elements or not plan.input_angles:
        return None
    terms = [term for step in steps if isinstance(step, PhaseStep) for term in step.terms if term.angle]
    found = [
        [2 * abs(term.coefficient) * TURN_PARTS for term in terms if term.angle and term.angle.index == index]
        for index in range(len(plan.input_angles))
    ]
    turns = [[round(value) for value in turn] for turn in found]
    is_exact = all(np.allclose(turn, whole, rtol=0, atol=1e-9) for turn, whole in zip(found, turns, strict=True))
    return turns if is_exact and all(turn and all(turn) for turn in turns) else None


def _degree(turn: list[int]) -> int:
    """How many frequencies besides 0 the places of an angle make together."""
    return sum(turn) // gcd(*turn)


def _coefficients(simulation: Simulation, lowest: list[float], degrees: list[int]) -> np.ndarray:
    """The coefficient of every product of features: shape (results, products)."""
    places = [2 * np.pi * np.arange(1 + 2 * degree) / (1 + 2 * degree) for degree in degrees]
    grid = np.stack([axis.ravel() for axis in np.meshgrid(*places, indexing="ij")], axis=1)
    values = _on_grid(simulation, grid / lowest)
    table = values.T.reshape(-1, *(len(axis) for axis in places))
    for axis, (place, degree) in enumerate(zip(places, degrees, strict=True), start=1):
        phases = np.outer(place, np.arange(1, degree + 1))
        features = np.concatenate([np.ones((len(place), 1)), np.cos(phases), np.sin(phases)], axis=1)
        table = np.moveaxis(np.tensordot(np.linalg.inv(features), table, axes=(1, axis)), 0, axis)
    return table.reshape(len(table), -1)


def _on_grid(simulation: Simulation, angles: np.ndarray) -> np.ndarray:
    """The results for many values of the angles: (points, angles) -> (points, results).

    In double precision; a large grid of a model of single precision in that, which takes half the time.
    """
    is_small = len(angles) * 2**simulation.plan.wire_count <= _PRECISE_GRID_MAX_AMPLITUDES
    dtype = tf.float64 if is_small else simulation.dtype
    rerun = replace(simulation, dtype=dtype)

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None, angles.shape[1]], dtype)])
    def run(part: tf.Tensor) -> tf.Tensor:
        results = rerun.results(Numbers(Angles(no_angles(dtype).shared, part), ()))
        return tf.concat([tf.reshape(result, [tf.shape(part)[0], -1]) for result in results], axis=1)

    with tf.init_scope():
        traced = run.get_concrete_function()  # a call of `run` would count as one more retracing
        parts = [
            traced(tf.constant(angles[start : start + _GRID_BATCH], dtype)).numpy()
            for start in range(0, len(angles), _GRID_BATCH)
        ]
    return np.concatenate(parts)
