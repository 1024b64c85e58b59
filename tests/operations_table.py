"""One example of each operation of PennyLane, by the name of its class; "Name: more" is another example of it.

Inputs are four numbers, weights are 24. An example of an observable returns a measurement; all others are compared by
their state. What becomes of each is docs/operations.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pennylane as qml

FORMS = ("plain", "adjoint", "controlled")
PLAIN = ("plain",)
ALL = (0, 1, 2, 3)
UNCONTROLLED = ("plain", "adjoint")


@dataclass(frozen=True)
class Row:
    """An example of an operation.

    Args:
        body: queues the operation, from inputs and weights.
        wires: how many wires there are.
        clean: wires that are in 0 before; all others are in a state of their own.
        forms: in which of its forms default.qubit takes it.
        gradient: whether PennyLane differentiates it.
        refused: the reason in the error, where it cannot be compiled.
        device: the device it is compiled for.
        host: what runs it, on the host, where it is no operation on qubits.
        remark: what a user should know.
    """

    body: Callable[[Any, Any], Any]
    wires: int = 4
    clean: tuple[int, ...] = ()
    forms: tuple[str, ...] = FORMS
    gradient: bool = True
    refused: str = ""
    device: str = "default.qubit"
    host: str = ""
    remark: str = ""


HERMITIAN = np.array([[1.0, 2 - 1j], [2 + 1j, -0.5]])
UNITARY = np.linalg.qr(np.arange(16).reshape(4, 4) + 3j * np.eye(4))[0]
ORTHOGONAL = np.linalg.qr(np.arange(9).reshape(3, 3) + np.eye(3))[0]
STATE = np.array([1, 2j, -3, 4]) / np.sqrt(30)
REAL_STATE = np.array([1, 2, -3, 4]) / np.sqrt(30)
SPARSE = (qml.X(0) @ qml.Z(1) + 0.4 * qml.Y(1)).sparse_matrix([0, 1])
MPS_SITES = [
    np.array([[0.0, 0.107], [0.994, 0.0]]),
    np.array([[[0.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 0.0]]]),
    np.array([[-1.0, -0.0], [-0.0, -1.0]]),
]


def hamiltonian() -> Any:
    """A sum of words that do not commute."""
    return qml.Hamiltonian([0.5, 0.3], [qml.X(0) @ qml.Z(1), qml.Y(1)])


def block(weights: Any, wires: Any) -> None:
    """A block of a tensor network."""
    qml.CNOT(wires=wires)
    qml.RY(weights[0], wires=wires[0])
    qml.RY(weights[1], wires=wires[1])


def rotation(angle: Any) -> Any:
    """RY as a matrix, of a number or of a traced array."""
    cos, sin = qml.math.cos(angle / 2), qml.math.sin(angle / 2)
    return qml.math.reshape(qml.math.stack([cos, -sin, sin, cos]), (2, 2))


def phases(angles: Any) -> Any:
    """Complex numbers of norm 1."""
    return qml.math.exp(1j * qml.math.cast(angles, complex))


def normalized(values: Any) -> Any:
    """Real amplitudes of norm 1."""
    return values / qml.math.sqrt(qml.math.sum(values**2))


def first_order(time: Any, angle: Any, wires: Any) -> None:
    """What a TrotterizedQfunc repeats."""
    qml.RX(time * angle, wires[0])
    qml.CNOT(wires)


@qml.templates.Subroutine
def subroutine(angle: Any, wires: Any) -> None:
    """A user's subroutine."""
    qml.RX(angle, wires[0])
    qml.CNOT(wires)


def measured(function: Callable[[Any, Any], Any]) -> Row:
    """An observable, by its expectation value."""
    return Row(function, forms=PLAIN)


def gate(name: str, angles: int, wires: int) -> Row:
    """A gate of the first inputs on the first wires, the last angle being a weight."""

    def body(x: Any, w: Any) -> None:
        getattr(qml, name)(*[x[0], x[1] * w[1], w[0]][3 - angles :], wires=range(wires))

    return Row(body, wires=max(wires, 2))


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

PREPARATIONS = {
    "StatePrep": Row(lambda x, w: qml.StatePrep(STATE, wires=[2, 0]), clean=(0, 2)),
    "StatePrep: normalize": Row(lambda x, w: qml.StatePrep(x, wires=[1, 3], normalize=True), clean=ALL, forms=PLAIN),
    "StatePrep: weights": Row(lambda x, w: qml.StatePrep(w[:4], wires=[1, 3], normalize=True), clean=ALL, forms=PLAIN),
    "StatePrep: complex": Row(
        lambda x, w: qml.StatePrep(phases(x) / 2, wires=[1, 3], validate_norm=False), clean=ALL, forms=PLAIN
    ),
    "StatePrep: behind gates": Row(
        lambda x, w: qml.StatePrep(x, wires=[1, 3], normalize=True), clean=(1, 3), forms=PLAIN
    ),
    "BasisState": Row(lambda x, w: qml.BasisState(np.array([1, 0, 1]), wires=[0, 2, 3]), clean=(0, 2, 3)),
    "BasisEmbedding": Row(lambda x, w: qml.BasisEmbedding(5, wires=range(3)), clean=(0, 1, 2)),
    "AmplitudeEmbedding": Row(lambda x, w: qml.AmplitudeEmbedding(x, [2, 0], normalize=True), clean=ALL, forms=PLAIN),
    "AmplitudeEmbedding: padded": Row(
        lambda x, w: qml.AmplitudeEmbedding(x[:3] * w[0], range(3), pad_with=0.1, normalize=True),
        clean=ALL,
        forms=PLAIN,
    ),
    "AmplitudeEmbedding: complex padding": Row(
        lambda x, w: qml.AmplitudeEmbedding(x[:3], range(3), pad_with=0.1 + 0.2j, normalize=True),
        clean=ALL,
        forms=PLAIN,
    ),
    "QubitDensityMatrix": Row(
        lambda x, w: qml.QubitDensityMatrix(np.array([[0.3, 0.1j], [-0.1j, 0.7]]), wires=0),
        wires=2,
        forms=PLAIN,
        device="default.mixed",
    ),
    "ArbitraryStatePreparation": Row(lambda x, w: qml.ArbitraryStatePreparation(w[:6] * x[0], wires=[0, 1])),
    "CosineWindow": Row(lambda x, w: qml.CosineWindow(wires=[0, 1, 2]), clean=(0, 1, 2)),
    "MottonenStatePreparation": Row(lambda x, w: qml.MottonenStatePreparation(STATE, wires=[1, 3])),
    "MottonenStatePreparation: calculated": Row(
        lambda x, w: qml.MottonenStatePreparation(normalized(x), wires=[1, 3]), forms=PLAIN
    ),
    "MultiplexerStatePreparation": Row(lambda x, w: qml.MultiplexerStatePreparation(REAL_STATE, wires=[1, 3])),
    "MultiplexerStatePreparation: calculated": Row(
        lambda x, w: qml.MultiplexerStatePreparation(normalized(x), wires=[1, 3]), forms=PLAIN
    ),
    "QROMStatePreparation": Row(
        lambda x, w: qml.QROMStatePreparation(np.sqrt([0.5, 0, 0.25, 0.25]), [4, 5], [1, 2, 3], [0]),
        wires=6,
        clean=tuple(range(6)),
    ),
    "MPSPrep": Row(lambda x, w: qml.MPSPrep(MPS_SITES, wires=[0, 1, 2], work_wires=[3]), clean=tuple(range(4))),
    "SumOfSlatersPrep": Row(
        lambda x, w: qml.SumOfSlatersPrep(np.array([0.6, 0.8j]), wires=[0, 1, 2], indices=(1, 6)),
        clean=(0, 1, 2),
        forms=PLAIN,
        refused="neither a decomposition",
        remark="default.qubit refuses it too",
    ),
    "Superposition": Row(
        lambda x, w: qml.Superposition(np.sqrt([0.5, 0.5]), np.array([[1, 0], [0, 1]]), wires=[0, 1], work_wire=2),
        clean=(0, 1, 2),
    ),
}

LAYERS = {
    "AngleEmbedding": Row(lambda x, w: qml.AngleEmbedding(x * w[:4], wires=range(4), rotation="Y")),
    "IQPEmbedding": Row(lambda x, w: qml.IQPEmbedding(x[:3], wires=range(3), n_repeats=1)),
    "QAOAEmbedding": Row(lambda x, w: qml.QAOAEmbedding(x[:3], w[:6].reshape(1, 6), wires=range(3))),
    "BasicEntanglerLayers": Row(lambda x, w: qml.BasicEntanglerLayers(w[:8].reshape(2, 4), wires=range(4))),
    "GateFabric": Row(
        lambda x, w: qml.GateFabric(
            w[:2].reshape(1, 1, 2), wires=range(4), init_state=np.array([1, 1, 0, 0]), include_pi=True
        ),
        clean=tuple(range(4)),
    ),
    "ParticleConservingU1": Row(
        lambda x, w: qml.ParticleConservingU1(w[:6].reshape(1, 3, 2), range(4), init_state=np.array([1, 1, 0, 0])),
        clean=tuple(range(4)),
    ),
    "ParticleConservingU2": Row(
        lambda x, w: qml.ParticleConservingU2(w[:7].reshape(1, 7), range(4), init_state=np.array([1, 1, 0, 0])),
        clean=tuple(range(4)),
    ),
    "RandomLayers": Row(lambda x, w: qml.RandomLayers(w[:8].reshape(2, 4), wires=range(4), seed=3)),
    "SimplifiedTwoDesign": Row(lambda x, w: qml.SimplifiedTwoDesign(x, w[:6].reshape(1, 3, 2), wires=range(4))),
    "StronglyEntanglingLayers": Row(
        lambda x, w: qml.StronglyEntanglingLayers(w.reshape(2, 4, 3) * x[0], wires=range(4))
    ),
    "TwoLocalSwapNetwork": Row(
        lambda x, w: qml.templates.TwoLocalSwapNetwork(
            range(4), lambda index, wires, param: qml.CRX(param, wires), w[:6], fermionic=True
        )
    ),
    "MERA": Row(lambda x, w: qml.MERA(range(4), 2, block, 2, w[:10].reshape(5, 2))),
    "MPS": Row(lambda x, w: qml.MPS(range(4), 2, block, 2, w[:6].reshape(3, 2))),
    "TTN": Row(lambda x, w: qml.TTN(range(4), 2, block, 2, w[:6].reshape(3, 2))),
    "SubroutineOp": Row(lambda x, w: subroutine(x[0] * w[0], wires=[0, 1])),
    "IQP": Row(lambda x, w: qml.IQP(w[:2], num_wires=2, pattern=[[[0]], [[1]]], spin_sym=False), gradient=False),
}

CHEMISTRY = {
    "AllSinglesDoubles": Row(
        lambda x, w: qml.AllSinglesDoubles(
            w[:3], range(4), hf_state=np.array([1, 1, 0, 0]), singles=[[0, 2], [1, 3]], doubles=[[0, 1, 2, 3]]
        ),
        clean=tuple(range(4)),
    ),
    "BasisRotation": Row(lambda x, w: qml.BasisRotation(wires=range(3), unitary_matrix=ORTHOGONAL)),
    "BasisRotation: calculated": Row(
        lambda x, w: qml.BasisRotation(wires=range(2), unitary_matrix=rotation(x[0])),
        refused="needs the values",
        forms=PLAIN,
    ),
    "FermionicDoubleExcitation": Row(lambda x, w: qml.FermionicDoubleExcitation(x[0], wires1=[0, 1], wires2=[2, 3])),
    "FermionicSingleExcitation": Row(lambda x, w: qml.FermionicSingleExcitation(w[0], wires=[0, 1, 2])),
    "kUpCCGSD": Row(
        lambda x, w: qml.kUpCCGSD(
            w[:6].reshape(1, 6), wires=range(4), k=1, delta_sz=0, init_state=np.array([1, 1, 0, 0])
        ),
        clean=tuple(range(4)),
    ),
    "UCCSD": Row(
        lambda x, w: qml.UCCSD(
            w[:3],
            wires=range(4),
            s_wires=[[0, 1, 2], [1, 2, 3]],
            d_wires=[[[0, 1], [2, 3]]],
            init_state=np.array([1, 1, 0, 0]),
        ),
        clean=tuple(range(4)),
    ),
}

ALGORITHMS = {
    "QFT": Row(lambda x, w: qml.QFT(wires=range(4))),
    "AQFT": Row(lambda x, w: qml.AQFT(order=1, wires=range(3))),
    "ArbitraryUnitary": Row(lambda x, w: qml.ArbitraryUnitary(w[:15] * x[0], wires=[0, 1])),
    "GroverOperator": Row(lambda x, w: qml.GroverOperator(wires=range(3))),
    "FlipSign": Row(lambda x, w: qml.FlipSign([1, 0], wires=[0, 1])),
    "Permute": Row(lambda x, w: qml.Permute([2, 0, 1], wires=[0, 1, 2])),
    "AmplitudeAmplification": Row(
        lambda x, w: qml.AmplitudeAmplification(qml.RY(x[0], 0), qml.FlipSign([1], wires=[0]), iters=2)
    ),
    "AmplitudeAmplification: fixed point": Row(
        lambda x, w: qml.AmplitudeAmplification(
            qml.RY(x[0], 0), qml.FlipSign([1], wires=[0]), iters=3, fixed_point=True, work_wire=2
        )
    ),
    "Reflection": Row(lambda x, w: qml.Reflection(qml.RX(x[0], 0), w[0])),
    "ControlledSequence": Row(lambda x, w: qml.ControlledSequence(qml.RX(x[0], wires=0), control=[1, 2])),
    "QuantumPhaseEstimation": Row(
        lambda x, w: qml.QuantumPhaseEstimation(qml.RX(x[0], wires=0), estimation_wires=[1, 2]), gradient=False
    ),
    "QuantumMonteCarlo": Row(
        lambda x, w: qml.QuantumMonteCarlo(
            np.array([0.4, 0.6]), lambda i: 0.3 + 0.4 * i, target_wires=[0, 1], estimation_wires=[2, 3]
        )
    ),
    "HilbertSchmidt": Row(lambda x, w: qml.HilbertSchmidt([qml.RZ(x[0], wires=1)], [qml.Hadamard(0)]), gradient=False),
    "LocalHilbertSchmidt": Row(
        lambda x, w: qml.LocalHilbertSchmidt(
            [qml.RZ(x[0], wires=2), qml.RX(w[0], wires=3), qml.CNOT([2, 3])], [qml.CZ([0, 1])]
        ),
        gradient=False,
    ),
    "FABLE": Row(lambda x, w: qml.FABLE(np.array([[0.1, 0.2], [0.3, -0.2]]), wires=range(3), tol=0)),
    "FABLE: calculated": Row(lambda x, w: qml.FABLE(qml.math.reshape(0.5 * x, (2, 2)), wires=range(3), tol=0)),
    "GQSP": Row(lambda x, w: qml.GQSP(qml.RX(x[0], wires=1), np.array([[0.1, 0.4], [0.2, 0.5], [0.3, 0.6]]), 0)),
    "GQSP: calculated": Row(lambda x, w: qml.GQSP(qml.RX(0.3, wires=1), w[:6].reshape(3, 2), control=0)),
    "QSVT": Row(
        lambda x, w: qml.QSVT(
            qml.BlockEncode(np.array([[0.1, 0.2], [0.3, 0.4]]), wires=[0, 1]),
            [qml.PCPhase(x[i], dim=2, wires=[0, 1]) for i in range(3)],
        )
    ),
    "Qubitization": Row(
        lambda x, w: qml.Qubitization(
            qml.dot([0.1, 0.3, -0.3], [qml.Z(0), qml.Z(1), qml.Z(0) @ qml.X(1)]), control=[2, 3]
        )
    ),
    "PrepSelPrep": Row(
        lambda x, w: qml.PrepSelPrep(qml.dot([0.3, -0.1], [qml.X(0), qml.Z(1)]), control=[2]), clean=(2,)
    ),
    "Select": Row(lambda x, w: qml.Select([qml.X(2), qml.RY(x[0], 2), qml.RX(w[0], 3)], control=[0, 1])),
    "SelectPauliRot": Row(lambda x, w: qml.SelectPauliRot(x, control_wires=[0, 1], target_wire=2, rot_axis="Y")),
    "QROM": Row(
        lambda x, w: qml.QROM(["01", "10", "11", "00"], control_wires=[0, 1], target_wires=[2, 3], work_wires=None)
    ),
    "QROM: work wires": Row(
        lambda x, w: qml.QROM(["01", "10"], control_wires=[0], target_wires=[1, 2], work_wires=[3, 4]),
        wires=5,
        clean=(3, 4),
    ),
    "BBQRAM": Row(
        lambda x, w: qml.BBQRAM([[1], [0]], control_wires=[0], target_wires=[1], work_wires=range(2, 6)),
        wires=6,
        clean=(2, 3, 4, 5),
    ),
    "HybridQRAM": Row(
        lambda x, w: qml.HybridQRAM(
            [[1], [0], [1], [1]], control_wires=[0, 1], target_wires=[2], work_wires=range(3, 8), k=1
        ),
        wires=8,
        clean=(3, 4, 5, 6, 7),
    ),
    "SelectOnlyQRAM": Row(
        lambda x, w: qml.SelectOnlyQRAM([[1, 0], [0, 1]], control_wires=[0], target_wires=[1, 2], select_wires=[])
    ),
    "ApproxTimeEvolution": Row(lambda x, w: qml.ApproxTimeEvolution(hamiltonian(), x[0], 2)),
    "CommutingEvolution": Row(lambda x, w: qml.CommutingEvolution(qml.X(0) @ qml.X(1) + 0.5 * qml.X(1), x[0])),
    "QDrift": Row(lambda x, w: qml.QDrift(hamiltonian(), x[0], n=3, seed=1)),
    "TrotterProduct": Row(lambda x, w: qml.TrotterProduct(hamiltonian(), x[0], n=1, order=2)),
    "TrotterProduct: coefficients": Row(
        lambda x, w: qml.TrotterProduct(qml.dot([w[0], w[1]], [qml.X(0), qml.Z(0) @ qml.Y(1)]), x[0], n=1, order=2),
        forms=PLAIN,
    ),
    "TrotterizedQfunc": Row(
        lambda x, w: qml.TrotterizedQfunc(x[0], w[0], qfunc=first_order, n=2, order=2, wires=[0, 1])
    ),
}

NUMBERS = {
    "Adder": Row(lambda x, w: qml.Adder(2, x_wires=[0, 1, 2])),
    "Adder: mod": Row(lambda x, w: qml.Adder(2, x_wires=[0, 1, 2], mod=7, work_wires=[3, 4]), wires=5, clean=(3, 4)),
    "PhaseAdder": Row(lambda x, w: qml.PhaseAdder(2, x_wires=[0, 1, 2])),
    "SemiAdder": Row(lambda x, w: qml.SemiAdder([0, 1], [2, 3], work_wires=[4]), wires=5, clean=(4,)),
    "Multiplier": Row(lambda x, w: qml.Multiplier(3, x_wires=[0, 1], work_wires=[2, 3]), clean=(2, 3)),
    "ModExp": Row(lambda x, w: qml.ModExp([0], [1, 2], base=3, work_wires=[3, 4]), wires=5, clean=(3, 4)),
    "OutAdder": Row(lambda x, w: qml.OutAdder([0], [1], [2, 3])),
    "OutMultiplier": Row(lambda x, w: qml.OutMultiplier([0], [1], [2, 3])),
    "OutPoly": Row(lambda x, w: qml.OutPoly(lambda a, b: a**2 + b, [[0], [1]], [2, 3])),
    "TemporaryAND": Row(lambda x, w: qml.TemporaryAND([0, 1, 2]), clean=(2,)),
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
