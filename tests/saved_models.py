"""SavedModels as data, for the tests: which operations are in them."""

from pathlib import Path

from tensorflow.core.protobuf import saved_model_pb2

HARMLESS = {
    line
    for line in (Path(__file__).parent / "data" / "harmless_operations.txt").read_text().split("\n")
    if line[:1] != "#"
}


def _graph(folder):
    (meta_graph,) = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes()).meta_graphs
    return meta_graph


def operations(folder):
    """The operations of the graph and of all functions, but for the pair that saves and restores checkpoints.

    That pair is in every SavedModel, and belongs to no signature.
    """
    meta_graph = _graph(folder)
    library = {function.signature.name: function for function in meta_graph.graph_def.library.function}
    savers = {meta_graph.saver_def.save_tensor_name.split(":")[0], meta_graph.saver_def.restore_op_name}
    nodes = list(meta_graph.graph_def.node)
    excluded = {node.attr["f"].func.name for node in nodes if node.name in savers}
    assert len(excluded) == 2
    for name, function in library.items():
        nodes += function.node_def if name not in excluded else []
    return {node.op for node in nodes} - set(library)


def compiled_functions(folder):
    """How many functions XLA must compile."""
    functions = _graph(folder).graph_def.library.function
    return sum("_XlaMustCompile" in function.attr and function.attr["_XlaMustCompile"].b for function in functions)
