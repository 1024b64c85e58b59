"""Reach: what a symbolic tensor is calculated from."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


def reaches(tensor: tf.Tensor, is_wanted: Callable[[tf.Operation], bool]) -> bool:
    """Whether a tensor, or anything that it is calculated from, is made by an operation of some kind."""
    seen: set[str] = set()
    waiting = [tensor.op]
    while waiting:
        operation = waiting.pop()
        if is_wanted(operation):
            return True
        if operation.name not in seen:
            seen.add(operation.name)
            waiting.extend(producer.op for producer in operation.inputs)
            waiting.extend(operation.control_inputs)
    return False
