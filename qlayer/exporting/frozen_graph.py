"""FrozenGraph: what a model calculates, as plain TensorFlow operations and constants.

Variables become constants, calls of functions become what they call, and whatever does not depend on the inputs is
calculated once. Control flow stays in functional form (While, If), which servers know as harmless.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2, rewriter_config_pb2
from tensorflow.python.framework.convert_to_constants import (  # used by TensorFlow Lite; no public name
    convert_variables_to_constants_v2,
)
from tensorflow.python.grappler import tf_optimizer  # no public road to the graph optimizers
from tensorflow.python.saved_model.save_context import save_context  # nor to new traces

from qlayer.errors import ExportError

Predict = Callable[..., dict[str, tf.Tensor]]

_CONTROL_FLOW = ("Case", "If", "StatelessCase", "StatelessIf", "StatelessWhile", "While")
_PASSES = ("constfold", "dependency", "pruning")


@dataclass(frozen=True, eq=False)
class FrozenGraph:
    """A graph of operations and constants.

    Args:
        graph_def: the operations.
        inputs: what it takes.
        placeholders: the tensor in the graph that each input is.
        outputs: from the name of each output to its tensor in the graph.
    """

    graph_def: tf.compat.v1.GraphDef
    inputs: tuple[tf.TensorSpec, ...]
    placeholders: tuple[str, ...]
    outputs: dict[str, str]

    def __call__(self, *tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        """Add the operations to the graph that is being traced.

        Args:
            *tensors: one for each input.

        Returns:
            The outputs by name.
        """
        calculating = [node for node in self.graph_def.node if node.op != "Placeholder"]
        used = {edge.partition(":")[0] for node in calculating for edge in node.input}
        pairs = zip(self.placeholders, tensors, strict=True)
        feeds = {name: tensor for name, tensor in pairs if name.partition(":")[0] in used}
        graph_def = _graph(calculating, self.graph_def)
        found = tf.import_graph_def(graph_def, feeds, list(self.outputs.values()), name="model")
        return dict(zip(self.outputs, found, strict=True))


def frozen_graph(predict: Predict, inputs: tuple[tf.TensorSpec, ...]) -> FrozenGraph:
    """Freeze a function.

    Args:
        predict: from one tensor for each input to the outputs by name.
        inputs: what it takes, with the names of the inputs.

    Raises:
        ExportError: if it needs more than operations and constants: a lookup table, a variable that it changes.
    """
    traced = tf.function(_retraced(predict), autograph=False).get_concrete_function(*inputs)
    _check(traced)
    frozen = convert_variables_to_constants_v2(traced, lower_control_flow=False)
    placeholders = tuple(tensor.name for tensor in frozen.inputs)
    outputs = dict(zip(sorted(traced.structured_outputs), (tensor.name for tensor in frozen.outputs), strict=True))
    kept = {name.partition(":")[0] for name in (*placeholders, *outputs.values())}
    return FrozenGraph(_optimized(frozen.graph, kept), inputs, placeholders, outputs)


def _retraced(predict: Predict) -> Predict:
    """The function, in a context in which every `tf.function` in it is traced anew.

    TensorFlow would call a trace that it has from before, with variables: many models have `call` as a `tf.function`.
    """
    options = tf.saved_model.SaveOptions()
    options.experimental_variable_policy = object()  # traces of different policies are kept apart

    def traced(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        with save_context(options):
            return predict(*tensors)

    return traced


def _check(traced: tf.types.experimental.ConcreteFunction) -> None:
    """Refuse what cannot be made of constants."""
    variables = {id(variable.handle) for variable in traced.graph.variables}
    found = [
        tensor for tensor, _ in traced.graph.captures if tensor.dtype == tf.resource and id(tensor) not in variables
    ]
    if found:
        raise ExportError(
            f"the model uses {found[0]!r}, which is no variable: a lookup table, say. An exported model is made of "
            "numbers alone. Leave such layers out of the model that is exported, and run them on its inputs."
        )
    assigned = sorted({operation for operation in _operations(traced.graph.as_graph_def()) if "Assign" in operation})
    if assigned:
        raise ExportError(
            f"the model changes its variables when it predicts ({', '.join(assigned)}), and an exported model has "
            "none. Make recurrent layers without stateful=True, and compute no statistics while predicting."
        )


def _operations(graph_def: tf.compat.v1.GraphDef) -> set[str]:
    """The names of all operations, also those inside the graph's functions."""
    nodes = [graph_def.node, *(function.node_def for function in graph_def.library.function)]
    return {node.op for group in nodes for node in group}


def _optimized(graph: tf.Graph, kept: set[str]) -> tf.compat.v1.GraphDef:
    """The graph after TensorFlow's own optimizers have calculated what is constant and removed what nobody needs."""
    meta_graph = tf.compat.v1.train.export_meta_graph(graph_def=graph.as_graph_def(), graph=graph)
    wanted = meta_graph_pb2.CollectionDef()
    wanted.node_list.value.extend(kept)
    meta_graph.collection_def["train_op"].CopyFrom(wanted)  # where the optimizers look for what must stay
    config = config_pb2.ConfigProto()
    rewrites = config.graph_options.rewrite_options
    rewrites.optimizers.extend(_PASSES)
    rewrites.min_graph_nodes = -1  # however small
    rewrites.meta_optimizer_iterations = rewriter_config_pb2.RewriterConfig.ONE
    optimized = tf_optimizer.OptimizeGraph(config, meta_graph)
    nodes = [*optimized.node, *(node for function in optimized.library.function for node in function.node_def)]
    for node in nodes:
        for name in [name for name in node.attr if name.startswith("_") and name != "_output_shapes"]:
            del node.attr[name]  # notes of whoever made it: gradients, inferred shapes
        if node.op in _CONTROL_FLOW:  # where it runs, and not before, so that loops run several steps at once
            node.attr["_lower_using_switch_merge"].b = True
    return optimized


def _graph(nodes: list[tf.compat.v1.NodeDef], source: tf.compat.v1.GraphDef) -> tf.compat.v1.GraphDef:
    return tf.compat.v1.GraphDef(node=nodes, library=source.library, versions=source.versions)
