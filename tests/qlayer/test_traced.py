"""Traced arrays against NumPy arrays: whatever users write on arguments gives the same numbers."""

import numpy as np
import pennylane as qml
import pytest
import tensorflow as tf

from qlayer import CaptureError
from qlayer.angles.traced import METHODS, Traced, unwrap

VALUES = np.random.default_rng(0).uniform(0.1, 0.9, (3, 4))

SAME_AS_NUMPY = {
    "index": lambda a: a[1, 2],
    "negative index": lambda a: a[-1],
    "slice": lambda a: a[1:, ::2],
    "ellipsis": lambda a: a[..., 0],
    "list index": lambda a: a[[0, 2]],
    "new axis": lambda a: a[None],
    "unpacked": lambda a: [row[0] for row in a][2],
    "starred": lambda a: max(*a[0].shape, len(a)) * a[0],
    "range(len)": lambda a: sum(a[i][i] for i in range(len(a))),
    "reshape": lambda a: a.reshape(4, 3)[1],
    "transpose": lambda a: a.T[3] + a.transpose(1, 0)[0],
    "flatten": lambda a: a.flatten()[5] * a.ravel()[6],
    "arithmetic": lambda a: (2 * a[0] - a[1] / 3 + 1) ** 2 % 0.7,
    "from the left": lambda a: 1 - 2 / (3 + a),
    "matrix product": lambda a: a @ np.ones(4) + np.ones(3),
    "numpy scalar": lambda a: np.float64(2.0) * a + np.pi,
    "numpy array": lambda a: np.arange(4) * a,
    "ufuncs": lambda a: np.sin(a) + np.arccos(a) * np.exp(a) - np.arctan2(a, 2.0),
    "numpy functions": lambda a: np.sum(a, axis=0) + np.mean(a) + np.dot(a, np.ones(4))[0],
    "stack": lambda a: np.stack([a[0], a[1]])[1],
    "qml.math": lambda a: qml.math.sum(qml.math.arctan(a)) + qml.math.dot(a[0], a[1]),
    "complex": lambda a: (a * (1 + 2j)).conj().imag + (a.conjugate() * 1j).real + a.imag,
    "abs, neg": lambda a: abs(-a) + +a,
}


def evaluated(function, values):
    """Record a function on a Traced and run what was recorded."""

    @tf.function(autograph=False)
    def record(tensor):
        return tf.convert_to_tensor(unwrap(function(Traced(tensor))))

    return record(tf.constant(values)).numpy()


@pytest.mark.parametrize("name", SAME_AS_NUMPY)
def test_same_as_numpy(name):
    """An expression on a Traced gives what it gives on a NumPy array."""
    function = SAME_AS_NUMPY[name]
    np.testing.assert_allclose(evaluated(function, VALUES), function(VALUES), rtol=1e-12)


ARGUMENTS = {"clip": (0.2, 0.5), "repeat": (2,), "take": ([0, 2],), "swapaxes": (0, 1), "dot": (np.ones(4),)}


@pytest.mark.parametrize("name", METHODS)
def test_methods(name):
    """Each method of NumPy's arrays that a Traced has gives what it gives on a NumPy array."""
    arguments = ARGUMENTS.get(name, ())
    found = evaluated(lambda a: getattr(a, name)(*arguments), VALUES)
    np.testing.assert_allclose(found, getattr(VALUES, name)(*arguments), rtol=1e-12)


@pytest.mark.parametrize("function", [tf.sin, tf.unstack, lambda a: tf.reshape(tf.stack([a, 2 * a]), [-1])])
def test_tensorflow_functions(function):
    """TensorFlow's functions take a Traced, and what they return can be iterated over again."""
    found = evaluated(lambda a: [3 * element for element in function(a[0])], VALUES)
    np.testing.assert_allclose(found, 3 * np.stack(list(function(tf.constant(VALUES[0])))), rtol=1e-12)


@pytest.mark.parametrize("ask", [bool, float, int, np.asarray, lambda a: a.numpy(), lambda a: 1 if a > 0 else 2, range])
def test_asking_for_a_value_is_refused(ask):
    """Python control flow on values is refused, and the message names what to choose an angle with."""
    with pytest.raises(CaptureError, match=r"recorded once for all values.*tf.where or qml.math.where"):
        evaluated(lambda a: ask(a[0, 0]), VALUES)


@pytest.mark.parametrize("where", [tf.where, qml.math.where])
def test_an_angle_is_chosen(where):
    """What the message advises in place of an `if` works."""
    found = evaluated(lambda a: where(a > 0.5, a, 2 * a), VALUES)
    np.testing.assert_allclose(found, np.where(VALUES > 0.5, VALUES, 2 * VALUES))


def test_static_values_are_known():
    """What does not depend on values, such as a rank, can be asked for."""
    assert evaluated(lambda a: a * (2 if tf.rank(a) > 1 else 3), VALUES)[0, 0] == 2 * VALUES[0, 0]


def test_picking_elements_adds_no_operations():
    """Indexing only moves positions: the graph does not grow."""

    @tf.function(autograph=False)
    def record(tensor):
        before = len(tensor.graph.get_operations())
        picked = [Traced(tensor)[i, 1:].T.reshape(-1)[j] for i in range(3) for j in range(3)]
        assert len(tensor.graph.get_operations()) == before
        return picked[0].tensor

    assert record(tf.constant(VALUES)) == VALUES[0, 1]
