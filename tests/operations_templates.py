"""The templates of the table of operations: preparations, layers, chemistry, algorithms, arithmetic on numbers."""

from __future__ import annotations

import numpy as np
import pennylane as qml
from operations_rows import (
    ALL,
    MPS_SITES,
    ORTHOGONAL,
    PLAIN,
    REAL_STATE,
    STATE,
    Row,
    block,
    first_order,
    hamiltonian,
    normalized,
    phases,
    rotation,
    subroutine,
)

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
