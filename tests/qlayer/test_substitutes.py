"""Substitutes against what they stand for."""

import numpy as np
import oracle
import pennylane as qml
import pytest
import scipy.linalg
import tensorflow as tf

from qlayer import CaptureError
from qlayer.angles.substitutes import matrix_exponential


@pytest.mark.parametrize("scale", [0.0, 1e-6, 0.3, 1.0, 20.0, 500.0])
def test_matrix_exponential(scale):
    """The exponential of an anti-Hermitian matrix is SciPy's, for small norms and for large ones."""
    generator = np.random.default_rng(1)
    matrix = generator.normal(size=(3, 4, 4)) + 1j * generator.normal(size=(3, 4, 4))
    matrix = scale * (matrix - np.conj(np.swapaxes(matrix, -1, -2)))
    expected = [scipy.linalg.expm(one) for one in matrix]
    np.testing.assert_allclose(matrix_exponential(tf.constant(matrix)), expected, atol=1e-13 * max(1, scale) * 10)


def test_matrix_exponential_of_large_matrices():
    """A matrix too large for the number of squarings becomes NaN, and not a wrong number; others beside it do not."""
    turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
    small, large = matrix_exponential(tf.constant([3e4 * turn, 1e5 * turn]))
    np.testing.assert_allclose(small, scipy.linalg.expm(3e4 * turn), atol=1e-10)
    assert np.all(np.isnan(large))


def test_gradient_of_the_matrix_exponential():
    """Its gradient is TensorFlow's own, also at 0."""
    for point in (np.zeros((2, 2)), np.array([[0.3, 2.0], [-1.0, 0.1]])):
        gradients = []
        for function in (matrix_exponential, tf.linalg.expm):
            matrix = tf.constant(point)
            with tf.GradientTape() as tape:
                tape.watch(matrix)
                value = tf.reduce_sum(function(matrix) * [[1.0, 2.0], [3.0, 4.0]])
            gradients.append(tape.gradient(value, matrix))
        np.testing.assert_allclose(*gradients, atol=1e-12)


@pytest.mark.parametrize("dtype", [tf.float64, tf.float32])
@pytest.mark.parametrize(
    "angle",
    [
        lambda x: qml.math.stack([x[0], 0.1])[1],
        lambda x: qml.math.dot(x[:2], [0.1, 0.7]),
        lambda x: qml.math.convert_like(0.1, x) * x[0],
    ],
)
def test_constants_have_the_precision_of_the_layer(angle, dtype):
    """A Python number that qml.math combines with inputs is not rounded to single precision in float64."""

    def function(inputs):
        qml.RX(angle(inputs), wires=0)
        return qml.state()

    oracle.assert_same(function, np.array([[0.3, 0.4]]), {}, dtype=dtype)


def test_closeness_stays_unknown_to_users():
    """In the quantum function itself, a question about values is refused still."""

    def function(inputs):
        if not qml.math.allclose(inputs, 0.0):
            qml.RX(inputs[0], wires=0)
        return qml.expval(qml.Z(0))

    with pytest.raises(CaptureError, match="recorded once for all values"):
        oracle.compiled(function, (2,), {})
