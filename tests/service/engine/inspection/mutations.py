"""Changes to the plain model's graph that an attacker makes; run where TensorFlow is imported."""

import pathlib
import shutil

import parts
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import saved_model_pb2

GRAPH = "saved_model.pb"


def _two_graphs(saved, _):
    saved.meta_graphs.add().CopyFrom(saved.meta_graphs[0])


def _wrong_tags(saved, _):
    saved.meta_graphs[0].meta_info_def.tags[:] = ["serve", "gpu"]


def _asset(name):
    def change(saved, _):
        saved.meta_graphs[0].asset_file_def[0].filename = name

    return change


def _restore_writes(saved, sentinel):
    """The restore function of a table writes a file."""
    node = next(node for node in parts.objects(saved) if node.saveable_objects)
    number = next(iter(node.saveable_objects.values())).restore_function
    [name] = parts.objects(saved)[number].function.concrete_functions or [
        parts.objects(saved)[number].bare_concrete_function.concrete_function_name
    ]
    parts.add_write_file(
        next(function for function in parts.functions(saved) if function.signature.name == name), sentinel
    )


def _child_name(name):
    def change(saved, _):
        parts.objects(saved)[0].children[0].local_name = name

    return change


def _bad_reference(saved, _):
    parts.objects(saved)[0].children[0].node_id = 99


def _negative_reference(saved, _):
    parts.objects(saved)[0].children[0].node_id = -1


def _circle(saved, _):
    for first, second in ((1, 2), (2, 1)):
        parts.objects(saved)[first].dependencies.add(node_id=second, local_name="other")


def _registered(saved, _):
    parts.objects(saved)[0].registered_name = "Evil>Class"


def _unknown_type(saved, _):
    parts.objects(saved)[0].user_object.identifier = "evil"


def _saver_path(saved, sentinel):
    function = parts.saver(saved, "save")
    parts.add_text(function, "evil", sentinel)
    next(node for node in function.node_def if node.op == "SaveV2").input[0] = "evil:output:0"


def _saver_called(saved, _):
    name = parts.saver(saved, "restore").signature.name
    node = parts.node(saved, "StatefulPartitionedCall")
    node.attr["f"].func.name = name


def _saver_called_by_name(saved, _):
    parts.node(saved, "MatMul").op = parts.saver(saved, "save").signature.name


def _saver_named_in_text(saved, _):
    parts.serving(saved).attr["forward_function_name"].s = parts.saver(saved, "save").signature.name.encode()


def _saver_writes(saved, sentinel):
    parts.add_write_file(parts.saver(saved, "restore"), sentinel)


def _saver_in_objects(saved, _):
    graph = saved.meta_graphs[0].object_graph_def
    graph.concrete_functions[parts.saver(saved, "save").signature.name].SetInParent()


def _saver_is_signature(saved, _):
    graph = saved.meta_graphs[0]
    signature = next(node for node in graph.graph_def.node if node.op == "StatefulPartitionedCall")
    graph.saver_def.restore_op_name = signature.name


def _saver_fed_by_constant(saved, _):
    graph = saved.meta_graphs[0].graph_def
    next(node for node in graph.node if node.name == "saver_filename").op = "Const"


def _named_after_evil_function(saved, sentinel):
    """A function that writes is called by an operation of its name."""
    evil = parts.functions(saved).add()
    evil.signature.name = "Harmless"
    parts.add_write_file(evil, sentinel)
    parts.serving(saved).node_def.add(name="evil", op="Harmless")


def _named_after_operation(saved, _):
    """A harmless function has the name of an operation that reads files."""
    parts.functions(saved).add().signature.name = "ReadFile"
    parts.serving(saved).node_def.add(name="evil", op="ReadFile")


def _unknown_operation(saved, _):
    parts.node(saved, "MatMul").op = "MyCustomOp"


def _remote_device(saved, _):
    parts.node(saved, "MatMul").device = "/job:evil/task:3"


def _own_executor(saved, _):
    node = parts.node(saved, "StatefulPartitionedCall")
    node.attr["config_proto"].s += b"\x82\x01\x06\x1a\x04evil"  # experimental.executor_type


def _graph_operation(saved, _):
    saved.meta_graphs[0].graph_def.node.add(name="evil", op="MatMul")


def _crash(saved, _):
    """TensorFlow aborts the process when it infers the shape of the slice."""
    for function in parts.functions(saved):
        starts = {node.input[1].split(":")[0] for node in function.node_def if node.op == "StridedSlice"}
        for node in function.node_def:
            if node.name in starts:
                node.attr["value"].tensor.dtype = types_pb2.DT_FLOAT


def _constant(*sizes, content=None):
    def change(saved, _):
        tensor = parts.node(saved, "Const").attr["value"].tensor
        if sizes:
            del tensor.tensor_shape.dim[:]
            for size in sizes:
                tensor.tensor_shape.dim.add(size=size)
            tensor.ClearField("tensor_content")
        if content is not None:
            tensor.tensor_content = content

    return change


def _constant_list(saved, _):
    """Tensors hide in lists too."""
    tensor = parts.node(saved, "MatMul").attr["evil"].list.tensor.add(dtype=types_pb2.DT_FLOAT)
    tensor.tensor_shape.dim.add(size=1 << 40)


def _large_variable(saved, _):
    variable = next(node.variable for node in parts.objects(saved) if node.WhichOneof("kind") == "variable")
    variable.shape.dim[0].size = 1 << 40


def _many_nodes(saved, _):
    for _ in range(200_001):
        saved.meta_graphs[0].graph_def.node.add()


def _recursive(saved, _):
    """A function calls itself."""
    parts.node(saved, "PartitionedCall").attr["f"].func.name = parts.serving(saved).signature.name


def _missing_function(saved, _):
    parts.node(saved, "PartitionedCall").attr["f"].func.name = "nobody"


def _deep(saved, _):
    """A chain so long that TensorFlow, which follows it by recursion, runs out of stack; nothing in it is wrong."""
    function, product = parts.serving(saved), parts.node(saved, "MatMul")
    last = product.input[0]
    for number in range(60_000):
        node = parts.add_node(function, f"deep_{number}", "Identity", last)
        node.attr["T"].type = types_pb2.DT_FLOAT
        last = f"{node.name}:output:0"
    product.input[0] = last


def _bad_attribute(saved, _):
    parts.node(saved, "MatMul").attr["T"].type = types_pb2.DT_STRING


def _missing_attribute(saved, _):
    del parts.node(saved, "MatMul").attr["T"]


def _undeclared_signature(saved, _):
    del saved.meta_graphs[0].signature_def["serving_default"]


def _other_inputs(saved, _):
    inputs = saved.meta_graphs[0].signature_def["serving_default"].inputs
    inputs["z"].CopyFrom(inputs["x"])


def _other_outputs(saved, _):
    outputs = saved.meta_graphs[0].signature_def["serving_default"].outputs
    [name] = outputs
    outputs["z"].CopyFrom(outputs[name])
    del outputs[name]


def _many_dimensions(saved, _):
    for info in saved.meta_graphs[0].signature_def["serving_default"].outputs.values():
        info.tensor_shape.dim.extend(type(info.tensor_shape.dim[0])(size=1) for _ in range(40))


def _many_outputs(saved, _):
    outputs = saved.meta_graphs[0].signature_def["serving_default"].outputs
    [name] = outputs
    for number in range(1001):
        outputs[f"{name}{number}"].CopyFrom(outputs[name])


def _large_signature(saved, _):
    defaults = saved.meta_graphs[0].signature_def["serving_default"].defaults
    for number in range(20):
        value = defaults[f"x{number}"]
        value.dtype = types_pb2.DT_BOOL
        value.tensor_shape.dim.add(size=60_000)
        value.bool_val.extend([True] * 60_000)


def _own_options(saved, _):
    parts.node(saved, "PartitionedCall").attr["executor_type"].s = b"SINGLE_THREADED_EXECUTOR"


def _own_rewriter(saved, _):
    parts.node(saved, "PartitionedCall").attr["config"].s = b"\x10\x01"


GRAPHS = {
    "two_graphs": _two_graphs,
    "wrong_tags": _wrong_tags,
    "hook_name": _child_name("_restore_from_tensors"),
    "dunder_name": _child_name("__class__"),
    "bad_reference": _bad_reference,
    "negative_reference": _negative_reference,
    "circle": _circle,
    "registered": _registered,
    "unknown_type": _unknown_type,
    "saver_path": _saver_path,
    "saver_called": _saver_called,
    "saver_called_by_name": _saver_called_by_name,
    "saver_named_in_text": _saver_named_in_text,
    "saver_writes": _saver_writes,
    "saver_in_objects": _saver_in_objects,
    "saver_is_signature": _saver_is_signature,
    "saver_fed_by_constant": _saver_fed_by_constant,
    "named_after_evil_function": _named_after_evil_function,
    "named_after_operation": _named_after_operation,
    "unknown_operation": _unknown_operation,
    "remote_device": _remote_device,
    "own_executor": _own_executor,
    "graph_operation": _graph_operation,
    "crash": _crash,
    "constant_bomb": _constant(1 << 33),
    "constant_negative": _constant(-1, 4),
    "constant_short": _constant(content=b"123"),
    "constant_overflow": _constant(*[1 << 62] * 4),
    "constant_list": _constant_list,
    "large_variable": _large_variable,
    "many_nodes": _many_nodes,
    "deep": _deep,
    "recursive": _recursive,
    "missing_function": _missing_function,
    "bad_attribute": _bad_attribute,
    "missing_attribute": _missing_attribute,
    "undeclared_signature": _undeclared_signature,
    "other_inputs": _other_inputs,
    "other_outputs": _other_outputs,
    "many_dimensions": _many_dimensions,
    "many_outputs": _many_outputs,
    "large_signature": _large_signature,
    "own_options": _own_options,
    "own_rewriter": _own_rewriter,
}
"""Changes of the plain model's graph."""

OTHERS = {
    "asset_absolute": ("table", _asset("/etc/hosts")),
    "asset_dotdot": ("table", _asset("../../../../../../etc/hosts")),
    "restore_writes": ("mutable_table", _restore_writes),
}
"""Changes of the graphs of other models."""


def build(folder):
    """Write each changed model to folder/<name>/1; the models it starts from are there."""
    folder = pathlib.Path(folder)
    for name, change in GRAPHS.items():
        _change_graph(folder / "plain" / "1", folder / name / "1", change, str(folder / "sentinels" / name))
    for name, (source, change) in OTHERS.items():
        _change_graph(folder / source / "1", folder / name / "1", change, str(folder / "sentinels" / name))


def _change_graph(source, target, change, sentinel):
    shutil.copytree(source, target)
    saved = saved_model_pb2.SavedModel.FromString((source / GRAPH).read_bytes())
    change(saved, sentinel)
    (target / GRAPH).write_bytes(saved.SerializeToString())
