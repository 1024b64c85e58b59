"""S11: constants are what they say: of their node's dtype, of a size that fits, with as many bytes as their shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from service.engine.inspection.attributes import tensors
from service.engine.inspection.contents import Contents
from service.engine.inspection.dtypes import RANK_MAX, item_bytes, shape_bytes
from service.engine.inspection.findings import Finding

_MB = 1 << 20
CONSTANT_MAX_MB = 256
CONSTANTS_MAX_MB = 1024

_REFUSED = {tf.resource.as_datatype_enum: "resource", tf.variant.as_datatype_enum: "variant"}


def check(contents: Contents) -> Iterator[Finding]:
    """All tensors in the graph and in the functions, one by one, and together."""
    total = 0
    for function, node in contents.nodes(with_saver=True):
        for tensor in tensors(node.attr):
            total += _declared_bytes(tensor)
            if problem := _problem(tensor):
                yield Finding("S11", *problem, function, node.name)
        if node.op == "Const" and node.attr["dtype"].type != node.attr["value"].tensor.dtype:
            text = "a constant is damaged: its values have another dtype than it declares"
            yield Finding("S11", "malformed_graph", text, function, node.name)
    if total > CONSTANTS_MAX_MB * _MB:
        text = f"the constants have {total // _MB} MiB together, and may have {CONSTANTS_MAX_MB}. Use variables"
        yield Finding("S11", "model_too_large", text)


def _problem(tensor: Any) -> tuple[str, str] | None:
    """Code and text of what is wrong with a tensor."""
    size = _declared_bytes(tensor)
    content = len(tensor.tensor_content)
    if tensor.dtype in _REFUSED:
        return "malformed_graph", f"a constant of the dtype {_REFUSED[tensor.dtype]} is not supported"
    shape = tensor.tensor_shape
    if shape.unknown_rank or len(shape.dim) > RANK_MAX or any(dim.size < 0 for dim in shape.dim):
        return "malformed_graph", "a constant is damaged: its shape is none"
    if size > CONSTANT_MAX_MB * _MB:
        return "model_too_large", f"a constant has {size} bytes, and may have {CONSTANT_MAX_MB} MiB"
    if content and item_bytes(tensor.dtype) and content != size:
        return "malformed_graph", f"a constant is damaged: it has {content} bytes, and its shape needs {size}"
    return None


def _declared_bytes(tensor: Any) -> int:
    """Bytes in memory; an element without a fixed size counts as one, as a text takes at least that."""
    return shape_bytes(tensor.tensor_shape, item_bytes(tensor.dtype) or 1)
