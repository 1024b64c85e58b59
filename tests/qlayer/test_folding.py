"""Folding: runs of constant steps as one matrix give the numbers of the steps, and of default.qubit."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import plans
import pytest
import tensorflow as tf

from qlayer.circuits.plan import Angle, Chain, Layer, MaskTerm, MatrixStep, PhaseStep
from qlayer.compiler import CompiledCircuit
from qlayer.frozen import folding
from qlayer.frozen.folding import folded, is_constant_step, unitary_of

H = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
WEIGHT, INPUT = Angle(0, is_input_dependent=False), Angle(0, is_input_dependent=True)
CNOT = np.array([0, 1, 3, 2], np.int32)

STEPS = {
    "layer of constants": (Layer(((0, Chain((H,), ())),)), True),
    "layer of weights": (Layer(((0, Chain((H, H), ((WEIGHT, (0.5, -0.5)),))),)), False),
    "permutation": (PhaseStep((), CNOT, 0), True),
    "constant phase": (PhaseStep((MaskTerm(1, 0.3, None),), None, 0), True),
    "phase of inputs": (PhaseStep((MaskTerm(1, 0.3, INPUT), MaskTerm(2, 0.3, None)), None, 0), False),
    "matrix": (MatrixStep((1,), H), True),
}


@pytest.fixture(autouse=True)
def _forced(monkeypatch):
    """Everything that can be folded is."""
    plans.force(monkeypatch, "folded")


@pytest.mark.parametrize("name", STEPS)
def test_constant_steps(name):
    """Constant is what has neither inputs nor weights in it."""
    step, is_constant = STEPS[name]
    assert is_constant_step(step) == is_constant


def test_unitary_of_steps():
    """The matrix of some steps is the product of theirs, the last one on the left."""
    plan = plans.frozen(plans.CIRCUITS["RX embedding"], (4,), plans.WEIGHTS).plan
    found = unitary_of(
        (
            Layer(((0, Chain((H,), ())),)),
            PhaseStep((MaskTerm(1, 0.3, None),), CNOT, 0),
            MatrixStep((1,), np.diag([1, 1j])),
        ),
        replace(plan, wire_count=2),
    )
    phase = np.diag(np.exp(0.3j * np.array([1, -1, 1, -1])))
    expected = np.kron(np.eye(2), np.diag([1, 1j])) @ np.eye(4)[CNOT] @ phase @ np.kron(H, np.eye(2))
    np.testing.assert_allclose(found, expected, atol=1e-15)


@pytest.mark.parametrize("name", plans.CIRCUITS)
def test_folded_circuit(name):
    """A circuit with its constant runs folded gives what default.qubit gives, in both precisions."""
    expected = plans.expected(name)
    for dtype, tolerance in ((tf.float64, 1e-10), (tf.float32, 1e-5)):
        circuit = plans.frozen(plans.CIRCUITS[name], (4,), plans.WEIGHTS, dtype)
        steps = circuit.simulation.plan.steps
        assert any(isinstance(step, MatrixStep) and len(step.wires) == plans.WIRES for step in steps)
        assert not any(is_constant_step(first) and is_constant_step(second) for first, second in pairwise(steps))
        np.testing.assert_allclose(plans.run(circuit, plans.INPUTS), expected, atol=tolerance)


def test_what_weights_change_is_left_alone():
    """Without constant weights there is little to fold: steps of weights stay as they are."""
    circuit = plans.frozen(plans.CIRCUITS["re-uploading"], (4,), plans.WEIGHTS)
    trainable = CompiledCircuit(circuit.circuit, circuit.angle_graph, tf.float64)
    steps = trainable.plan.steps
    assert [step for step in folded(trainable.plan).steps if not is_constant_step(step)] == [
        step for step in steps if not is_constant_step(step)
    ]


def test_large_registers_are_not_folded(monkeypatch):
    """Matrices of too many wires would take too long to make: such plans stay as they are."""
    monkeypatch.setattr(folding, "FOLDED_MAX_WIRES", plans.WIRES - 1)
    plan = plans.frozen(plans.CIRCUITS["RX embedding"], (4,), plans.WEIGHTS).plan
    assert folded(plan) is plan
