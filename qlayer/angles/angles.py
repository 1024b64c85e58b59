"""AngleGraph: the small TensorFlow graph that turns inputs and weights into a circuit's angles.

It is what the quantum function calculates between its arguments and its gates: `2 * inputs[0]`, `np.sin(inputs) * w`.
It is recorded for one sample. Outputs that depend on the inputs are batched by a vectorized map over this small graph
alone, outputs that depend on weights only are computed once for a whole batch, and arguments that are used as they are
cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from qlayer.angles.reach import reaches


@dataclass(frozen=True)
class AngleGraph:
    """From one sample and the weights to the outputs that the parameters of a circuit are picked from.

    Args:
        sample_shape: shape of one sample, as the graph takes it.
        graph_def: serialized GraphDef of the calculations.
        arguments: names of the placeholders in the graph: the inputs first, then the weights.
        outputs: names of the output tensors; an argument's own name where it is used as it is.
        is_input_dependent: for each output, whether it depends on the inputs.
    """

    sample_shape: tuple[int, ...]
    graph_def: bytes
    arguments: tuple[str, ...]
    outputs: tuple[str, ...]
    is_input_dependent: tuple[bool, ...]

    def __call__(self, inputs: tf.Tensor, weights: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Compute every output for a batch.

        Args:
            inputs: shape (batch, ...), with as many numbers in each sample as `sample_shape` has.
            weights: the weights, in the order of the arguments.

        Returns:
            One tensor for each output: shape (batch, *shape) where it depends on the inputs, (1, *shape) otherwise.
        """
        inputs = tf.reshape(inputs, [-1, *self.sample_shape])
        found: dict[str, tf.Tensor] = {
            name: value if position == 0 else value[tf.newaxis]
            for position, (name, value) in enumerate(zip(self.arguments, (inputs, *weights), strict=True))
        }
        wanted = [name for name in dict.fromkeys(self.outputs) if name not in found]
        batched = [name for name in wanted if self.is_input_dependent[self.outputs.index(name)]]
        shared = [name for name in wanted if name not in batched]
        found |= {name: value[tf.newaxis] for name, value in self._shared(shared, weights).items()}
        if batched:
            values = tf.vectorized_map(lambda sample: self._run(batched, sample, weights), inputs)
            found |= zip(batched, values, strict=True)
        return [found[name] for name in self.outputs]

    def known_values(self, weights: Sequence[np.ndarray]) -> dict[int, np.ndarray]:
        """The values of all outputs that do not depend on the inputs, by their index.

        Args:
            weights: the values of the weights, in the order of the arguments.
        """
        known = dict(zip(self.arguments[1:], weights, strict=True))
        places = [place for place, varies in enumerate(self.is_input_dependent) if not varies]
        calculated = list(dict.fromkeys(self.outputs[place] for place in places if self.outputs[place] not in known))
        tensors = list(map(tf.constant, weights))
        shared = tf.function(lambda *tensors: self._shared(calculated, tensors), autograph=False)
        run = shared.get_concrete_function(*tensors)  # a call of `shared` would count as one more retracing
        known |= {name: value.numpy() for name, value in run(*tensors).items()}
        return {place: known[self.outputs[place]] for place in places}

    def argument_names(self, names: Sequence[str]) -> tuple[str | None, ...]:
        """For each output, the name of the argument that it is, and None where it is calculated.

        Args:
            names: the names of the arguments, in order.
        """
        known = dict(zip(self.arguments, names, strict=True))
        return tuple(known.get(output) for output in self.outputs)

    def arguments_of(self, outputs: Iterable[int]) -> set[int]:
        """The positions of the arguments that some outputs depend on."""
        names = [self.outputs[output] for output in outputs]
        graph_def = _ancestors(tf.compat.v1.GraphDef.FromString(self.graph_def), names)
        nodes = {node.name for node in graph_def.node}
        return {position for position, name in enumerate(self.arguments) if _node(name) in nodes}

    def _shared(self, names: list[str], weights: Sequence[tf.Tensor]) -> dict[str, tf.Tensor]:
        """Outputs that depend on the weights only, by name."""
        return dict(zip(names, self._run(names, None, weights), strict=True)) if names else {}

    def _run(self, names: list[str], sample: tf.Tensor | None, weights: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        graph_def = _ancestors(tf.compat.v1.GraphDef.FromString(self.graph_def), names)
        present = {node.name for node in graph_def.node}
        feeds = dict(zip(self.arguments, (sample, *weights), strict=True))
        # an identity, because an import only takes tensors of its own graph, which may be the body of a loop
        used = {name: tf.identity(value) for name, value in feeds.items() if _node(name) in present}
        # the placeholders themselves stay out, although nothing would use them: XLA compiles none
        calculating = [node for node in graph_def.node if node.op != "Placeholder"]
        graph_def = tf.compat.v1.GraphDef(node=calculating, library=graph_def.library, versions=graph_def.versions)
        return list(tf.import_graph_def(graph_def, input_map=used, return_elements=names, name="angles"))


def _node(tensor_name: str) -> str:
    """The node that makes a tensor or a control edge, as edges are written in a GraphDef."""
    return tensor_name.removeprefix("^").split(":")[0]


def _ancestors(graph_def: tf.compat.v1.GraphDef, tensor_names: list[str]) -> tf.compat.v1.GraphDef:
    """The part of a graph that some tensors depend on."""
    nodes = {node.name: node for node in graph_def.node}
    wanted: set[str] = set()
    waiting = [_node(name) for name in tensor_names]
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting.extend(_node(edge) for edge in nodes[name].input)
    kept = [node for node in graph_def.node if node.name in wanted]
    return tf.compat.v1.GraphDef(node=kept, library=graph_def.library, versions=graph_def.versions)


def depends_on(tensor: tf.Tensor, argument: tf.Tensor) -> bool:
    """Whether a symbolic tensor can be reached from an argument of its graph."""
    return reaches(tensor, lambda operation: operation is argument.op)
