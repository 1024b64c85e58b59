"""S13: nothing is so large that looking at it, or loading it, would take too long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from service.engine.inspection.contents import Contents
from service.engine.inspection.dtypes import item_bytes, shape_bytes
from service.engine.inspection.findings import Finding

_LIMITS: dict[str, tuple[int, Callable[[Any], int]]] = {
    "nodes": (200_000, lambda graph: _nodes(graph.graph_def)),
    "functions": (5_000, lambda graph: len(graph.graph_def.library.function)),
    "objects": (50_000, lambda graph: len(graph.object_graph_def.nodes)),
    "signatures": (64, lambda graph: sum(not name.startswith("__") for name in graph.signature_def)),
    "bytes of signatures": (1 << 20, lambda graph: sum(each.ByteSize() for each in graph.signature_def.values())),
    "inputs and outputs": (1_000, lambda graph: sum(map(len, _tensors(graph)))),
    "dimensions of an input or output": (
        32,
        lambda graph: max((len(i.tensor_shape.dim) for t in _tensors(graph) for i in t.values()), default=0),
    ),
}


def check(contents: Contents) -> Iterator[Finding]:
    """Counts of everything, and whether the variables that are declared can be in the files."""
    for kind, (limit, count) in _LIMITS.items():
        if (found := count(contents.graph)) > limit:
            yield Finding("S13", "model_too_large", f"the model has {found} {kind}, and may have {limit}")
    yield from _check_variables(contents)


def _check_variables(contents: Contents) -> Iterator[Finding]:
    """A variable of terabytes costs the uploader a few bytes; its values, which checkpoints do not compress, do not."""
    variables = [
        node.variable for node in contents.graph.object_graph_def.nodes if node.WhichOneof("kind") == "variable"
    ]
    declared = sum(shape_bytes(variable.shape, item_bytes(variable.dtype)) for variable in variables)
    if declared > contents.data_bytes:
        text = (
            f"the variables have {declared} bytes, and the files below variables/ only {contents.data_bytes}. Upload "
            "all files of the SavedModel"
        )
        yield Finding("S13", "corrupt_checkpoint", text)


def _tensors(graph: Any) -> list[Any]:
    """The inputs and the outputs of each signature, by name."""
    return [tensors for each in graph.signature_def.values() for tensors in (each.inputs, each.outputs)]


def _nodes(graph: Any) -> int:
    return len(graph.node) + sum(len(function.node_def) for function in graph.library.function)
