"""S9: the two functions that save and restore checkpoints are what TensorFlow writes, and nobody else calls them.

Every SavedModel has them, they are the only ones that touch files, and the loader used here never calls them;
TensorFlow Serving's does. So they may stay, if all they do is to write to and read from the path that they are given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from service.engine.inspection.attributes import called, texts
from service.engine.inspection.contents import Contents
from service.engine.inspection.findings import Finding
from service.engine.inspection.objects import named_functions

_OPERATIONS = {
    "save": {
        "Const",
        "DisableCopyOnRead",
        "Identity",
        "MergeV2Checkpoints",
        "NoOp",
        "Pack",
        "ReadVariableOp",
        "SaveV2",
        "Select",
        "ShardedFilename",
        "StaticRegexFullMatch",
        "StringJoin",
    },
    "restore": {"AssignVariableOp", "Const", "Identity", "NoOp", "RestoreV2"},
}
_PATH_INPUTS = {"SaveV2": (0,), "RestoreV2": (0,), "MergeV2Checkpoints": (0, 1)}
_CARRIERS = {"Identity": slice(1), "ShardedFilename": slice(1), "StringJoin": slice(1), "Pack": slice(None)}
_CALLS = {"StatefulPartitionedCall", "PartitionedCall"}
_ADVICE = "Save the model with tf.saved_model.save, model.export or qlayer.export, and do not change the file"


def check(contents: Contents) -> Iterator[Finding]:
    """Whether the saver is the standard one; a model without any is fine."""
    names = contents.saver
    if not names:
        return
    if len(set(names.values())) != len(_OPERATIONS):
        yield _finding("it names one function only", "")
        return
    counts = _mentions(contents, set(names.values()))
    objects = named_functions(contents.graph.object_graph_def)
    for kind, name in names.items():
        function = contents.library.get(name)
        if function is None:
            yield _finding("it names a function that is not there", name)
            continue
        if counts[name] != 1 or name in objects:
            yield _finding(f"the function that shall {kind} checkpoints is used for something else", name)
        yield from _check_body(kind, function)
    yield from _check_path(contents)


def _mentions(contents: Contents, names: set[str]) -> Counter[str]:
    """How often functions are called or named anywhere: as an operation, in an attribute, as a gradient."""
    counts: Counter[str] = Counter()
    for _, node in contents.nodes(with_saver=True):
        counts.update(names & {node.op})
        counts.update(_named(node.attr, names))
    library = contents.graph.graph_def.library
    for function in library.function:
        counts.update(_named(function.attr, names))
    for gradient in library.gradient:
        counts.update(names & {gradient.function_name, gradient.gradient_func})
    return counts


def _named(attributes: Any, names: set[str]) -> list[str]:
    found = [*called(attributes), *(text.decode(errors="replace") for text in texts(attributes))]
    return [name for name in found if name in names]


def _check_body(kind: str, function: Any) -> Iterator[Finding]:
    name = function.signature.name
    for operation in sorted({node.op for node in function.node_def} - _OPERATIONS[kind]):
        yield _finding(f"the function that shall {kind} checkpoints uses the operation {operation}", name)
    if not _has_given_paths(function):
        yield _finding(f"the function that shall {kind} checkpoints has a path of its own", name)


def _has_given_paths(function: Any) -> bool:
    """Whether all paths come from the function's first argument: followed backwards, each node once."""
    nodes = {node.name: node for node in function.node_def}
    argument = function.signature.input_arg[0].name if function.signature.input_arg else ""
    pending = [source for node in function.node_def for source in _paths(node)]
    seen = {argument}
    while pending:
        name = pending.pop().partition(":")[0]
        if name in seen:
            continue
        seen.add(name)
        carried = _carried(nodes.get(name))
        if not carried:
            return False
        pending += carried
    return argument not in nodes


def _paths(node: Any) -> list[str]:
    return [node.input[index] for index in _PATH_INPUTS.get(node.op, ()) if index < len(node.input)]


def _carried(node: Any) -> list[str]:
    """The inputs that a node hands on as a path; none where it makes one of its own."""
    if node is None or node.op not in _CARRIERS:
        return []
    return [source for source in node.input if not source.startswith("^")][_CARRIERS[node.op]]


def _check_path(contents: Contents) -> Iterator[Finding]:
    """The graph gives both functions the path that it is fed."""
    definition = contents.graph.saver_def
    path = definition.filename_tensor_name.rpartition(":")[0]
    calls = {definition.save_tensor_name.rpartition(":")[0], definition.restore_op_name}
    for node in contents.graph.graph_def.node:
        if node.name == path and node.op != "Placeholder":
            yield _finding(f"its path is made by the operation {node.op}", "", node.name)
        if node.name in calls and (node.op not in _CALLS or not node.input or node.input[0].partition(":")[0] != path):
            yield _finding("it is not called with the path that is fed", "", node.name)


def _finding(problem: str, function: str, node: str = "") -> Finding:
    text = f"the model's saver is not the one that TensorFlow writes: {problem}. {_ADVICE}"
    return Finding("S9", "saver_not_standard", text, function, node)
