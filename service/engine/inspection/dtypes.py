"""How large an element of a dtype is."""

from __future__ import annotations

import tensorflow as tf


def item_bytes(dtype: int) -> int:
    """Bytes of one element in a file or in `tensor_content`; 0 for what has no fixed size, such as strings."""
    try:
        return 0 if dtype in _UNSIZED else int(tf.dtypes.as_dtype(dtype).size)
    except TypeError:
        return 0


_UNSIZED = {tf.string.as_datatype_enum, tf.resource.as_datatype_enum, tf.variant.as_datatype_enum}
