"""S8, S10, S12, S14: each operation is one that calculates, on this machine, called in a way that can be seen."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import config_pb2
from tensorflow.python.framework import op_def_registry

from service.engine.inspection.attributes import called
from service.engine.inspection.contents import Contents
from service.engine.inspection.findings import Finding, shortened

OPERATIONS = frozenset(
    line for line in (Path(__file__).parents[1] / "operations.txt").read_text().splitlines() if line[:1] != "#"
)
"""The operations that functions may use."""

GRAPH_OPERATIONS = frozenset(
    {
        "AssignVariableOp",
        "Const",
        "Identity",
        "NoOp",
        "PartitionedCall",
        "Placeholder",
        "ReadVariableOp",
        "StatefulPartitionedCall",
        "VarHandleOp",
        "VarIsInitializedOp",
    }
)
"""The operations of the graph around the functions; with these TensorFlow Serving's loader does no harm either."""

_ADVICE = [
    (
        r"(Eager)?PyFunc(Stateless)?",
        "It calls Python, which no server has: export with qlayer.export, or diff_method='backprop' on default.qubit",
    ),
    (r".*(Table|Lookup|Vocab).*", "Lookup tables are not supported: keep them outside of the model"),
    (r".*(Dataset|Iterator).*", "Datasets are not supported: keep them outside of the model"),
    (r"Decode.*|.*(Jpeg|Png|Image).*", "Decode files outside of the model, and give it numbers"),
    (r"(String|Regex|AsString|StaticRegex|Substr|Unicode).*", "Work on texts outside of the model"),
    (r"Print.*|.*Summary.*|Debug.*", "Take what prints or records out of the model"),
    (r".*(Read|Write|Save|Restore|Match|Merge|Files|ImmutableConst).*", "A model may not touch files"),
]
_OTHERWISE = "Only operations that calculate are allowed; docs/security.md says which"
_DEVICES = re.compile(r"(/job:localhost/replica:0/task:0)?(/device:(CPU:(0|\*)|GPU:0))?")
_OPTIONS = {
    "allow_soft_placement",
    "device_count",
    "experimental",
    "gpu_options",
    "graph_options",
    "pluggable_device_options",
}


def check(contents: Contents) -> Iterator[Finding]:
    """Each node of the graph and of each function, but for the saver's."""
    yield from _check_library(contents)
    for function, node in contents.nodes():
        yield from _check_operation(contents, function, node)
        for name in called(node.attr):
            if name not in contents.library:
                text = f"it calls {shortened(name)!r}, which is no function of the model"
                yield Finding("S8", "malformed_graph", text, function, node.name)
        if not _DEVICES.fullmatch(node.device):
            yield _device(node.device, function, node.name)
        if not _is_called_plainly(node.attr):
            text = "it asks for an executor or an optimizer of its own. Save the model without such options"
            yield Finding("S14", "forbidden_op", text, function, node.name)
    for number, node in enumerate(contents.graph.object_graph_def.nodes):
        if not _DEVICES.fullmatch(node.variable.device):
            yield _device(node.variable.device, "", f"object {number}")


def _check_library(contents: Contents) -> Iterator[Finding]:
    """Names of functions are their own: not twice, and none of an operation's, which could hide behind it."""
    library = contents.graph.graph_def.library
    counts = Counter(function.signature.name for function in library.function)
    for name in (name for name, count in counts.items() if count > 1):
        yield Finding("S8", "malformed_graph", "the graph is damaged: a function is there twice", name)
    for name in counts:
        if not name or op_def_registry.get(name) is not None:
            yield Finding("S8", "forbidden_op", "a function has the name of an operation", name)
    for gradient in library.gradient:
        if not {gradient.function_name, gradient.gradient_func} <= counts.keys():
            text = "the graph is damaged: it has a gradient of a function that is not there"
            yield Finding("S8", "malformed_graph", text, gradient.function_name)


def _check_operation(contents: Contents, function: str, node: Any) -> Iterator[Finding]:
    operation = node.op
    if operation in (OPERATIONS if function else GRAPH_OPERATIONS):
        return
    if op_def_registry.get(operation) is None:
        if function and operation in contents.library and operation not in contents.saver.values():
            return
        text = f"the operation {shortened(operation)} is unknown: it is none of TensorFlow 2.21's and no function here"
        yield Finding("S8", "unknown_op", text, function, node.name)
    elif operation in OPERATIONS:
        text = f"the operation {operation} is allowed in functions only. Save the model with TensorFlow 2"
        yield Finding("S10", "forbidden_op", text, function, node.name)
    else:
        text = f"the operation {operation} is not allowed in an uploaded model. {advice(operation)}"
        yield Finding("S8", "forbidden_op", text, function, node.name)


def advice(operation: str) -> str:
    """What to do about an operation that is not allowed."""
    return next((text for pattern, text in _ADVICE if re.fullmatch(pattern, operation)), _OTHERWISE)


def _device(device: str, function: str, node: str) -> Finding:
    text = f"the device {shortened(device)!r} is not here: a model runs on /device:CPU:0. Save it without tf.device"
    return Finding("S12", "unsupported_device", text, function, node)


def _is_called_plainly(attributes: Any) -> bool:
    """Whether a call of a function asks for nothing but the function."""
    if any(name in attributes and attributes[name].s for name in ("config", "executor_type")):
        return False
    return "config_proto" not in attributes or _has_plain_options(attributes["config_proto"].s)


def _has_plain_options(serialized: bytes) -> bool:
    """Whether the options of a call are those that TensorFlow writes by itself, or what a trainer may have set."""
    try:
        options = config_pb2.ConfigProto.FromString(serialized)
    except DecodeError:
        return False
    rewriting = options.graph_options.rewrite_options
    return (
        {field.name for field, _ in options.ListFields()} <= _OPTIONS
        and not options.experimental.ListFields()
        and not rewriting.custom_optimizers
        and not rewriting.optimizers
    )
