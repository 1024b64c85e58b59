"""The circuits gate by gate are those that PennyLane makes of its templates."""

from math import prod

import numpy as np
import pennylane as qml
import pytest

from benchmarks.gate_list import gates
from benchmarks.kinds import KINDS, make_arrays
from benchmarks.pennylane_circuits import qnode
from benchmarks.task import Task

NAMES = {"h": "Hadamard", "rx": "RX", "ry": "RY", "rz": "RZ", "rzz": "IsingZZ", "cnot": "CNOT"}


def apply(gate, inputs, weights):
    """Queue a gate of the list in PennyLane."""
    operation = getattr(qml, NAMES[gate.name])
    if gate.angle is None:
        return operation(wires=gate.wires)
    weight, features = gate.angle.weight, gate.angle.features
    return operation(prod(inputs[i] for i in features) if weight is None else weights.flat[weight], wires=gate.wires)


@pytest.mark.parametrize("wires", [2, 3, 5])
@pytest.mark.parametrize("circuit", KINDS)
def test_gate_list_gives_the_same_numbers(circuit, wires):
    """The list between the template's embedding and its measurement, or instead of the whole circuit."""
    task = Task("training", circuit, wires, KINDS[circuit].layers, batch=2)
    arrays = make_arrays(task)
    device = qml.device("default.qubit", wires=wires)
    original = qnode(task, device)

    @qml.qnode(device)
    def listed(inputs, weights):
        if circuit == "c":
            qml.AmplitudeEmbedding(inputs, wires=range(wires), normalize=True)
        for gate in gates(task):
            apply(gate, inputs, weights)
        return [qml.apply(measurement) for measurement in measurements]

    for sample in arrays.inputs.astype(float):
        measurements = qml.workflow.construct_tape(original)(sample, arrays.weights).measurements
        expected = np.array(original(sample, arrays.weights)).reshape(-1)
        assert np.array(listed(sample, arrays.weights)).reshape(-1) == pytest.approx(expected, abs=1e-6)
