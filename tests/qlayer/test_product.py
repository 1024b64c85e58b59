"""Product: which steps leave the wires unentangled, and whether what they leave is real."""

import numpy as np
import oracle
import pennylane as qml
import pytest

from qlayer.circuits.plan import Angle, Chain, Layer, MaskTerm, MatrixStep, PhaseStep
from qlayer.circuits.product import is_real_product, with_product_prefix

WIRES = 3
H = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
INPUT = Angle(0, is_input_dependent=True)
WEIGHT = Angle(0, is_input_dependent=False)
LAYER = Layer(((0, Chain((H,), ())), (2, Chain((H,), ()))))
CNOT = np.array([0, 1, 2, 3, 6, 7, 4, 5])


def phase(*terms, sources=None, flips=0):
    """A diagonal of terms, then a permutation."""
    return PhaseStep(tuple(MaskTerm(mask, 0.5, angle) for mask, angle in terms), sources, flips)


@pytest.mark.parametrize("entangling", [phase((5, WEIGHT)), phase(sources=CNOT), MatrixStep((0, 1), np.eye(4))])
def test_prefix(entangling):
    """It ends in front of the first step that entangles wires."""
    single = phase((4, INPUT), (0, WEIGHT))
    flipped = phase(sources=np.arange(8) ^ 3, flips=3)
    assert with_product_prefix([LAYER, single, flipped, entangling, LAYER]) == (
        [LAYER, single, flipped],
        [entangling, LAYER],
    )
    assert with_product_prefix([LAYER]) == ([LAYER], [])
    assert with_product_prefix([]) == ([], [])


def test_inputs_of_single_wires_are_split_off():
    """A diagonal of inputs on single wires stays in the prefix; what weights turn, and the permutation, does not."""
    step = phase((4, INPUT), (5, WEIGHT), (0, INPUT), (1, WEIGHT), sources=CNOT)
    prefix, (rest,) = with_product_prefix([LAYER, step])
    assert prefix == [LAYER, phase((4, INPUT), (0, INPUT))]
    assert rest.terms == phase((5, WEIGHT), (1, WEIGHT)).terms
    assert rest.sources is CNOT


@pytest.mark.parametrize("terms", [((4, INPUT), (5, INPUT)), ((4, WEIGHT), (5, WEIGHT))])
def test_other_diagonals_are_not(terms):
    """Where inputs turn parities of wires all numbers are needed anyway, and weights turn all samples alike."""
    step = phase(*terms)
    assert with_product_prefix([LAYER, step]) == ([LAYER], [step])


def chosen_plan(function):
    """The plan that is chosen for a quantum function."""
    return oracle.compiled(function, (WIRES,), {"weights": np.zeros((2, WIRES))}).python_function.plan


def embedded(rotation, entangler):
    """An embedding and entangling layers about some axes."""

    def function(inputs, weights):
        qml.AngleEmbedding(inputs, wires=range(WIRES), rotation=rotation)
        qml.BasicEntanglerLayers(weights, wires=range(WIRES), rotation=entangler)
        return qml.state()

    return function


@pytest.mark.parametrize(
    ("rotation", "entangler", "is_real"),
    [("Y", qml.RY, True), ("X", qml.RX, False), ("Z", qml.RY, False), ("X", qml.RY, False)],
)
def test_real_products(rotation, entangler, is_real):
    """Rotations about Y are real whatever their angles are, and Hadamards."""
    plan = chosen_plan(embedded(rotation, entangler))
    assert is_real_product(plan.prefix, WIRES) == is_real


def test_global_phases():
    """They may make it complex."""
    assert is_real_product([LAYER], WIRES)
    assert not is_real_product([phase((0, WEIGHT))], WIRES)
    assert not is_real_product([LAYER, phase((4, None))], WIRES)
    assert is_real_product([phase(sources=np.arange(8) ^ 3, flips=3), LAYER], WIRES)


@pytest.mark.parametrize("rotation", "XYZ")
@pytest.mark.parametrize("entangler", [qml.RX, qml.RY, qml.RZ])
def test_states(rotation, entangler):
    """Real or not, the state is that of default.qubit, with its gradients."""
    generator = np.random.default_rng(3)
    arguments = generator.uniform(-3, 3, (2, WIRES)), {"weights": generator.uniform(-3, 3, (2, WIRES))}
    oracle.assert_same(embedded(rotation, entangler), *arguments)
    oracle.assert_same_gradients(embedded(rotation, entangler), *arguments)


def test_inputs_turn_unentangled_wires():
    """Behind the embedding, no diagonal depends on the inputs, although all of them could be one."""
    plan = chosen_plan(embedded("X", qml.RX))
    angles = [term.angle for step in plan.steps if isinstance(step, PhaseStep) for term in step.terms]
    assert angles
    assert not any(angle.is_input_dependent for angle in angles)
