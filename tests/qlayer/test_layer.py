"""KerasLayer: weights, shapes, training, and everything the specification says of them."""

import numpy as np
import oracle
import pennylane as qml
import pytest
import tensorflow as tf
from specification import SHAPES, circuit

from qlayer import KerasLayer, ShapeError, SignatureError, UnsupportedError

N = 2
DEVICE = qml.device("default.qubit", wires=N)


@pytest.fixture
def qnode():
    """The specification's first QNode, on default.qubit."""
    return qml.QNode(circuit, DEVICE)


def weights_of(layer):
    """The layer's weights as NumPy arrays, by name."""
    return {name: weight.numpy() for name, weight in layer.qnode_weights.items()}


def test_specification_example(qnode):
    """The first example works on a batch, gives PennyLane's numbers, and stacks with a Dense layer."""
    layer = KerasLayer(qnode, SHAPES, output_dim=2, dtype="float64")
    inputs = np.random.default_rng(0).uniform(-3, 3, (5, 2))
    found = layer(tf.constant(inputs))
    np.testing.assert_allclose(found, oracle.expected(circuit, inputs, weights_of(layer)), atol=1e-10)
    assert [tuple(weight.shape) for weight in layer.weights] == [(3,), ()]
    model = tf.keras.models.Sequential([KerasLayer(qnode, SHAPES, output_dim=2), tf.keras.layers.Dense(2)])
    assert model(tf.zeros([4, 2])).shape == (4, 2)


OUTPUT_SHAPES = {
    "expval": (lambda: [qml.expval(qml.Z(0))], (5,)),
    "probs": (lambda: [qml.probs(wires=[0, 1])], (5, 4)),
    "state": (lambda: [qml.state()], (5, 4)),
    "expval and probs": (lambda: [qml.expval(qml.Z(0)), qml.probs(wires=[0, 1])], (5, 5)),
}


@pytest.mark.parametrize("name", OUTPUT_SHAPES)
def test_output_shape(name):
    """One bare measurement keeps its shape, several are flattened and concatenated; compute_output_shape knows it."""
    make, shape = OUTPUT_SHAPES[name]
    measurements = make()

    @qml.qnode(DEVICE)
    def qnode(inputs, weights):
        qml.templates.AngleEmbedding(inputs, wires=range(N))
        qml.templates.StronglyEntanglingLayers(weights, wires=range(N))
        if len(measurements) == 1:
            return qml.apply(measurements[0])
        return [qml.apply(measurement) for measurement in measurements]

    layer = KerasLayer(qnode, {"weights": (3, N, 3)}, output_dim=None)
    assert tuple(layer.compute_output_shape((5, N))) == shape
    assert tuple(layer(tf.zeros((5, N))).shape) == shape


def test_list_of_one_is_flattened():
    """A list of one measurement is concatenated: (batch, 1), not (batch,)."""

    @qml.qnode(DEVICE)
    def qnode(inputs):
        qml.AngleEmbedding(inputs, wires=range(N))
        return [qml.expval(qml.Z(0))]

    assert KerasLayer(qnode, {}, output_dim=None)(tf.zeros([5, 2])).shape == (5, 1)


def test_output_dim_reshapes_or_is_refused():
    """output_dim gives a scalar measurement its axis; one that does not fit names both sizes."""

    @qml.qnode(DEVICE)
    def qnode(inputs):
        qml.AngleEmbedding(inputs, wires=range(N))
        return qml.expval(qml.Z(0))

    assert KerasLayer(qnode, {}, output_dim=1)(tf.zeros([5, 2])).shape == (5, 1)
    with pytest.raises(ShapeError, match=r"output_dim says \(3,\).*returns 1 numbers"):
        KerasLayer(qnode, {}, output_dim=3)(tf.zeros([5, 2]))


@pytest.mark.parametrize("batch", [(), (3,), (2, 3), (0,)])
def test_all_axes_but_the_last_are_batch(qnode, batch):
    """Inputs may have no batch axis, one, several, or an empty one."""
    layer = KerasLayer(qnode, SHAPES, output_dim=2)
    inputs = np.random.default_rng(1).uniform(-1, 1, (*batch, 2)).astype(np.float32)
    found = layer(tf.constant(inputs))
    assert found.shape == (*batch, 2)
    flat = layer(tf.constant(inputs.reshape(-1, 2)))
    np.testing.assert_allclose(np.reshape(found, (-1, 2)), flat, atol=1e-6)


def test_sample_shape():
    """sample_shape takes more than one axis for the features."""

    @qml.qnode(DEVICE)
    def qnode(inputs, weights):
        for row in inputs:
            qml.AngleEmbedding(row, wires=range(N))
            qml.RY(weights[0], wires=0)
        return qml.expval(qml.Z(0))

    layer = KerasLayer(qnode, {"weights": 2}, output_dim=1, sample_shape=(4, 2))
    assert layer(tf.zeros([7, 4, 2])).shape == (7, 1)
    with pytest.raises(ShapeError, match=r"samples of shape \(4, 2\).*inputs have shape \(7, 2, 2\)"):
        layer(tf.zeros([7, 2, 2]))


def test_weight_specs(qnode):
    """weight_specs reach add_weight: initializer by name or object, regularizer, constraint, trainable."""
    specs = {
        "weights_0": {"initializer": tf.keras.initializers.Constant(0.25), "trainable": False},
        "weight_1": {"initializer": "zeros", "regularizer": "l2", "constraint": tf.keras.constraints.NonNeg()},
    }
    layer = KerasLayer(qnode, SHAPES, output_dim=2, weight_specs=specs)
    layer(tf.zeros([1, 2]))
    np.testing.assert_array_equal(layer.qnode_weights["weights_0"], [0.25] * 3)
    assert [weight.shape for weight in layer.trainable_weights] == [()]
    assert layer.qnode_weights["weight_1"].constraint is not None
    assert len(layer.losses) == 1
    with pytest.raises(SignatureError, match="weight_specs names 'other', but the weights are 'weights_0', 'weight_1'"):
        KerasLayer(qnode, SHAPES, output_dim=2, weight_specs={"other": {}})


@pytest.mark.parametrize("specs", [{"initialiser": "zeros"}, {"initializer": "nope"}])
def test_weight_specs_that_keras_does_not_take(qnode, specs):
    """What add_weight of Keras does not take is refused with the weight's name and what Keras says."""
    layer = KerasLayer(qnode, SHAPES, output_dim=2, weight_specs={"weight_1": specs})
    with pytest.raises(
        SignatureError, match=r"weight_specs gives \{.*\} for 'weight_1', which Keras does not .*(ser|nope)"
    ):
        layer.build((None, 2))


def test_nothing_is_retraced(qnode):
    """A hundred calls with ten batch sizes, eager and in a model, trace the circuit once."""
    layer = KerasLayer(qnode, SHAPES, output_dim=2)
    model = tf.keras.models.Sequential([layer])
    for call in range(100):
        layer(tf.zeros([1 + call % 10, 2]))
    model.compile("sgd", "mse")
    model.fit(tf.zeros([20, 2]), tf.zeros([20, 2]), batch_size=7, epochs=2, verbose=0)
    assert layer._compiled.function.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_reach_inputs_and_weights(qnode, dtype):
    """The layer passes gradients on to its inputs and its weights, in its own precision."""
    layer = KerasLayer(qnode, SHAPES, output_dim=2, dtype=dtype)
    inputs = tf.constant([[0.3, -0.4]], dtype)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = tf.reduce_sum(layer(inputs))
    by_inputs, *by_weights = tape.gradient(loss, [inputs, *layer.trainable_weights])
    assert by_inputs.dtype == dtype
    assert all(gradient is not None for gradient in by_weights)
    step = 1e-3
    up, down = (layer(inputs + np.array([[sign * step, 0.0]], dtype)) for sign in (1, -1))
    np.testing.assert_allclose(by_inputs[0, 0], tf.reduce_sum(up - down) / (2 * step), atol=1e-3)


def test_a_weight_without_influence_trains_without_a_warning():
    """A weight that no measurement can see has the gradient zero, not none."""

    @qml.qnode(DEVICE)
    def qnode(inputs, seen, unseen):
        qml.RX(inputs[0] * seen, wires=0)
        qml.RX(unseen, wires=1)
        return qml.expval(qml.Z(0))

    layer = KerasLayer(qnode, {"seen": 1, "unseen": 1}, output_dim=1)
    model = tf.keras.models.Sequential([layer])
    model.compile("sgd", "mse")
    model.fit(tf.ones([4, 1]), tf.ones([4, 1]), verbose=0)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(tf.ones([4, 1])))
    assert tape.gradient(loss, layer.qnode_weights["unseen"]) == 0


def test_inputs_are_cast(qnode):
    """Integer and double inputs are taken in the layer's precision, silently."""
    layer = KerasLayer(qnode, SHAPES, output_dim=2)
    expected = layer(tf.constant([[1.0, 2.0]]))
    np.testing.assert_array_equal(layer(tf.constant([[1, 2]])), expected)
    np.testing.assert_array_equal(layer(tf.constant([[1.0, 2.0]], tf.float64)), expected)


def test_input_argument_by_name():
    """The inputs' argument can be named for one layer, or for all that follow."""

    @qml.qnode(DEVICE)
    def qnode(features, weights):
        qml.RX(features[0], wires=0)
        return qml.expval(qml.Z(0))

    assert KerasLayer(qnode, {"weights": 1}, 1, input_argument="features").input_arg == "features"
    KerasLayer.set_input_argument("features")
    try:
        layer = KerasLayer(qnode, {"weights": 1}, 1)
    finally:
        KerasLayer.set_input_argument()
    assert layer(tf.zeros([2, 1])).shape == (2, 1)
    with pytest.raises(SignatureError, match="must have an argument named 'inputs'"):
        KerasLayer(qnode, {"weights": 1}, 1)


def test_misuse_is_explained(qnode):
    """Features of unknown or wrong number, and a precision that is none, are refused with what to do."""
    layer = KerasLayer(qnode, SHAPES, output_dim=2)
    with pytest.raises(ShapeError, match="recorded when the layer is built"):
        _ = layer.circuit
    with pytest.raises(ShapeError, match="number of features, must be known"):
        layer.build((None, None))
    layer(tf.zeros([1, 2]))
    with pytest.raises(ShapeError, match=r"built for samples of shape \(2,\), but the inputs have shape \(1, 3\)"):
        layer(tf.zeros([1, 3]))
    with pytest.raises(UnsupportedError, match="float32 or float64, not in float16"):
        KerasLayer(qnode, SHAPES, output_dim=2, dtype="mixed_float16")(tf.zeros([1, 2]))


def test_misuse_of_weights_is_explained(qnode):
    """Weights of a wrong number or shape are refused with both, by Keras; before the layer is built, too."""
    layer = KerasLayer(qnode, SHAPES, output_dim=2, name="moons")
    with pytest.raises(ValueError, match=r"moons. with a weight list of length 2, .* was expecting 0 weights"):
        layer.set_weights([np.zeros(3), np.zeros(())])
    layer(tf.zeros([1, 2]))
    with pytest.raises(ValueError, match=r"shape \(3,\) is? ?not compatible with provided weight shape \(4,\)"):
        layer.set_weights([np.zeros(4), np.zeros(())])


def test_the_default_of_the_inputs_is_not_used():
    """The inputs may have a default value, anywhere in the signature; the layer is always given inputs."""

    @qml.qnode(DEVICE)
    def qnode(weight, inputs=None):
        qml.RX(inputs[0], wires=0)
        qml.RY(weight, wires=0)
        return qml.expval(qml.Z(0))

    layer = KerasLayer(qnode, {"weight": 1}, output_dim=None, dtype="float64")
    inputs = np.array([[0.3], [-0.4]])
    np.testing.assert_allclose(layer(inputs), [qnode(weights_of(layer)["weight"], row) for row in inputs], atol=1e-10)


def test_state_is_complex():
    """A circuit that returns its state gives complex numbers, to be cast by the next layer."""

    @qml.qnode(DEVICE)
    def qnode(inputs):
        qml.AngleEmbedding(inputs, wires=range(N))
        return qml.state()

    model = tf.keras.models.Sequential([KerasLayer(qnode, {}, output_dim=4), tf.keras.layers.Lambda(tf.abs)])
    assert model.layers[0](tf.zeros([3, 2])).dtype == tf.complex64
    np.testing.assert_allclose(model(tf.zeros([3, 2])), [[1, 0, 0, 0]] * 3, atol=1e-6)


def calculated(inputs, weights_0, weight_1):
    """Angles that are calculated of the inputs, of the weights, and of both."""
    qml.RX(np.tanh(inputs[0]), wires=0)
    qml.Rot(*(1 / weights_0), wires=1)
    qml.CRY(weight_1 * inputs[1], wires=[0, 1])
    return qml.expval(qml.Z(0)), qml.expval(qml.Z(1))


@pytest.mark.parametrize("is_calculated", [False, True])
def test_xla(qnode, is_calculated):
    """jit_compile=True gives the same numbers."""
    if is_calculated:
        qnode = qml.QNode(calculated, qml.device("default.qubit"))
    layer, compiled = (KerasLayer(qnode, SHAPES, output_dim=2, jit_compile=jit) for jit in (False, True))
    inputs = tf.constant(np.random.default_rng(2).uniform(-1, 1, (4, 2)), tf.float32)
    layer(inputs), compiled(inputs)
    compiled.set_weights(layer.get_weights())
    np.testing.assert_allclose(compiled(inputs), layer(inputs), atol=1e-6)
