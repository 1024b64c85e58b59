"""The specification's first QNode, for every test of a layer made of it."""

import pennylane as qml

SHAPES = {"weights_0": 3, "weight_1": 1}


def circuit(inputs, weights_0, weight_1):
    """Two inputs, a rotation and a weight that is a number."""
    qml.RX(inputs[0], wires=0)
    qml.RX(inputs[1], wires=1)
    qml.Rot(*weights_0, wires=0)
    qml.RY(weight_1, wires=1)
    qml.CNOT(wires=[0, 1])
    return qml.expval(qml.Z(0)), qml.expval(qml.Z(1))
