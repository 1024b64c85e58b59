"""Parts of a SavedModel's graph, found and added to."""

from tensorflow.core.framework import types_pb2


def functions(saved):
    """All functions of a SavedModel."""
    return saved.meta_graphs[0].graph_def.library.function


def serving(saved):
    """The function that does the work."""
    return next(function for function in functions(saved) if any(node.op == "MatMul" for node in function.node_def))


def node(saved, operation):
    """The first node of an operation in any function but the saver's."""
    bodies = [function.node_def for function in functions(saved) if "traced_" not in function.signature.name]
    return next(found for body in bodies for found in body if found.op == operation)


def saver(saved, kind):
    """The function that saves, or restores, checkpoints."""
    return next(function for function in functions(saved) if f"traced_{kind}" in function.signature.name)


def objects(saved):
    """The object graph's nodes."""
    return saved.meta_graphs[0].object_graph_def.nodes


def add_node(function, name, operation, *inputs):
    """Add a node to a function."""
    added = function.node_def.add(name=name, op=operation)
    added.input.extend(inputs)
    return added


def add_text(function, name, text):
    """Add a constant text to a function."""
    attributes = function.node_def.add(name=name, op="Const").attr
    attributes["dtype"].type = types_pb2.DT_STRING
    attributes["value"].tensor.dtype = types_pb2.DT_STRING
    attributes["value"].tensor.tensor_shape.SetInParent()
    attributes["value"].tensor.string_val.append(text.encode())


def add_write_file(function, sentinel):
    """Let a function write a file."""
    add_text(function, "evil_name", sentinel)
    add_text(function, "evil_text", "written")
    add_node(function, "evil", "WriteFile", "evil_name:output:0", "evil_text:output:0")
    function.control_ret["evil"] = "evil"
    function.signature.control_output.append("evil")
    function.signature.is_stateful = True
