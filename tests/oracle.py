"""PennyLane's simulators as the oracle, default.qubit if no other is given, and random circuits to ask it about."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pennylane as qml
import tensorflow as tf
from pennylane import numpy as pnp

from qlayer.compiler import CompiledCircuit
from qlayer.recording.capture import capture

TOLERANCE = {tf.float64: 1e-10, tf.float32: 1e-5}

# name, number of angles, number of wires
POOL = [
    *[(name, 1, 1) for name in ("RX", "RY", "RZ", "PhaseShift", "GlobalPhase")],
    *[(name, 0, 1) for name in ("Hadamard", "X", "Y", "Z", "S", "T", "SX")],
    *[(name, 0, 2) for name in ("CNOT", "CZ", "CY", "CH", "SWAP", "ISWAP", "SISWAP", "ECR")],
    *[
        (name, 1, 2)
        for name in ("CRX", "CRY", "IsingXX", "IsingXY", "ControlledPhaseShift", "PSWAP", "SingleExcitation")
    ],
    *[(name, 0, 3) for name in ("Toffoli", "CSWAP", "CCZ")],
    ("Rot", 3, 1),
    ("U2", 2, 1),
    ("U3", 3, 1),
    ("CRot", 3, 2),
    ("MultiRZ", 1, 3),
    ("DoubleExcitation", 1, 4),
]


@contextmanager
def no_graph_optimization() -> Iterator[None]:
    """Within it, graphs run as they are traced: for those that run once, rewriting them takes longer than running."""
    before = tf.config.optimizer.get_experimental_options().get("disable_meta_optimizer", False)
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": before})


def compiled(
    function: Callable[..., Any],
    sample_shape: Sequence[int],
    weights: Mapping[str, np.ndarray],
    *,
    device: Any = None,
    dtype: tf.DType = tf.float64,
    **options: Any,
) -> tf.types.experimental.PolymorphicFunction:
    """A quantum function as a TensorFlow function of a batch and the weights; `options` are those of the QNode."""
    qnode = qml.QNode(function, device or qml.device("default.qubit"), **options)
    return compiled_qnode(qnode, sample_shape, weights, dtype)


def compiled_qnode(
    qnode: qml.QNode, sample_shape: Sequence[int], weights: Mapping[str, np.ndarray], dtype: tf.DType = tf.float64
) -> tf.types.experimental.PolymorphicFunction:
    """A QNode as a TensorFlow function of a batch and the weights."""
    shapes = {name: np.shape(weight) for name, weight in weights.items()}
    circuit = CompiledCircuit(*capture(qnode, "inputs", sample_shape, shapes, dtype), dtype)
    return tf.function(circuit, autograph=False)


def expected(
    function: Callable[..., Any], inputs: np.ndarray, weights: Mapping[str, np.ndarray], *, device: Any = None
) -> np.ndarray:
    """What PennyLane computes, one sample after the other: shape (batch, *output_shape)."""
    qnode = qml.QNode(function, device or qml.device("default.qubit"))
    results = [qnode(inputs=sample, **weights) for sample in inputs]
    return np.array([flat(result) for result in results])


def flat(result: Any) -> np.ndarray:
    """A QNode's results in the layer's form: a bare one as it is, several flattened and concatenated."""
    return (
        np.concatenate([np.ravel(part) for part in result]) if isinstance(result, list | tuple) else np.asarray(result)
    )


def assert_same(
    function: Callable[..., Any],
    inputs: np.ndarray,
    weights: Mapping[str, np.ndarray],
    *,
    device: Any = None,
    dtype: tf.DType = tf.float64,
) -> None:
    """A compiled circuit gives the results of PennyLane's device."""
    circuit = compiled(function, inputs.shape[1:], weights, device=device, dtype=dtype)
    found = circuit(tf.constant(inputs, dtype), *(tf.constant(weight, dtype) for weight in weights.values())).numpy()
    np.testing.assert_allclose(found, expected(function, inputs, weights, device=device), atol=TOLERANCE[dtype])


def cotangent_gradients(
    function: Callable[..., Any],
    inputs: np.ndarray,
    weights: Mapping[str, np.ndarray],
    cotangent: np.ndarray,
    **options: Any,
) -> list[np.ndarray]:
    """PennyLane's gradients of sum(cotangent * outputs) by the inputs and by each weight.

    Args:
        function: the quantum function.
        inputs: shape (batch, *sample_shape).
        weights: the weights by name.
        cotangent: shape (batch, *output_shape).
        **options: of the QNode: `device`, `diff_method`.
    """
    qnode = qml.QNode(function, options.pop("device", None) or qml.device("default.qubit"), **options)
    arguments = [pnp.array(value, requires_grad=True) for value in (inputs, *weights.values())]

    def total(samples: Any, *values: Any) -> Any:
        results = [_joined(qnode(inputs=sample, **dict(zip(weights, values, strict=True)))) for sample in samples]
        return sum(pnp.sum(pnp.real(result * part)) for result, part in zip(results, cotangent, strict=True))

    with warnings.catch_warnings():  # PennyLane's gradients of density matrices cast in passing
        warnings.simplefilter("ignore", np.exceptions.ComplexWarning)
        return [np.asarray(gradient) for gradient in qml.grad(total, argnums=list(range(len(arguments))))(*arguments)]


def _joined(result: Any) -> Any:
    return pnp.concatenate([pnp.ravel(part) for part in result]) if isinstance(result, list | tuple) else result


def assert_same_gradients(
    function: Callable[..., Any],
    inputs: np.ndarray,
    weights: Mapping[str, np.ndarray],
    *,
    tolerance: float = 1e-9,
    **options: Any,
) -> None:
    """A compiled circuit passes the gradients of random cotangents on as PennyLane does."""
    circuit = compiled(function, inputs.shape[1:], weights, **options)
    arguments = [tf.constant(value) for value in (inputs, *weights.values())]
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        outputs = circuit(*arguments)
        cotangent = np.random.default_rng(0).normal(size=outputs.shape)
        total = tf.reduce_sum(cotangent * tf.math.real(outputs))
    found = tape.gradient(total, arguments)
    for ours, theirs in zip(found, cotangent_gradients(function, inputs, weights, cotangent, **options), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=tolerance)


def random_function(seed: int, length: int, measure: Callable[[], Any], wires: int = 4) -> Callable[..., Any]:
    """A quantum function of `inputs` and `weights`, four angles each, with gates drawn from the pool."""
    chooser = random.Random(seed)
    program = []
    for _ in range(length):
        name, angles, count = chooser.choice(POOL)
        sources = [(chooser.choice(("inputs", "weights", "constant")), chooser.randrange(4)) for _ in range(angles)]
        wrapper = chooser.choice(("plain", "plain", "adjoint", "controlled"))
        chosen = chooser.sample(range(wires), min(count + 1, wires))
        program.append((name, sources, wrapper if len(chosen) > count else "plain", chosen))

    def function(inputs: Any, weights: Any) -> Any:
        arguments = {"inputs": inputs, "weights": weights, "constant": [0.3, -1.1, 2.0, 0.7]}
        for name, sources, wrapper, chosen in program:
            gate = getattr(qml, name)
            count = next(count for known, _, count in POOL if known == name)
            angles = [arguments[source][index] for source, index in sources]
            wrapped = {
                "plain": gate,
                "adjoint": qml.adjoint(gate),
                "controlled": qml.ctrl(gate, control=chosen[-1]),
            }[wrapper]
            wrapped(*angles, wires=chosen[:count])
        return measure()

    return function


def random_arguments(seed: int, batch: int = 3) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Inputs of shape (batch, 4) and weights of shape (4,)."""
    generator = np.random.default_rng(seed)
    return generator.uniform(-3, 3, (batch, 4)), {"weights": generator.uniform(-3, 3, 4)}
