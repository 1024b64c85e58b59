"""How large tensors are in memory."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

RANK_MAX = 254
HUGE_BYTES = 1 << 62
"""What is larger than this counts as this: numbers of thousands of digits would take time, too."""

_UNSIZED = {tf.string.as_datatype_enum, tf.resource.as_datatype_enum, tf.variant.as_datatype_enum}


def item_bytes(dtype: int) -> int:
    """Bytes of one element in a file or in `tensor_content`; 0 for what has no fixed size, such as strings."""
    try:
        return 0 if dtype in _UNSIZED else int(tf.dtypes.as_dtype(dtype).size)
    except TypeError:
        return 0


def shape_bytes(shape: Any, element_bytes: int) -> int:
    """Bytes of a tensor; free dimensions count as none.

    Args:
        shape: TensorShapeProto.
        element_bytes: of one element.
    """
    total = element_bytes
    for dim in shape.dim[:RANK_MAX]:
        total = min(total * max(dim.size, 0), HUGE_BYTES)
    return total
