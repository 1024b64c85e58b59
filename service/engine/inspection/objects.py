"""S3 to S7: the object graph holds functions, variables and plain containers, and nothing that acts by being loaded.

Loading runs the hooks of resources, the restore functions of saveable objects, and `setattr` with the file's names.
"""

from __future__ import annotations

import graphlib
from collections.abc import Iterator
from typing import Any

from service.engine.inspection.contents import Contents
from service.engine.inspection.findings import Finding, shortened

_KINDS = {"user_object", "function", "bare_concrete_function", "variable", "captured_tensor", "constant"}
_IDENTIFIERS = {
    "_generic_user_object",
    "experimentalOptimizer",
    "optimizer",
    "signature_map",
    "trackable_dict_wrapper",
    "trackable_list_wrapper",
    "trackable_tuple_wrapper",
}
_HOOKS = {
    "_create_resource",
    "_destroy_resource",
    "_gather_saveables_for_checkpoint",
    "_initialize",
    "_restore_from_tensors",
    "_serialize_to_tensors",
}
ADVICE = "Lookup tables, assets and datasets are not supported: keep such steps outside of the model"


def check(contents: Contents) -> Iterator[Finding]:
    """Everything about assets and objects."""
    objects = contents.graph.object_graph_def.nodes
    for asset in contents.graph.asset_file_def:
        text = f"the model reads a file, {shortened(asset.filename)!r}, when it is loaded. {ADVICE}"
        yield Finding("S3", "assets_not_supported", text)
    for number, node in enumerate(objects):
        name = f"object {number}"
        yield from _check_kind(node, name)
        yield from _check_registered(node, name)
        yield from _check_references(node, name, len(objects))
    yield from _check_functions(contents)
    yield from _check_order(objects)


def _check_kind(node: Any, name: str) -> Iterator[Finding]:
    kind = node.WhichOneof("kind")
    if kind not in _KINDS:
        text = f"the model holds an object of the kind {kind or 'unknown'}, which acts when it is loaded. {ADVICE}"
        yield Finding("S4", "unsupported_object", text, node=name)
    identifier = node.user_object.identifier if kind == "user_object" else "signature_map"
    if identifier not in _IDENTIFIERS and not identifier.startswith("_tf_keras_"):
        text = f"the model holds an object of a type that is not known: {shortened(identifier)!r}"
        yield Finding("S7", "unsupported_object", text, node=name)


def _check_registered(node: Any, name: str) -> Iterator[Finding]:
    if node.saveable_objects:
        text = f"the model holds an object with functions of its own for restoring it, which run at loading. {ADVICE}"
        yield Finding("S5", "unsupported_object", text, node=name)
    if node.registered_name or node.registered_saver or node.HasField("serialized_user_proto"):
        text = "the model holds an object of a class that must be registered with TensorFlow, and no such class is here"
        yield Finding("S5", "unsupported_object", text, node=name)


def _check_references(node: Any, name: str, count: int) -> Iterator[Finding]:
    for child in [*node.children, *node.dependencies]:
        if child.local_name in _HOOKS or (child.local_name.startswith("__") and child.local_name != "__call__"):
            text = f"the model has an attribute {shortened(child.local_name)!r}, which TensorFlow or Python would call"
            yield Finding("S6", "unsupported_object", text, node=name)
    for reference in _references(node):
        if not 0 <= reference < count:
            text = f"the object graph is damaged: it refers to object {reference}, and there are {count}"
            yield Finding("S6", "malformed_graph", text, node=name)


def _references(node: Any) -> Iterator[int]:
    yield from (child.node_id for child in [*node.children, *node.dependencies])
    for slot in node.slot_variables:
        yield from (slot.original_variable_node_id, slot.slot_variable_node_id)


def _check_functions(contents: Contents) -> Iterator[Finding]:
    """Functions of objects are in the library, and what they are bound to exists."""
    graph = contents.graph.object_graph_def
    for name, function in graph.concrete_functions.items():
        if any(not 0 <= number < len(graph.nodes) for number in function.bound_inputs):
            text = "the object graph is damaged: a function is bound to an object that does not exist"
            yield Finding("S6", "malformed_graph", text, function=name)
    for name in sorted(named_functions(graph) - contents.library.keys()):
        text = "the object graph is damaged: it names a function that is not in the graph"
        yield Finding("S6", "malformed_graph", text, function=name)


def named_functions(graph: Any) -> set[str]:
    """The names of all functions in an object graph."""
    names = set(graph.concrete_functions)
    for node in graph.nodes:
        names.update(node.function.concrete_functions)
        names.update({node.bare_concrete_function.concrete_function_name, node.captured_tensor.concrete_function})
    return names - {""}


def _check_order(objects: Any) -> Iterator[Finding]:
    """What depends on each other can be loaded in some order."""
    graph = {number: {child.node_id for child in node.dependencies} for number, node in enumerate(objects)}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as exc:
        text = "the object graph is damaged: its objects depend on each other in a circle"
        yield Finding("S6", "malformed_graph", text, node=f"object {exc.args[1][0]}")
