"""The adjoint method: gradients of a deep circuit that keep two states, however deep it is.

Backpropagation keeps the state in front of every step. Steps are unitary, so the states can be computed backwards
instead: each step is undone, and then differentiated at the state in front of it (Jones and Gacon 2020). It takes a
third more products, and the memory of two states.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

from qlayer.moves import Move
from qlayer.register import Register, in_order

_ONCE = (
    "the circuit is so deep that its gradients are computed by the adjoint method, which has no second derivatives. "
    "Take fewer layers or wires."
)


def applied_reversibly(register: Register, moves: Sequence[Move]) -> Register:
    """The register after all moves, which have to be unitary; gradients keep the last state alone.

    Gradients of first order reach the register and the moves' tensors; those of higher orders raise a LookupError.
    """
    order = in_order(register.wire_count)
    counts = [len(move.tensors) for move in moves]

    @tf.custom_gradient
    def run(rows: tf.Tensor, *tensors: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], list[tf.Tensor]]]:
        groups = _grouped(tensors, counts)
        state = Register(rows, order)
        for move, own in zip(moves, groups, strict=True):
            state = move.apply(state, own)
        last = state.front

        def gradient(upstream: tf.Tensor) -> list[tf.Tensor]:
            found = _backward(Register(last, order), upstream, list(zip(moves, groups, strict=True)), rows)
            return [tf.raw_ops.PreventGradient(input=value, message=_ONCE) for value in found]

        return last, gradient

    # fresh tensors: TensorFlow runs gradients of a higher order in a graph where it finds no others
    found = run(*map(tf.identity, (register.front, *(tensor for move in moves for tensor in move.tensors))))
    return Register(found, order)


def _backward(
    state: Register, upstream: tf.Tensor, moves: list[tuple[Move, list[tf.Tensor]]], first: tf.Tensor
) -> list[tf.Tensor]:
    """The gradients by the first rows and by every tensor of the moves, from the last state."""
    found: list[tf.Tensor] = []
    for move, tensors in reversed(moves):
        with tf.control_dependencies([upstream]):  # not before it is needed: states computed ahead would pile up
            waiting = Register(tf.identity(state.rows), state.bits)
        rows = move.undo(waiting, tensors).front
        state = Register(rows, state.bits)
        with tf.GradientTape() as tape:
            tape.watch([rows, *tensors])
            after = move.apply(state, tensors).front
        upstream, *own = tape.gradient(after, [rows, *tensors], upstream, tf.UnconnectedGradients.ZERO)
        found = own + found
    if first.shape[1] == 1:  # all samples start in the same state
        upstream = tf.reduce_sum(upstream, axis=1, keepdims=True)
    return [upstream, *found]


def _grouped(tensors: Sequence[tf.Tensor], counts: Sequence[int]) -> list[list[tf.Tensor]]:
    remaining = iter(tensors)
    return [[next(remaining) for _ in range(count)] for count in counts]
