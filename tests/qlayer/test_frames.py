"""Frames: Hadamards that are carried leave the circuit as it is, and the layers between them are gone."""

import numpy as np
import oracle
import pennylane as qml
import pytest

from qlayer import compiler
from qlayer.circuits.factors import Matrix, Permutation, Phase, Term, diagonal
from qlayer.circuits.frames import hadamards_carried
from qlayer.circuits.gates import HADAMARD
from qlayer.circuits.plan import Layer, PhaseStep
from qlayer.circuits.scheduler import plans_of
from qlayer.simulation.costs import plan_cost

WIRES = 4
CNOT, SWAP, X, TOFFOLI = (0, 1, 3, 2), (0, 2, 1, 3), (1, 0), (0, 1, 2, 3, 4, 5, 7, 6)
generator = np.random.default_rng(12)


def hadamard(wire):
    """A Hadamard, as gates have it."""
    return Matrix((wire,), HADAMARD)


def random_factor(kind, wires):
    """A constant factor of a kind on some of the wires."""
    match kind:
        case "H":
            return hadamard(wires[0])
        case "X" | "CNOT" | "SWAP" | "TOFFOLI":
            table = {"X": X, "CNOT": CNOT, "SWAP": SWAP, "TOFFOLI": TOFFOLI}[kind]
            return Permutation(wires[: len(table).bit_length() - 1], table)
        case "CZ":
            return diagonal(wires[:2], (0, 0, 0, np.pi))
        case "Z":
            return diagonal(wires[:1], (0, np.pi))
        case "S":
            return diagonal(wires[:1], (0, np.pi / 2))
        case _:
            return Matrix(
                wires[:1], np.linalg.qr(generator.normal(size=(2, 2)) + 1j * generator.normal(size=(2, 2)))[0]
            )


def matrix_of(factor):
    """The matrix of a constant factor on all wires: (16, 16)."""
    states = np.arange(2**WIRES)
    bits = states[:, np.newaxis] >> np.arange(WIRES)[::-1] & 1
    if isinstance(factor, Phase):
        phases = sum(term.coefficient * (-1.0) ** bits[:, list(term.wires)].sum(axis=1) for term in factor.terms)
        return np.diag(np.exp(1j * phases))
    small = factor.matrix if isinstance(factor, Matrix) else np.eye(len(factor.table))[np.argsort(factor.table)]
    place = 2 ** np.arange(len(factor.wires))[::-1]
    wires = list(factor.wires)
    own = bits[:, wires] @ place
    others = np.delete(bits, wires, axis=1)
    same = (others[:, np.newaxis] == others[np.newaxis]).all(axis=2)
    return np.where(same, small[own[:, np.newaxis], own[np.newaxis]], 0)


def unitary(factors):
    """The matrix of some factors, in order of application."""
    product = np.eye(2**WIRES)
    for factor in factors:
        product = matrix_of(factor) @ product
    return product


KINDS = ("H", "H", "H", "X", "CNOT", "CNOT", "SWAP", "TOFFOLI", "CZ", "Z", "S", "matrix")


@pytest.mark.parametrize("seed", range(40))
def test_the_unitary_stays(seed):
    """Of random factors, global phase included; Hadamards become no more."""
    chooser = np.random.default_rng(seed)
    kinds = chooser.choice(KINDS, 30)
    factors = [random_factor(kind, tuple(chooser.permutation(WIRES)[:3].tolist())) for kind in kinds]
    carried = [factor for factor, _ in hadamards_carried((factor, ()) for factor in factors)]
    np.testing.assert_allclose(unitary(carried), unitary(factors), atol=1e-10)
    assert sum(isinstance(factor, Matrix) for factor in carried) <= sum(isinstance(f, Matrix) for f in factors)


@pytest.mark.parametrize("angle", [1e-3, 1e-6, np.pi - 1e-3, np.pi + 1e-7])
def test_almost(angle):
    """What is almost a gate that Hadamards pass is itself."""
    near = diagonal((0,), (0, angle))
    off = Matrix((1,), HADAMARD @ np.diag([1, np.exp(1j * (angle % np.pi))]))
    factors = [hadamard(0), near, hadamard(0), off, Permutation((0, 1), CNOT), off, hadamard(1)]
    carried = [found for found, _ in hadamards_carried((factor, ()) for factor in factors)]
    np.testing.assert_allclose(unitary(carried), unitary(factors), atol=1e-13)


TURN = Phase((Term(frozenset({0}), 0.5, 0),))
THROUGH = {
    "a CNOT changes its direction": ((0, 1), Permutation((0, 1), CNOT), [Permutation((0, 1), (0, 3, 2, 1))]),
    "a SWAP stays": ((0, 1), Permutation((0, 1), SWAP), [Permutation((0, 1), SWAP)]),
    "a target makes a CZ": ((1,), Permutation((0, 1), CNOT), [diagonal((0, 1), (0, 0, 0, np.pi))]),
    "a Toffoli's target makes a CCZ": (
        (2,),
        Permutation((0, 1, 2), TOFFOLI),
        [diagonal((0, 1, 2), (0,) * 7 + (np.pi,))],
    ),
    "an X becomes a Z": ((0,), Permutation((0,), X), [diagonal((0,), (0, np.pi))]),
    "a Z becomes an X": ((0,), diagonal((0,), (0, np.pi)), [Permutation((0,), X)]),
}


@pytest.mark.parametrize("name", THROUGH)
def test_carried_through(name):
    """What a factor becomes between Hadamards, which are gone where they meet others."""
    wires, factor, expected = THROUGH[name]
    around = [(hadamard(wire), ()) for wire in wires]
    carried = [found for found, _ in hadamards_carried([*around, (factor, ()), *around])]
    assert len(carried) == len(expected)
    np.testing.assert_allclose(unitary(carried), unitary(expected), atol=1e-12)


@pytest.mark.parametrize("factor", [TURN, Permutation((0, 1), CNOT), random_factor("S", (0,)), random_factor("", (0,))])
def test_not_carried_through(factor):
    """Hadamards stay in front of what they turn into no diagonal and permutation, and what has angles."""
    slots = object()
    (first, _), (second, kept) = hadamards_carried([(hadamard(0), ()), (factor, slots)])
    assert isinstance(first, Matrix)
    assert second is factor
    assert kept is slots


# ------------------------------------------------------------------------------------------------------------ circuits


def basic(inputs, weights):
    """Rotations about X in every layer."""
    qml.AngleEmbedding(inputs, wires=range(WIRES))
    qml.BasicEntanglerLayers(weights, wires=range(WIRES))
    return [qml.expval(qml.Z(wire)) for wire in range(WIRES)]


def amplitudes(inputs, weights):
    """Real amplitudes in front of them."""
    qml.AmplitudeEmbedding(qml.math.concatenate([inputs, inputs * inputs + 1], axis=-1), range(3), normalize=True)
    qml.BasicEntanglerLayers(weights, wires=range(WIRES))
    return qml.probs(wires=range(WIRES))


def real(inputs, weights):
    """Amplitudes that stay real."""
    qml.AngleEmbedding(inputs, wires=range(WIRES), rotation="Y")
    qml.BasicEntanglerLayers(weights, wires=range(WIRES), rotation=qml.RY)
    return qml.probs(wires=[2, 0]), qml.expval(qml.X(0) @ qml.Z(3)), qml.expval(qml.Y(1))


def mixed_entanglers(inputs, weights):
    """Rotations about X among gates that Hadamards pass, or do not."""
    qml.IQPEmbedding(inputs, wires=range(WIRES), n_repeats=2)
    for turn in weights:
        for wire in range(WIRES):
            qml.RX(turn[wire], wire)
        qml.CZ([0, 1])
        qml.SWAP([1, 2])
        qml.Toffoli([0, 1, 3])
        qml.CNOT([3, 0])
        qml.X(2)
        qml.S(1)
    return qml.expval(qml.X(0) @ qml.Y(1) @ qml.Z(2)), qml.var(qml.Z(3)), qml.probs(wires=[1, 3])


def channels(inputs, weights):
    """A density matrix."""
    qml.AngleEmbedding(inputs, wires=range(WIRES))
    qml.BasicEntanglerLayers(weights[:1], wires=range(WIRES))
    qml.AmplitudeDamping(0.2, wires=1)
    qml.BasicEntanglerLayers(weights[1:], wires=range(WIRES))
    return [qml.expval(qml.Z(wire)) for wire in range(WIRES)]


CIRCUITS = {function.__name__: function for function in (basic, amplitudes, real, mixed_entanglers, channels)}
PLANS = [(name, place) for name in CIRCUITS for place in range(1 if name == "real" else 3)]


@pytest.mark.parametrize(("name", "place"), PLANS)
def test_every_plan(name, place, monkeypatch):
    """Whichever plan is taken, values and gradients are those of default.qubit."""

    def one(circuit):
        plans = list(plans_of(circuit))
        assert len(plans) == sum(known == name for known, _ in PLANS)
        return [plans[place]]

    monkeypatch.setattr(compiler, "plans_of", one)
    inputs, weights = generator.uniform(-2, 2, (3, WIRES)), {"weights": generator.uniform(-3, 3, (3, WIRES))}
    device = qml.device("default.mixed" if name == "channels" else "default.qubit", wires=WIRES)
    oracle.assert_same(CIRCUITS[name], inputs, weights, device=device)
    oracle.assert_same_gradients(CIRCUITS[name], inputs, weights, device=device)


def chosen_plan(function):
    """The plan that the cost model chooses."""
    return oracle.compiled(function, (WIRES,), {"weights": np.zeros((5, WIRES))}).python_function.plan


def test_entangling_layers_of_one_axis_have_two_layers():
    """However many there are: Hadamards, a phase polynomial with a permutation, Hadamards."""
    steps = chosen_plan(amplitudes).steps
    assert [type(step) for step in steps] == [Layer, PhaseStep, Layer]
    assert steps[0].is_real
    assert steps[2].is_real


def test_the_cheapest_is_chosen():
    """Of all plans for a circuit."""
    found = []

    def seen(circuit):
        found.extend(plans_of(circuit))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiler, "plans_of", seen)
        plan = chosen_plan(basic)
    assert len(found) == 3
    assert plan_cost(plan) == min(map(plan_cost, found))
