"""Hadamards: the pass leaves the unitary of the steps as it is, and takes a layer where there is one to take."""

import random

import numpy as np
import oracle
import pennylane as qml
import pytest
import tensorflow as tf

from qlayer.circuits.factors import Permutation
from qlayer.circuits.gates import HADAMARD
from qlayer.circuits.hadamards import hadamards_moved
from qlayer.circuits.permutations import BasisPermutation
from qlayer.circuits.plan import Angle, Chain, Layer, MaskTerm, PhaseStep, Plan
from qlayer.frozen.folding import unitary_of

CNOT, SWAP, X, TOFFOLI = (0, 1, 3, 2), (0, 2, 1, 3), (1, 0), (0, 1, 2, 3, 4, 5, 7, 6)
WIRES = 4
generator = np.random.default_rng(5)


def layer(wires):
    """A random constant matrix on some of the wires."""
    matrices = (generator.normal(size=(2, 2)) + 1j * generator.normal(size=(2, 2)) for _ in wires)
    return Layer(tuple((wire, Chain((matrix,), ())) for wire, matrix in zip(wires, matrices, strict=True)))


def hadamards(wires):
    """A layer of Hadamards."""
    return Layer(tuple((wire, Chain((HADAMARD,), ())) for wire in range(wires)))


def permutation(seed, tables, wires=WIRES, length=8, terms=()):
    """A step of random permutations."""
    chooser = random.Random(seed)
    product = BasisPermutation(wires)
    for place in range(length):
        table = tables[place % len(tables)]
        product.append(Permutation(tuple(chooser.sample(range(wires), len(table).bit_length() - 1)), table))
    return PhaseStep(terms, product.sources(), product.only_flips or 0)


def unitary(steps, wires=WIRES):
    """The matrix of some steps."""
    return unitary_of(tuple(steps), Plan(wires, (), (), None, (), (), ()))


@pytest.mark.parametrize("wires", [2, 3, 4, 5])
@pytest.mark.parametrize("seed", range(5))
def test_the_unitary_stays(wires, seed):
    """Between layers, random products of CNOTs and SWAPs lose their Hadamards, and the unitary is the same."""
    steps = [
        layer(range(0, wires, 2)),
        permutation(seed, (CNOT, CNOT, SWAP), wires, length=7),  # odd, so that it is not the identity of two wires
        hadamards(wires),
        permutation(seed + 100, (CNOT, SWAP), wires),
        layer(range(wires)),
    ]
    moved = hadamards_moved(steps, wires)
    assert [type(step) for step in moved] == [Layer, PhaseStep, PhaseStep, Layer]
    np.testing.assert_allclose(unitary(moved, wires), unitary(steps, wires), atol=1e-12)


@pytest.mark.parametrize("repeats", [2, 3])
def test_one_after_another(repeats):
    """Several blocks in a row, as in re-uploading circuits, are all shortened."""
    block = [
        layer(range(WIRES)),
        permutation(1, (CNOT,)),
        hadamards(WIRES),
        PhaseStep((MaskTerm(5, 0.3, None),), None, 0),
    ]
    steps = block * repeats
    moved = hadamards_moved(steps, WIRES)
    assert len(moved) == 3 * repeats
    np.testing.assert_allclose(unitary(moved), unitary(steps), atol=1e-12)


LEFT_ALONE = {
    "not linear, but affine": permutation(0, (CNOT, X), length=7),
    "not affine": permutation(0, (CNOT, TOFFOLI)),
    "with a phase": permutation(0, (CNOT,), terms=(MaskTerm(3, 0.4, None),)),
    "no permutation": PhaseStep((MaskTerm(3, 0.4, None),), None, 0),
}


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_left_alone(name):
    """What Hadamards turn into more than a permutation stays as it is."""
    steps = [layer(range(WIRES)), LEFT_ALONE[name], hadamards(WIRES)]
    assert hadamards_moved(steps, WIRES) == steps


def test_only_hadamards_move():
    """Another layer, one that misses a wire, and one with angles stay where they are."""
    chain = Chain((HADAMARD, HADAMARD), ((Angle(0, is_input_dependent=False), (0.5, -0.5)),))
    turned = Layer(tuple((wire, chain) for wire in range(WIRES)))
    for last in (layer(range(WIRES)), hadamards(WIRES - 1), turned):
        steps = [layer(range(WIRES)), permutation(0, (CNOT,)), last]
        assert hadamards_moved(steps, WIRES) == steps


def test_without_a_layer_in_front():
    """Hadamards that no layer could take stay where they are."""
    steps = [permutation(0, (CNOT,)), hadamards(WIRES)]
    assert hadamards_moved(steps, WIRES) == steps


def test_a_layer_of_angles_in_front():
    """A layer with angles takes the Hadamards after its last matrix; its angles stay."""
    chain = Chain((HADAMARD, np.eye(2)), ((Angle(0, is_input_dependent=False), (0.5, -0.5)),))
    turned = Layer(((1, chain),))
    first, _ = hadamards_moved([turned, permutation(0, (CNOT,)), hadamards(WIRES)], WIRES)
    chains = dict(first.chains)
    assert chains[1].phases == chain.phases
    np.testing.assert_array_equal(chains[1].matrices[-1], HADAMARD)
    np.testing.assert_array_equal(chains[0].matrices[-1], HADAMARD)


@pytest.mark.parametrize("layers", [2, 3])
def test_reuploading_circuits(layers):
    """A circuit that embeds its inputs again and again has one layer for each time, and default.qubit's numbers."""

    def function(inputs, weights):
        for turn in weights:
            qml.AngleEmbedding(inputs, wires=range(WIRES))
            qml.StronglyEntanglingLayers(turn[None], wires=range(WIRES))
        return [qml.expval(qml.Z(wire)) for wire in range(WIRES)]

    weights = {"weights": generator.uniform(-3, 3, (layers, WIRES, 3))}
    inputs = generator.uniform(-3, 3, (3, WIRES))
    circuit = oracle.compiled(function, (WIRES,), weights)
    plan = circuit.python_function.plan
    assert sum(isinstance(step, Layer) for step in (*plan.prefix, *plan.steps)) == layers + 1  # the first Hadamards
    np.testing.assert_allclose(
        circuit(tf.constant(inputs), tf.constant(weights["weights"])),
        oracle.expected(function, inputs, weights),
        atol=1e-10,
    )
