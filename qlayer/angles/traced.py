"""Traced: the arrays a quantum function is called with while it is recorded.

Users write `Rot(*weights)`, `for w in weights`, `np.sin(inputs)` and `len(weights)`. TensorFlow's symbolic tensors
refuse all of these, so the function is handed thin arrays that allow them. Picking elements out of a Traced (indexing,
slicing, reshaping, transposing) costs nothing: it only moves positions, and the circuit later gathers all its angles
at once. Anything else becomes TensorFlow operations of the graph that is being recorded.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterator
from typing import Any

import autoray
import numpy as np
import tensorflow as tf
from tensorflow.python.util import dispatch  # no public road lets *every* TensorFlow function take a new array type

from qlayer.angles.reach import reaches
from qlayer.angles.substitutes import matrix_exponential
from qlayer.errors import CaptureError

tnp = tf.experimental.numpy

# NumPy's functions whose namesakes are missing from tf.experimental.numpy, or mean something else there
_UFUNCS = {"arctan2": tf.atan2, "divide": tnp.true_divide, "conjugate": tnp.conj}
_FUNCTIONS = {np.linalg.norm: tf.norm, np.linalg.inv: tf.linalg.inv, np.linalg.det: tf.linalg.det}


_NO_VALUE = (
    "the quantum function asks for the value of an input or a weight (in an `if`, a `while`, float(), int(), range(), "
    ".numpy() or numpy.array()), but a circuit is recorded once for all values. Choose an angle by a condition on "
    "values with tf.where or qml.math.where; write an index or a loop bound as a Python number, and calculations with "
    "tf, qml.math or numpy functions (numpy.stack instead of numpy.array)."
)


class Traced:
    """Elements of a symbolic tensor, as an array.

    Args:
        source: symbolic tensor with a known shape.
        positions: integers of any shape: where in the flattened source each element lies. None: all of it, as it is.

    The shape of the array is the shape of `positions`; `tensor` is the same array as a symbolic tensor.
    """

    __array_priority__ = 1000  # NumPy arrays leave mixed arithmetic to us
    __hash__ = object.__hash__  # by identity, although == compares elementwise: PennyLane keeps operators in sets

    def __init__(self, source: tf.Tensor, positions: np.ndarray | None = None) -> None:
        self.source = source
        self.positions = (
            np.arange(source.shape.num_elements()).reshape(source.shape) if positions is None else positions
        )

    @property
    def tensor(self) -> tf.Tensor:
        """The elements as a symbolic tensor of the same shape."""
        everything = np.arange(self.source.shape.num_elements())
        if np.array_equal(self.positions.ravel(), everything):
            is_same = self.positions.shape == tuple(self.source.shape)
            return self.source if is_same else tf.reshape(self.source, self.positions.shape)
        return tf.gather(tf.reshape(self.source, [-1]), self.positions)

    @property
    def shape(self) -> tf.TensorShape:
        """Static shape; always fully known."""
        return tf.TensorShape(self.positions.shape)

    @property
    def dtype(self) -> tf.DType:
        """TensorFlow's data type of the elements."""
        return self.source.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.positions.ndim

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.positions.size

    @property
    def T(self) -> Traced:  # noqa: N802 - NumPy's name
        """The axes in reverse order."""
        return self.transpose()

    @property
    def real(self) -> Traced:
        """The real part, elementwise."""
        return self if not self.dtype.is_complex else Traced(tf.math.real(self.tensor))

    @property
    def imag(self) -> Traced:
        """The imaginary part, elementwise."""
        return wrap(tnp.imag(self.tensor))

    def conjugate(self) -> Traced:
        """The complex conjugate, elementwise."""
        return self if not self.dtype.is_complex else Traced(tf.math.conj(self.tensor))

    conj = conjugate

    def __getitem__(self, key: Any) -> Traced:
        return Traced(self.source, np.asarray(self.positions[key]))

    def __len__(self) -> int:
        return len(self.positions)

    def __iter__(self) -> Iterator[Traced]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"Traced(shape={self.positions.shape}, dtype={self.dtype.name})"

    def reshape(self, *shape: Any) -> Traced:
        """The same elements in another shape, as numpy.ndarray.reshape."""
        return Traced(self.source, self.positions.reshape(*shape))

    def transpose(self, *axes: Any) -> Traced:
        """The same elements with permuted axes, as numpy.ndarray.transpose."""
        return Traced(self.source, self.positions.transpose(*axes))

    def flatten(self) -> Traced:
        """The same elements along one axis."""
        return Traced(self.source, self.positions.ravel())

    ravel = flatten

    def astype(self, dtype: Any) -> Traced:
        """The elements cast to another data type."""
        return Traced(tf.cast(self.tensor, tf.as_dtype(dtype)))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *operands: Any, **options: Any) -> Any:
        function = _UFUNCS.get(ufunc.__name__) or getattr(tnp, ufunc.__name__, None)
        if function is None or method != "__call__" or options:
            return NotImplemented
        return wrap(function(*unwrap(operands)))

    def __array_function__(self, function: Any, _types: Any, arguments: Any, options: Any) -> Any:
        ours = _FUNCTIONS.get(function) or getattr(tnp, function.__name__, None)
        if ours is None:
            return NotImplemented
        return wrap(ours(*unwrap(arguments), **unwrap(options)))

    def numpy(self) -> np.ndarray:
        """The value, where it does not depend on the inputs or the weights (a rank, say).

        Raises:
            CaptureError: if it does.
        """
        tensor = self.tensor
        if reaches(tensor, lambda operation: operation.type == "Placeholder"):
            raise CaptureError(_NO_VALUE)
        if (value := tf.get_static_value(tensor)) is not None:
            return np.asarray(value)
        with tf.compat.v1.Session(graph=tensor.graph) as session:
            return np.asarray(session.run(tensor))

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        return self.numpy()

    def __bool__(self) -> bool:
        return bool(self.numpy())

    def __int__(self) -> int:
        return int(self.numpy())

    __index__ = __int__

    def __float__(self) -> float:
        return float(self.numpy())

    def __complex__(self) -> complex:
        return complex(self.numpy())


_PRODUCTS: dict[type, Callable[[Traced, Any], Any]] = {}


def register_product(kind: type, product: Callable[[Traced, Any], Any]) -> None:
    """Say what the product of an array and an object that is no array is, such as an observable.

    Args:
        kind: the class of the object.
        product: from the array and the object to their product.
    """
    _PRODUCTS[kind] = product


def _is_array(other: Any) -> bool:
    return isinstance(other, Traced | tf.Variable | numbers.Number | np.ndarray | list | tuple) or tf.is_tensor(other)


def _with_object(name: str, array: Traced, other: Any) -> Any:
    """Arithmetic with what is no array."""
    product = next((product for kind, product in _PRODUCTS.items() if isinstance(other, kind)), None)
    if product is None or name != "multiply":
        raise CaptureError(
            f"the quantum function calculates with an input or a weight and {other}, which is no array. Only the "
            "product of a number and an operator is defined."
        )
    return product(array, other)


def _binary(name: str) -> tuple[Any, Any]:
    function = getattr(tnp, name)

    def forward(self: Traced, other: Any) -> Any:
        return wrap(function(self.tensor, unwrap(other))) if _is_array(other) else _with_object(name, self, other)

    def reflected(self: Traced, other: Any) -> Any:
        return wrap(function(unwrap(other), self.tensor)) if _is_array(other) else _with_object(name, self, other)

    return forward, reflected


def _method(name: str) -> Any:
    function = getattr(tnp, name)

    def method(self: Traced, *arguments: Any, **options: Any) -> Traced:
        return wrap(function(self.tensor, *unwrap(arguments), **unwrap(options)))

    return method


_OPERATORS = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "true_divide",
    "floordiv": "floor_divide",
    "mod": "mod",
    "pow": "power",
    "matmul": "matmul",
}
_COMPARISONS = {
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "eq": "equal",
    "ne": "not_equal",
}
_UNARY = {"neg": "negative", "pos": "positive", "abs": "abs"}
METHODS = (
    *("all", "any", "clip", "copy", "cumprod", "cumsum", "diagonal", "dot", "max", "mean", "min", "prod", "repeat"),
    *("squeeze", "std", "sum", "swapaxes", "take", "trace", "var"),
)
for _operator, _name in _OPERATORS.items():
    _forward, _reflected = _binary(_name)
    setattr(Traced, f"__{_operator}__", _forward)
    setattr(Traced, f"__r{_operator}__", _reflected)
for _operator, _name in _COMPARISONS.items():
    setattr(Traced, f"__{_operator}__", _binary(_name)[0])
for _operator, _name in _UNARY.items():
    setattr(Traced, f"__{_operator}__", _method(_name))
for _name in METHODS:
    setattr(Traced, _name, _method(_name))


def wrap(value: Any) -> Any:
    """Every symbolic tensor in a nested structure as a Traced."""
    return tf.nest.map_structure(lambda leaf: Traced(leaf) if _is_symbolic(leaf) else leaf, value)


def unwrap(value: Any) -> Any:
    """Every Traced in a nested structure as its symbolic tensor."""
    return tf.nest.map_structure(lambda leaf: leaf.tensor if isinstance(leaf, Traced) else leaf, value)


def _is_symbolic(leaf: Any) -> bool:
    return tf.is_tensor(leaf) and not isinstance(leaf, Traced) and leaf.shape.is_fully_defined()


# TensorFlow's functions that branch on values, by their own name
_SUBSTITUTES = {"matrix_exponential": matrix_exponential}


class _TracedDispatcher(dispatch.GlobalOpDispatcher):
    """TensorFlow's own functions on Traced arrays: unwrap, call, wrap."""

    def handle(self, op: Any, args: Any, kwargs: Any) -> Any:
        if not any(isinstance(leaf, Traced) for leaf in tf.nest.flatten([args, kwargs])):
            return self.NOT_SUPPORTED
        function = _SUBSTITUTES.get(op.__name__, op)
        return wrap(function(*unwrap(args), **unwrap(kwargs)))


_TracedDispatcher().register()
autoray.register_backend(Traced, "tensorflow")  # what qml.math asks to find the functions for an array
# the one function of qml.math that PennyLane's decompositions call and autoray does not know for TensorFlow
autoray.register_function("tensorflow", "real_if_close", tf.math.real)
