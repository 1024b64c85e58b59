"""Devices that are not compiled, circuits for them, and layers of both: for the tests of what runs on the host."""

import numpy as np
import pennylane as qml

from qlayer import KerasLayer
from qlayer.keras_compat import keras

RANDOM = np.random.default_rng(5)
INPUTS = RANDOM.uniform(-1, 1, (12, 2)).astype(np.float32)
TARGETS = INPUTS[:, :1] * INPUTS[:, 1:]


class Plugin(qml.devices.Device):
    """What a plugin for hardware is to PennyLane: it takes jobs of circuits and knows no derivatives."""

    name = "test.plugin"

    def __init__(self, wires=2):
        super().__init__(wires=wires)
        self.simulator = qml.device("default.qubit", wires=wires, seed=3)
        self.jobs = []

    def preprocess_transforms(self, execution_config=None):
        """What a circuit must be rewritten to."""
        return self.simulator.preprocess_transforms()

    def execute(self, circuits, execution_config=None):
        """Run the circuits of one job, and give plain numbers where a result is one."""
        self.jobs.append(len(circuits))
        results = [self.simulator.execute(circuit) for circuit in circuits]
        return tuple(result if isinstance(result, tuple) or result.shape else float(result) for result in results)


class Offline(Plugin):
    """A device that cannot be reached."""

    name = "test.offline"

    def execute(self, circuits, execution_config=None):
        """Fail."""
        raise RuntimeError("the fridge is warm")


class Derived(qml.devices.DefaultQubit):
    """A user's own simulator, under the name it inherits."""


@qml.transform
def without_rotations(tape):
    """A transform that changes what a device computes."""
    return (tape.copy(operations=[op for op in tape.operations if op.name != "RX"]),), lambda results: results[0]


def gates(inputs, weights):
    """Two features, three weights, an entangler."""
    qml.RX(inputs[0], wires=0)
    qml.RY(2 * inputs[1], wires=1)
    qml.Rot(*weights, wires=0)
    qml.CNOT([0, 1])


def circuit(inputs, weights):
    """One measurement."""
    gates(inputs, weights)
    return qml.expval(qml.Z(1))


def several(inputs, weights):
    """Measurements of several kinds and shapes."""
    gates(inputs, weights)
    return [qml.expval(qml.X(0)), qml.var(qml.Z(1)), qml.probs(wires=[0, 1])]


def state(inputs, weights):
    """Complex results."""
    gates(inputs, weights)
    return qml.state()


def qutrits(inputs, weights):
    """Levels beyond those of qubits."""
    qml.TRX(inputs[0], wires=0, subspace=(0, 1))
    qml.TRY(inputs[1] * weights[0], wires=1, subspace=(0, 2))
    qml.TAdd(wires=[0, 1])
    qml.TRZ(weights[1], wires=0, subspace=(1, 2))
    qml.TRY(weights[2], wires=0, subspace=(0, 1))
    return qml.expval(qml.GellMann(0, 1)), qml.expval(qml.GellMann(1, 3))


def noisy_qutrits(inputs, weights):
    """A channel on a qutrit, and probabilities of three levels."""
    qml.TRX(inputs[0] + inputs[1], wires=0, subspace=(0, 1))
    qml.TRY(weights[0] * weights[1], wires=0, subspace=(0, 2))
    qml.QutritDepolarizingChannel(0.2, wires=0)
    return qml.probs(wires=0)


def light(inputs, weights):
    """Modes of light; the device measures one of them."""
    qml.Displacement(inputs[0], 0.1, wires=0)
    qml.Squeezing(weights[0], inputs[1], wires=1)
    qml.Beamsplitter(weights[1], weights[2], wires=[0, 1])
    return qml.expval(qml.NumberOperator(0))


def broadcast(inputs, weights):
    """Written for PennyLane's broadcasting."""
    qml.RX(inputs[:, 0], wires=0)
    qml.RY(inputs[:, 1] * weights[0], wires=1)
    qml.Rot(*weights, wires=1)
    return qml.expval(qml.Z(0) @ qml.X(1))


# device, quantum function, shape of the output for one sample
CASES = {
    "a plugin": (Plugin(), circuit, ()),
    "several measurements": (Plugin(), several, (6,)),
    "a derived class": (Derived(wires=2), circuit, ()),
    "a transform of the device": (without_rotations(qml.device("default.qubit", wires=2)), circuit, ()),
    "qutrits": (qml.device("default.qutrit", wires=2), qutrits, (2,)),
    "noisy qutrits": (qml.device("default.qutrit.mixed", wires=1), noisy_qutrits, (3,)),
    "light": (qml.device("default.gaussian", wires=2), light, ()),
}


def made(function=circuit, device=None, output_dim=None, **options):
    """A layer of three weights on a device that is not compiled."""
    qnode = qml.QNode(function, device or Plugin())
    return KerasLayer(qnode, {"weights": 3}, output_dim, **options)


def classifier(device=None, **options):
    """The layer between two of Dense."""
    return keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(2), made(device=device, output_dim=1, **options), keras.layers.Dense(1)]
    )
