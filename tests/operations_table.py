"""One example of each operation of PennyLane, by the name of its class; "Name: more" is another example of it.

Inputs are four numbers, weights are 24. An example of an observable returns a measurement; all others are compared by
their state. What becomes of each is docs/operations.md.
"""

from __future__ import annotations

import numpy as np
import pennylane as qml
from operations_rows import (
    HERMITIAN,
    PLAIN,
    SPARSE,
    UNCONTROLLED,
    UNITARY,
    Row,
    gate,
    hamiltonian,
    measured,
    phases,
    rotation,
)
from operations_templates import ALGORITHMS, CHEMISTRY, LAYERS, NUMBERS, PREPARATIONS

STANDARD = {
    **{name: gate(name, 0, 1) for name in ("Identity", "Hadamard", "PauliX", "PauliY", "PauliZ", "S", "T", "SX")},
    **{name: gate(name, 0, 2) for name in ("CNOT", "CZ", "CY", "CH", "SWAP", "ISWAP", "SISWAP", "ECR")},
    **{name: gate(name, 0, 3) for name in ("Toffoli", "CSWAP", "CCZ")},
    **{name: gate(name, 1, 1) for name in ("RX", "RY", "RZ", "PhaseShift", "U1", "GlobalPhase")},
    **{name: gate(name, 1, 2) for name in ("CRX", "CRY", "CRZ", "ControlledPhaseShift", "CPhaseShift00")},
    **{name: gate(name, 1, 2) for name in ("CPhaseShift01", "CPhaseShift10", "IsingXX", "IsingXY", "IsingYY")},
    **{name: gate(name, 1, 2) for name in ("IsingZZ", "PSWAP", "FermionicSWAP", "SingleExcitation")},
    **{name: gate(name, 1, 2) for name in ("SingleExcitationMinus", "SingleExcitationPlus")},
    **{name: gate(name, 1, 4) for name in ("DoubleExcitation", "DoubleExcitationMinus", "DoubleExcitationPlus")},
    "MultiRZ": gate("MultiRZ", 1, 3),
    "OrbitalRotation": gate("OrbitalRotation", 1, 4),
    "U2": gate("U2", 2, 1),
    "U3": gate("U3", 3, 1),
    "Rot": gate("Rot", 3, 1),
    "CRot": gate("CRot", 3, 2),
    "QubitSum": gate("QubitSum", 0, 3),
    "QubitCarry": gate("QubitCarry", 0, 4),
    "PauliRot": Row(lambda x, w: qml.PauliRot(x[0] * w[0], "XYZ", wires=[2, 0, 1])),
    "PCPhase": Row(lambda x, w: qml.PCPhase(x[0], dim=3, wires=[0, 1])),
    "SpecialUnitary": Row(lambda x, w: qml.SpecialUnitary(w[:3] * x[0], wires=0), wires=2, gradient=False),
    "SpecialUnitary: two wires": Row(lambda x, w: qml.SpecialUnitary(w[:15], wires=[0, 1]), gradient=False),
    "IntegerComparator": Row(lambda x, w: qml.IntegerComparator(2, geq=True, wires=[0, 1, 2])),
    "MultiControlledX": Row(lambda x, w: qml.MultiControlledX(wires=range(4), control_values=[1, 0, 0])),
    "QubitUnitary": Row(lambda x, w: qml.QubitUnitary(UNITARY, wires=[2, 0])),
    "QubitUnitary: calculated": Row(lambda x, w: qml.QubitUnitary(rotation(x[0] * w[0]), wires=1)),
    "ControlledQubitUnitary": Row(
        lambda x, w: qml.ControlledQubitUnitary(UNITARY, wires=[3, 2, 0], control_values=[0])
    ),
    "ControlledQubitUnitary: calculated": Row(
        lambda x, w: qml.ControlledQubitUnitary(rotation(x[0] * w[0]), wires=[2, 1]), gradient=False
    ),
    "DiagonalQubitUnitary": Row(lambda x, w: qml.DiagonalQubitUnitary(np.exp(1j * np.arange(4)), wires=[0, 1])),
    "DiagonalQubitUnitary: calculated": Row(
        lambda x, w: qml.DiagonalQubitUnitary(phases(qml.math.stack([x[0], w[0]])), wires=1), forms=PLAIN
    ),
    "BlockEncode": Row(lambda x, w: qml.BlockEncode(np.array([[0.1, 0.2], [0.3, 0.4]]), wires=[0, 1])),
    "BlockEncode: calculated": Row(lambda x, w: qml.BlockEncode(0.3 * qml.math.reshape(x, (2, 2)), wires=[0, 1])),
    "Barrier": Row(lambda x, w: (qml.RX(x[0], 0), qml.Barrier(wires=[0, 1]))),
    "Snapshot": Row(lambda x, w: (qml.RX(x[0], 0), qml.Snapshot()), forms=UNCONTROLLED),
    "WireCut": Row(lambda x, w: (qml.RX(x[0], 0), qml.WireCut(wires=0))),
    "MidMeasure": Row(
        lambda x, w: (
            qml.RX(x[0], 0),
            qml.cond(qml.measure(0, reset=True), qml.RY)(w[0], 1),
            qml.expval(qml.Z(1)),
        )[-1],
        forms=PLAIN,
        remark="deferred to the end, onto a wire of its own",
    ),
    "Conditional": Row(
        lambda x, w: (qml.cond(qml.measure(0), qml.RX, qml.RY)(x[0], 1), qml.expval(qml.Z(1)))[-1],
        forms=PLAIN,
        remark="of a deferred measurement",
    ),
    "PauliMeasure": Row(
        lambda x, w: (qml.pauli_measure("XY", wires=[0, 1]), qml.expval(qml.Z(1)))[-1],
        forms=PLAIN,
        refused="neither a decomposition nor a matrix",
        remark="default.qubit refuses it too",
    ),
}

ARITHMETIC = {
    "Adjoint": Row(lambda x, w: qml.adjoint(qml.Rot(x[0], w[0], 0.3, wires=0))),
    "Controlled": Row(lambda x, w: qml.ctrl(qml.IsingXY(x[0], wires=[0, 1]), control=[2, 3], control_values=[0, 1])),
    "ControlledOp": Row(lambda x, w: qml.ctrl(qml.Rot(x[0], w[0], 0.3, wires=0), control=2)),
    "ChangeOpBasis": Row(lambda x, w: qml.change_op_basis(qml.RX(x[0], 0), qml.CRY(w[0], [0, 1]))),
    "Pow": Row(lambda x, w: qml.pow(qml.RX(x[0], 0), 0.5)),
    "Pow: integer": Row(lambda x, w: qml.pow(qml.CRot(x[0], x[1], w[0], wires=[0, 1]), 3)),
    "Pow: negative": Row(lambda x, w: qml.pow(qml.Rot(x[0], x[1], w[0], wires=0), -2), gradient=False),
    "Pow: root": Row(lambda x, w: qml.pow(qml.Hadamard(0), 0.5)),
    "Pow: calculated": Row(lambda x, w: qml.pow(qml.Hadamard(0), x[0] * w[0]), forms=PLAIN, gradient=False),
    "Evolution: calculated": Row(
        lambda x, w: qml.evolve(qml.Hamiltonian(w[:2], [qml.X(0) @ qml.Y(1), qml.Z(0)]), x[0]),
        forms=PLAIN,
        gradient=False,
    ),
    "Pow: fraction": Row(
        lambda x, w: qml.pow(qml.Rot(x[0], x[1], w[0], wires=0), 0.5), refused="needs the values", forms=PLAIN
    ),
    "Exp": Row(lambda x, w: qml.exp(qml.X(0) @ qml.Z(1), 1j * x[0])),
    "Exp: sum": Row(lambda x, w: qml.exp(qml.X(0) @ qml.Z(1) + qml.Z(2), 1j * x[0])),
    "Exp: constant": Row(lambda x, w: qml.exp(qml.X(0) + qml.Z(1), 0.3j)),
    "Exp: not unitary": Row(
        lambda x, w: qml.exp(qml.X(0) @ qml.Z(1) + qml.Z(2), x[0]), refused="is not unitary", forms=PLAIN
    ),
    "Evolution": Row(lambda x, w: qml.evolve(qml.X(0) @ qml.Z(1) + 0.3 * qml.Y(1), x[1] * w[1]), gradient=False),
    "Evolution: word": Row(lambda x, w: qml.evolve(qml.X(0) @ qml.Z(1), x[0])),
    "Prod": Row(lambda x, w: qml.prod(qml.RX(x[0], 0), qml.CNOT([0, 1]), qml.RY(w[0], 1))),
    "SProd": Row(lambda x, w: qml.s_prod(np.exp(0.3j), qml.RX(x[0], 0))),
    "SProd: calculated": Row(lambda x, w: qml.s_prod(phases(x[1]), qml.RX(w[0], 0))),
    "Sum": Row(lambda x, w: qml.sum(qml.s_prod(0.6, qml.X(0)), qml.s_prod(0.8, qml.Z(0)))),
    "LinearCombination": Row(lambda x, w: qml.Hamiltonian([0.6, 0.8], [qml.X(0), qml.Z(0)])),
    "LinearCombination: observable": measured(lambda x, w: qml.expval(hamiltonian())),
    "Sum: observable": measured(lambda x, w: qml.expval(qml.Projector([1], 0) + 2 * qml.Projector([0, 1], [1, 2]))),
    "Prod: observable": measured(lambda x, w: qml.expval(qml.X(0) @ qml.Hermitian(HERMITIAN, 2))),
    "SProd: observable": measured(lambda x, w: qml.expval(3 * (qml.Projector([1], 1) @ qml.Z(0)))),
    "Hermitian": measured(lambda x, w: qml.expval(qml.Hermitian(HERMITIAN, wires=1))),
    "Projector": measured(lambda x, w: qml.expval(qml.Projector([1, 0], wires=[2, 0]))),
    "BasisStateProjector": measured(lambda x, w: qml.var(qml.Projector([1], wires=[1]))),
    "StateVectorProjector": measured(lambda x, w: qml.expval(qml.Projector(np.array([0.6, 0.8j]), wires=[1]))),
    "SparseHamiltonian": Row(
        lambda x, w: qml.expval(qml.SparseHamiltonian(SPARSE, wires=[2, 0])), forms=PLAIN, gradient=False
    ),
}

CHANNELS = {
    name: Row(body, wires=2, forms=PLAIN, device="default.mixed")
    for name, body in {
        "AmplitudeDamping": lambda x, w: qml.AmplitudeDamping(x[0], wires=0),
        "BitFlip": lambda x, w: qml.BitFlip(x[0], wires=0),
        "DepolarizingChannel": lambda x, w: qml.DepolarizingChannel(w[0], wires=0),
        "GeneralizedAmplitudeDamping": lambda x, w: qml.GeneralizedAmplitudeDamping(x[0], w[0], wires=0),
        "PauliError": lambda x, w: qml.PauliError("XY", w[0], wires=[0, 1]),
        "PhaseDamping": lambda x, w: qml.PhaseDamping(x[0], wires=0),
        "PhaseFlip": lambda x, w: qml.PhaseFlip(x[0] * w[0], wires=0),
        "QubitChannel": lambda x, w: qml.QubitChannel([0.6 * np.eye(2), 0.8 * np.eye(2)[::-1]], wires=0),
        "ResetError": lambda x, w: qml.ResetError(0.5 * x[0], 0.3 * w[0], wires=0),
        "ThermalRelaxationError": lambda x, w: qml.ThermalRelaxationError(0.1, 1.0, 1.2, 0.3, wires=0),
    }.items()
}

QUMODES = {
    "Beamsplitter": lambda x, w: qml.Beamsplitter(x[0], w[0], wires=[0, 1]),
    "CatState": lambda x, w: qml.CatState(x[0], w[0], 0.0, wires=0),
    "CoherentState": lambda x, w: qml.CoherentState(x[0], w[0], wires=0),
    "ControlledAddition": lambda x, w: qml.ControlledAddition(x[0], wires=[0, 1]),
    "ControlledPhase": lambda x, w: qml.ControlledPhase(x[0], wires=[0, 1]),
    "CrossKerr": lambda x, w: qml.CrossKerr(x[0], wires=[0, 1]),
    "CubicPhase": lambda x, w: qml.CubicPhase(x[0], wires=0),
    "CVNeuralNetLayers": lambda x, w: qml.CVNeuralNetLayers(
        *[np.full((1, size), 0.1) for size in (1, 1, 2, 2, 2, 1, 1, 2, 2, 2, 2)], wires=[0, 1]
    ),
    "DisplacedSqueezedState": lambda x, w: qml.DisplacedSqueezedState(x[0], x[1], x[2], w[0], wires=0),
    "Displacement": lambda x, w: qml.Displacement(x[0], w[0], wires=0),
    "DisplacementEmbedding": lambda x, w: qml.DisplacementEmbedding(x, wires=range(4)),
    "FockDensityMatrix": lambda x, w: qml.FockDensityMatrix(np.eye(2) / 2, wires=0),
    "FockState": lambda x, w: qml.FockState(1, wires=0),
    "FockStateProjector": lambda x, w: qml.expval(qml.FockStateProjector(np.array([1]), wires=0)),
    "FockStateVector": lambda x, w: qml.FockStateVector(np.array([0, 1.0]), wires=0),
    "GaussianState": lambda x, w: qml.GaussianState(np.eye(2), np.zeros(2), wires=0),
    "Interferometer": lambda x, w: qml.Interferometer(w[:1], w[1:2], w[2:4], wires=[0, 1]),
    "InterferometerUnitary": lambda x, w: qml.InterferometerUnitary(np.eye(2), wires=[0, 1]),
    "Kerr": lambda x, w: qml.Kerr(x[0], wires=0),
    "NumberOperator": lambda x, w: qml.expval(qml.NumberOperator(0)),
    "PolyXP": lambda x, w: qml.expval(qml.PolyXP(np.array([1.0, 2, 0]), wires=0)),
    "QuadOperator": lambda x, w: qml.expval(qml.QuadOperator(0.3, wires=0)),
    "QuadP": lambda x, w: qml.expval(qml.QuadP(0)),
    "QuadX": lambda x, w: qml.expval(qml.QuadX(0)),
    "QuadraticPhase": lambda x, w: qml.QuadraticPhase(x[0], wires=0),
    "Rotation": lambda x, w: qml.Rotation(x[0], wires=0),
    "SqueezedState": lambda x, w: qml.SqueezedState(x[0], w[0], wires=0),
    "Squeezing": lambda x, w: qml.Squeezing(x[0], w[0], wires=0),
    "SqueezingEmbedding": lambda x, w: qml.SqueezingEmbedding(x, wires=range(4)),
    "TensorN": lambda x, w: qml.expval(qml.TensorN(wires=[0, 1])),
    "ThermalState": lambda x, w: qml.ThermalState(x[0], wires=0),
    "TwoModeSqueezing": lambda x, w: qml.TwoModeSqueezing(x[0], w[0], wires=[0, 1]),
}

QUTRITS = {
    "ControlledQutritUnitary": lambda x, w: qml.ControlledQutritUnitary(np.eye(3), control_wires=0, wires=1),
    "GellMann": lambda x, w: qml.expval(qml.GellMann(0, 3)),
    "QutritAmplitudeDamping": lambda x, w: qml.QutritAmplitudeDamping(0.1, 0.2, 0.3, wires=0),
    "QutritBasisState": lambda x, w: qml.QutritBasisState(np.array([2, 1]), wires=[0, 1]),
    "QutritBasisStatePreparation": lambda x, w: qml.QutritBasisStatePreparation([2, 1], wires=[0, 1]),
    "QutritChannel": lambda x, w: qml.QutritChannel([np.eye(3)], wires=0),
    "QutritDepolarizingChannel": lambda x, w: qml.QutritDepolarizingChannel(0.1, wires=0),
    "QutritUnitary": lambda x, w: qml.QutritUnitary(np.eye(3), wires=0),
    "TAdd": lambda x, w: qml.TAdd(wires=[0, 1]),
    "TClock": lambda x, w: qml.TClock(0),
    "THadamard": lambda x, w: qml.THadamard(0),
    "THermitian": lambda x, w: qml.expval(qml.THermitian(np.eye(3), wires=0)),
    "TRX": lambda x, w: qml.TRX(x[0], wires=0),
    "TRY": lambda x, w: qml.TRY(x[0], wires=0),
    "TRZ": lambda x, w: qml.TRZ(x[0], wires=0),
    "TSWAP": lambda x, w: qml.TSWAP(wires=[0, 1]),
    "TShift": lambda x, w: qml.TShift(0),
    "TritFlip": lambda x, w: qml.TritFlip(0.1, 0.2, 0.3, wires=0),
}

OTHER_SYSTEMS = {
    **{
        name: Row(body, forms=PLAIN, refused="qumodes|has no matrix", host="a device of qumodes")
        for name, body in QUMODES.items()
    },
    **{name: Row(body, forms=PLAIN, refused="Qutrits", host="a device of qutrits") for name, body in QUTRITS.items()},
}

TABLE: dict[str, Row] = {
    **STANDARD,
    **ARITHMETIC,
    **PREPARATIONS,
    **LAYERS,
    **CHEMISTRY,
    **ALGORITHMS,
    **NUMBERS,
    **CHANNELS,
    **OTHER_SYSTEMS,
}
