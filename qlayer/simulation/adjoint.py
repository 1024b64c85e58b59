"""The adjoint method: gradients of a deep circuit that keep two states, however deep it is.

Backpropagation keeps the state in front of every step. Steps are unitary, so the states can be computed backwards
instead: each step is undone, and then differentiated at the state in front of it (Jones and Gacon 2020). It takes a
third more products, and the memory of two states.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

from qlayer.simulation.constants import shared_constants
from qlayer.simulation.moves import Move
from qlayer.simulation.register import Bits, Register, not_differentiated

_ONCE = (
    "the circuit is so deep that its gradients are computed by the adjoint method, which has no second derivatives. "
    "Take fewer layers or wires."
)


def applied_reversibly(register: Register, moves: Sequence[Move], last_bits: Bits) -> Register:
    """The register after all moves, which have to be unitary; gradients keep the last state alone.

    The moves leave the bits in the order `last_bits`. Gradients of first order reach the register and the moves'
    tensors; those of higher orders raise a LookupError.
    """
    counts = [len(move.tensors) for move in moves]

    @tf.custom_gradient
    def run(rows: tf.Tensor, *tensors: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], list[tf.Tensor]]]:
        steps = list(zip(moves, _grouped(tensors, counts), strict=True))
        last = Register(rows, register.bits)
        with not_differentiated():
            for move, own in steps:
                last = move.apply(last, own)
        last = Register(last.ordered(last_bits), last_bits)

        def gradient(upstream: tf.Tensor) -> list[tf.Tensor]:
            with shared_constants():
                found = _backward(last, upstream, steps, Register(rows, register.bits))
            return [tf.raw_ops.PreventGradient(input=value, message=_ONCE) for value in found]

        return last.rows, gradient

    # fresh tensors: TensorFlow runs gradients of a higher order in a graph where it finds no others
    found = run(*map(tf.identity, (register.rows, *(tensor for move in moves for tensor in move.tensors))))
    return Register(found, last_bits)


def _backward(
    state: Register, upstream: tf.Tensor, steps: list[tuple[Move, list[tf.Tensor]]], first: Register
) -> list[tf.Tensor]:
    """The gradients by the first rows and by every tensor of the moves, from the last state."""
    found: list[tf.Tensor] = []
    for move, tensors in reversed(steps):
        waiting = state
        state = move.undo(waiting, tensors)
        with tf.GradientTape() as tape:
            tape.watch([state.rows, *tensors])
            after = move.apply(state, tensors).ordered(waiting.bits)
        upstream, *own = tape.gradient(after, [state.rows, *tensors], upstream, tf.UnconnectedGradients.ZERO)
        found = own + found
        with tf.control_dependencies([upstream, *own]):  # neither runs ahead: what waits for the other would pile up
            upstream = tf.identity(upstream)
            state = Register(tf.identity(state.rows), state.bits)
    upstream = Register(upstream, state.bits).ordered(first.bits)
    if first.rows.shape[1] == 1:  # all samples start in the same state
        upstream = tf.reduce_sum(upstream, axis=1, keepdims=True)
    return [upstream, *found]


def _grouped(tensors: Sequence[tf.Tensor], counts: Sequence[int]) -> list[list[tf.Tensor]]:
    remaining = iter(tensors)
    return [[next(remaining) for _ in range(count)] for count in counts]
