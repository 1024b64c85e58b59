"""Chunks: a function that runs in parts gives what it gives at once, forward and backward."""

import numpy as np
import pytest
import tensorflow as tf

from qlayer.simulation.chunks import in_chunks

ROWS = 4
BATCHES = [0, 1, 2, 3, 4, 5, 8, 11, 40]  # none, fewer than, as many as, a multiple of, and more than a part has
TOLERANCE = {tf.float32: 1e-5, tf.float64: 1e-12}
generator = np.random.default_rng(3)


def run(batched, shared):
    """Two results, of which one is complex, from two tensors of samples and two that they share."""
    samples, turns = batched
    matrix, factor = shared
    mixed = tf.sin(tf.matmul(samples, matrix)) * factor
    turned = tf.complex(mixed, tf.cos(mixed)) * turns
    return [mixed, turned]


def arguments(batch, dtype):
    """Random tensors: real and complex ones of a batch, a matrix and a scalar."""
    complex_dtype = tf.complex128 if dtype == tf.float64 else tf.complex64
    turns = np.exp(1j * generator.normal(size=(batch, 2)))
    batched = [tf.constant(generator.normal(size=(batch, 3)), dtype), tf.constant(turns, complex_dtype)]
    return batched, [tf.constant(generator.normal(size=(3, 2)), dtype), tf.constant(0.7, dtype)]


def chunked(batched, shared, rows=ROWS):
    """The function, in parts."""
    specs = [tf.TensorSpec([None, 2], batched[0].dtype), tf.TensorSpec([None, 2], batched[1].dtype)]
    return in_chunks(run, batched, shared, specs, rows)


def loss(results):
    """A number that all results take part in, each in its own way."""
    real, turned = results
    return tf.reduce_sum(real**2) + tf.reduce_sum(tf.math.real(turned) * tf.math.imag(turned) * [1.0, 2.0])


def with_gradients(function, batched, shared):
    """A function's results, and the gradients of the loss by all arguments."""
    with tf.GradientTape() as tape:
        tape.watch([batched, shared])
        results = function(batched, shared)
        total = loss(results)
    return results, tape.gradient(total, [*batched, *shared])


def assert_same(found, expected, tolerance):
    """Nested tensors are equal, in their shapes too."""
    tf.nest.map_structure(
        lambda ours, theirs: np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance, strict=True),
        found,
        expected,
    )


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("is_traced", [False, True])
def test_values_and_gradients(is_traced, dtype):
    """For every size of the batch, values and gradients by batched and shared tensors are those of one run."""
    call = lambda batched, shared: with_gradients(chunked, batched, shared)  # noqa: E731 - traced or not
    if is_traced:
        specs = [tf.TensorSpec([None, 3], dtype), tf.TensorSpec([None, 2], arguments(1, dtype)[0][1].dtype)]
        shared = [tf.TensorSpec([3, 2], dtype), tf.TensorSpec([], dtype)]
        call = tf.function(call, input_signature=[specs, shared], autograph=False)
    for batch in BATCHES:
        given = arguments(batch, dtype)
        assert_same(call(*given), with_gradients(run, *given), TOLERANCE[dtype] * max(batch, 1))


@pytest.mark.parametrize("rows", [1, 3, 64, 128, 1000])
def test_size_of_a_part(rows):
    """The size of the parts changes no number, be it one sample, or so many that small batches run in smaller parts."""
    for batch in (7, 130):
        given = arguments(batch, tf.float64)
        found = with_gradients(lambda batched, shared: chunked(batched, shared, rows), *given)
        assert_same(found, with_gradients(run, *given), 1e-11)


def test_parts_are_no_larger_than_asked_for():
    """No part of a batch that is divided has more samples than the limit, and together they have all of them."""
    sizes = []

    def noted(batched, shared):
        sizes.append(len(batched[0]))
        return run(batched, shared)

    batched, shared = arguments(11, tf.float64)
    specs = [tf.TensorSpec([None, 2], tf.float64), tf.TensorSpec([None, 2], tf.complex128)]
    in_chunks(noted, batched, shared, specs, ROWS)
    assert max(sizes) <= ROWS
    assert sum(sizes) >= 11


def test_results_that_are_not_finite_stay_in_their_rows():
    """A sample that has no finite gradient spoils none of the others, nor does the sample that fills the last part."""
    samples = tf.constant([1.0, 4.0, 9.0, 16.0, 0.0])

    def root(batched, shared):
        return [tf.sqrt(batched[0]) * shared[0]]

    def gradients(function):
        factor = tf.constant(2.0)
        with tf.GradientTape() as tape:
            tape.watch([samples, factor])
            total = tf.reduce_sum(function([samples], [factor])[0])
        return tape.gradient(total, [samples, factor])

    found = gradients(lambda batched, shared: in_chunks(root, batched, shared, [tf.TensorSpec([None])], 2))
    assert_same(found, gradients(root), 1e-6)


@pytest.mark.parametrize("batch", [1, 4, 7])
def test_second_derivatives(batch):
    """The gradient in parts has a gradient, which is that of one run: by samples and by what they share."""

    def second(function, batched, shared):
        with tf.GradientTape() as tape:
            tape.watch([batched, shared])
            _, first = with_gradients(function, batched, shared)
            total = tf.add_n([tf.reduce_sum(tf.math.real(part) ** 2) for part in first])
        return tape.gradient(total, [*batched, *shared])

    given = arguments(batch, tf.float64)
    found = tf.function(lambda *values: second(chunked, *values), autograph=False)(*given)
    assert_same(found, second(run, *given), 1e-10)


@pytest.mark.parametrize("batch", [1, 4, 7])
def test_compiled_by_xla(batch):
    """XLA compiles the loop: values and gradients are the same."""
    given = arguments(batch, tf.float64)
    found = tf.function(lambda *values: with_gradients(chunked, *values), autograph=False, jit_compile=True)(*given)
    assert_same(found, with_gradients(run, *given), 1e-12)
