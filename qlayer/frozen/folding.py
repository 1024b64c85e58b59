"""Folding: steps that depend on neither inputs nor weights become one matrix, where that is cheaper.

It is for circuits whose weights are constants, as those of exported models are.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

import numpy as np
import tensorflow as tf

from qlayer.circuits.plan import Layer, MatrixStep, PhaseStep, Plan, Step
from qlayer.simulation.costs import steps_cost
from qlayer.simulation.register import from_amplitudes
from qlayer.simulation.simulation import Simulation, no_angles

# matrices on more wires take longer to make than an export may take
FOLDED_MAX_WIRES = 10


def folded(plan: Plan) -> Plan:
    """The plan with each run of constant steps as one matrix on all wires, where the cost model says so."""
    if plan.wire_count > FOLDED_MAX_WIRES:
        return plan
    runs = [(is_constant, tuple(run)) for is_constant, run in groupby(plan.steps, is_constant_step)]
    parts = [_cheapest(run, plan) if is_constant else run for is_constant, run in runs]
    return replace(plan, steps=tuple(step for part in parts for step in part))


def is_constant_step(step: Step) -> bool:
    """Whether a step does the same in every run."""
    match step:
        case Layer():
            return not any(chain.phases for _, chain in step.chains)
        case PhaseStep():
            return not any(term.angle for term in step.terms)
        case _:
            return isinstance(step, MatrixStep)


def _cheapest(steps: tuple[Step, ...], plan: Plan) -> tuple[Step, ...]:
    wires = tuple(range(plan.wire_count))
    whole = MatrixStep(wires, np.empty((2**plan.wire_count, 2**plan.wire_count)))
    if steps_cost([whole], plan.wire_count) >= steps_cost(steps, plan.wire_count):
        return steps
    return (MatrixStep(wires, unitary_of(steps, plan)),)


def unitary_of(steps: tuple[Step, ...], plan: Plan) -> np.ndarray:
    """The matrix of constant steps, by running them on every basis state: shape (2 ** n, 2 ** n)."""
    alone = replace(plan, weight_angles=(), input_angles=(), preparation=None, prefix=(), steps=steps, readouts=())
    simulation = Simulation(alone, is_mixed=False, is_postselected=False, dtype=tf.float64)

    @tf.function(autograph=False)
    def run() -> tf.Tensor:
        identity = from_amplitudes(tf.eye(2**plan.wire_count, dtype=tf.complex128))
        nothing = no_angles(tf.float64)
        return simulation.joined(identity, nothing, simulation.layer_matrices(nothing)[1], []).amplitudes

    with tf.init_scope():
        return run.get_concrete_function()().numpy().T  # a call of `run` would count as one more retracing
