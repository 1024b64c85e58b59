"""Costs: of several plans for the same numbers, the one that the model calls cheapest is chosen."""

import numpy as np
import pennylane as qml
import plans
import pytest
import tensorflow as tf

from qlayer.circuits.plan import Angle, Chain, Layer, MaskTerm, MatrixStep, PhaseStep
from qlayer.frozen import folding, trigonometric
from qlayer.frozen.folding import folded, is_constant_step
from qlayer.simulation import costs
from qlayer.simulation.costs import plan_cost, products_cost, steps_cost

INPUT = Angle(0, is_input_dependent=True)
H = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
STEPS = {
    "layer": lambda wires: Layer(tuple((wire, Chain((H,), ())) for wire in range(wires))),
    "phase": lambda wires: PhaseStep((MaskTerm(1, 0.5, INPUT),), None, 0),
    "permutation": lambda wires: PhaseStep((), np.arange(2**wires)[::-1], 0),
    "matrix": lambda wires: MatrixStep((0,), H),
    "whole matrix": lambda wires: MatrixStep(tuple(range(wires)), np.eye(2**wires)),
}


def deep(wires, layers, embeddings=1):
    """An embedding and entangling layers, several times, with their weights."""

    def function(inputs, weights):
        for _ in range(embeddings):
            qml.AngleEmbedding(inputs, wires=range(wires))
            qml.StronglyEntanglingLayers(weights, wires=range(wires))
        return [qml.expval(qml.Z(wire)) for wire in range(wires)]

    weights = np.random.default_rng(0).uniform(-3, 3, (layers, wires, 3))
    return function, {"weights": weights}


@pytest.mark.parametrize("name", STEPS)
def test_costs_grow_with_the_register(name):
    """Every step costs something, more on more wires, and two steps as much as both."""
    found = [steps_cost([STEPS[name](wires)], wires) for wires in range(2, 11)]
    assert found[0] > 0
    assert found == sorted(found)
    step = STEPS[name](5)
    assert steps_cost([step, step], 5) == pytest.approx(2 * steps_cost([step], 5))
    assert steps_cost([], 5) == 0


def test_a_plan_costs_more_than_its_steps():
    """Its start and its readout cost something as well."""
    plan = plans.frozen(plans.CIRCUITS["re-uploading"], (4,), plans.WEIGHTS).plan
    assert plan_cost(plan) > steps_cost(plan.steps, plan.wire_count) > 0


def test_products():
    """Products cost their multiplications, the reading of their tables, and the start of their operations."""
    nothing = products_cost(0, 0, 0)
    assert nothing == 0
    assert all(products_cost(*numbers) > 0 for numbers in ((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    assert products_cost(2, 4, 6) == pytest.approx(2 * products_cost(1, 2, 3))


@pytest.mark.parametrize(("wires", "layers"), [(2, 1), (3, 6), (5, 4), (8, 1), (8, 12), (9, 2)])
def test_folding_never_costs_more(wires, layers):
    """A run of constant steps is folded if and only if the model calls the matrix cheaper."""
    function, weights = deep(wires, layers)
    plan = plans.frozen(function, (wires,), weights, tf.float32, qml.device("default.qubit", wires=wires)).plan
    found = folded(plan)
    assert plan_cost(found) <= plan_cost(plan)
    whole = MatrixStep(tuple(range(wires)), np.empty((2**wires, 2**wires)))
    constant = [step for step in plan.steps if is_constant_step(step)]
    assert len(constant) == len(plan.steps)  # so that there is one run
    is_cheaper = steps_cost([whole], wires) < steps_cost(constant, wires)
    assert (len(found.steps) == 1) == (is_cheaper or len(plan.steps) == 1)


def test_both_answers_occur():
    """Deep circuits of few wires are folded; shallow ones of many wires are not: a matrix on all would cost more."""
    few, many = (
        plans.frozen(function, (wires,), weights, tf.float32, qml.device("default.qubit", wires=wires))
        for wires in (3, 10)
        for function, weights in [deep(wires, 6 if wires == 3 else 1)]
    )
    assert len(few.simulation.plan.steps) == 1
    assert len(few.plan.steps) > 1
    assert many.simulation.plan.steps == many.plan.steps


@pytest.mark.parametrize(("wires", "embeddings"), [(1, 1), (2, 1), (3, 2), (4, 1), (4, 3), (7, 1)])
def test_the_polynomial_is_chosen_where_it_is_cheaper(monkeypatch, wires, embeddings):
    """A circuit becomes a polynomial only if the model calls it cheaper than the folded plan, and then always."""
    asked = []

    def noted(*arguments):
        asked.append(products_cost(*arguments))
        return asked[-1]

    monkeypatch.setattr(trigonometric, "products_cost", noted)
    function, weights = deep(wires, 2, embeddings)
    circuit = plans.frozen(function, (wires,), weights, tf.float32, qml.device("default.qubit", wires=wires))
    is_cheaper = bool(asked) and asked[0] <= plan_cost(circuit.simulation.plan)
    assert (circuit.polynomial is not None) == is_cheaper


@pytest.mark.parametrize("plan", plans.PLANS)
def test_every_plan_can_be_forced(monkeypatch, plan):
    """The three plans of one circuit differ in their steps, and in nothing that it computes."""
    plans.force(monkeypatch, plan)
    circuit = plans.frozen(plans.CIRCUITS["re-uploading"], (4,), plans.WEIGHTS)
    assert (circuit.polynomial is not None) == (plan == "polynomial")
    assert (circuit.simulation.plan.steps != circuit.plan.steps) == (plan == "folded")
    np.testing.assert_allclose(plans.run(circuit, plans.INPUTS), plans.expected("re-uploading"), atol=1e-10)


def test_rates_decide(monkeypatch):
    """On a machine on which only starting operations takes time, circuits are folded; where multiplications do, not."""
    function, weights = deep(8, 2)
    plan = plans.frozen(function, (8,), weights, tf.float32, qml.device("default.qubit", wires=8)).plan
    monkeypatch.setattr(costs, "FLOPS_PER_SECOND", 1.0)
    assert folding.folded(plan).steps == plan.steps
    monkeypatch.setattr(costs, "FLOPS_PER_SECOND", np.inf)
    monkeypatch.setattr(costs, "BYTES_PER_SECOND", np.inf)
    assert len(folding.folded(plan).steps) == 1
