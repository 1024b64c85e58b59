"""Chunks: a large batch runs in parts, forward and backward, so that its states stay small.

States of a few megabytes stay in the processor's cache and in memory that the allocator keeps: 12 wires and 1,024
samples take half the time in four parts (2 cores). And the memory that a circuit needs does not grow with the batch:
backward, each part is computed anew instead of being kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import tensorflow as tf

from qlayer.simulation.register import not_differentiated

# How many parts run at once: what one cannot divide among the cores is done beside the other.
PARALLEL_PARTS = 2
# Small batches run in parts that are this much smaller, which fit into the first caches: TensorFlow starts threads for
# moves of 64 Ki numbers, which takes longer than such a move (10 wires, 32 samples, 2 cores: 1.3 ms instead of 2.1).
_FEW = 32

# from the tensors of some samples and those that all samples share to one tensor (samples, ...) for each result
Run = Callable[[list[tf.Tensor], list[tf.Tensor]], list[tf.Tensor]]


def in_chunks(
    run: Run, batched: Sequence[tf.Tensor], shared: Sequence[tf.Tensor], results: Sequence[tf.TensorSpec], rows: int
) -> list[tf.Tensor]:
    """The results of all samples.

    Args:
        run: computes some samples; differentiable.
        batched: tensors of shape (batch, ...).
        shared: tensors without a batch.
        results: what `run` returns, each of shape (None, ...).
        rows: how many samples run at once at most.

    Returns:
        What `run` returns, for the whole batch. Gradients reach `batched` and `shared`.
    """
    count = len(batched)

    @tf.custom_gradient
    def chunked(*arguments: tf.Tensor) -> tuple[list[tf.Tensor], Callable[..., list[tf.Tensor]]]:
        samples, common = arguments[:count], arguments[count:]

        def forward(part: _Part) -> list[tf.Tensor]:
            with not_differentiated():  # the gradient runs the part anew
                return run([part.of(tensor) for tensor in samples], list(common))

        def backward(part: _Part, upstream: Sequence[tf.Tensor]) -> list[tf.Tensor]:
            seen = [*(part.of(tensor) for tensor in samples), *common]
            with tf.GradientTape() as tape:
                tape.watch(seen)
                found = run(seen[:count], seen[count:])
            return tape.gradient(found, seen, [part.once(value) for value in upstream], tf.UnconnectedGradients.ZERO)

        def gradient(*upstream: tf.Tensor) -> list[tf.Tensor]:
            specs = [tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype) for tensor in samples]
            zeros = [tf.zeros_like(tensor) for tensor in common]
            return _loop(lambda part: backward(part, upstream), samples[0], rows, specs, zeros)

        return _loop(forward, samples[0], rows, results, []), gradient

    # fresh tensors: TensorFlow runs gradients of a higher order in a graph where it finds no others
    return list(chunked(*map(tf.identity, (*batched, *shared))))


@dataclass(frozen=True)
class _Part:
    """Some samples of a batch; what is left of the last part is filled with the batch's last sample.

    Args:
        numbers: the numbers of the samples, which go beyond the batch where the part is filled: shape (rows,).
        batch: size of the batch.
    """

    numbers: tf.Tensor
    batch: tf.Tensor

    def of(self, tensor: tf.Tensor) -> tf.Tensor:
        """The part of a tensor: (batch, ...) -> (rows, ...)."""
        return tf.gather(tensor, tf.minimum(self.numbers, self.batch - 1))

    def once(self, tensor: tf.Tensor) -> tf.Tensor:
        """The same, with zeros where the part is filled."""
        part = self.of(tensor)
        is_sample = tf.reshape(self.numbers < self.batch, [-1, *[1] * (tensor.shape.rank - 1)])
        return tf.where(is_sample, part, tf.zeros([], tensor.dtype))


def _loop(
    function: Callable[[_Part], list[tf.Tensor]],
    example: tf.Tensor,
    rows_max: int,
    specs: Sequence[tf.TensorSpec],
    start: list[tf.Tensor],
) -> list[tf.Tensor]:
    """What a function returns for equal parts of a batch: the first tensors put together, the others added up.

    Args:
        function: from a part to a tensor (rows, ...) for each of `specs`, then one for each of `start`.
        example: a tensor with the batch first.
        rows_max: how many samples a part has at most.
        specs: of the tensors that are put together.
        start: what is added to.
    """
    batch = tf.shape(example)[0]
    rows_few = max(1, rows_max // _FEW)
    limit = tf.where(batch <= 2 * PARALLEL_PARTS * rows_few, rows_few, rows_max)
    parts = tf.maximum(-(-batch // limit), 1)  # an empty batch is one empty part: no results have no shape to stack
    rows = -(-batch // parts)

    def body(number: tf.Tensor, arrays: list[tf.TensorArray], sums: list[tf.Tensor]) -> tuple[object, ...]:
        results = function(_Part(number * rows + tf.range(rows), batch))
        written = [array.write(number, result) for array, result in zip(arrays, results, strict=False)]
        added = [total + value for total, value in zip(sums, results[len(arrays) :], strict=True)]
        return number + 1, written, added

    arrays = [tf.TensorArray(spec.dtype, size=parts, element_shape=spec.shape) for spec in specs]
    state = (tf.constant(0), arrays, start)
    _, arrays, sums = tf.while_loop(lambda number, *_: number < parts, body, state, parallel_iterations=PARALLEL_PARTS)
    stacked = (
        tf.reshape(array.stack(), [parts * rows, *spec.shape[1:]]) for array, spec in zip(arrays, specs, strict=True)
    )
    return [*(whole[:batch] for whole in stacked), *sums]
