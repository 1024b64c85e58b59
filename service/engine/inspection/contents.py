"""Contents: the parts of a SavedModel that the rules look at, parsed and within sizes that can be looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from service.engine import members
from service.engine.inspection.findings import Finding

_MB = 1 << 20
_SERVE_TAG = "serve"


@dataclass(frozen=True)
class Contents:
    """A SavedModel as the rules see it.

    Args:
        graph: its one MetaGraphDef.
        library: its functions by name.
        saver: names of the two functions that save and restore checkpoints, as far as it declares them.
        data_bytes: of the files that hold the variables.
    """

    graph: Any
    library: Mapping[str, Any]
    saver: Mapping[str, str]
    data_bytes: int

    def nodes(self, *, with_saver: bool = False) -> Iterator[tuple[str, Any]]:
        """Each node with the name of the function it is in, empty for the graph itself."""
        for node in self.graph.graph_def.node:
            yield "", node
        excluded = () if with_saver else set(self.saver.values())
        for function in self.graph.graph_def.library.function:
            if function.signature.name not in excluded:
                for node in function.node_def:
                    yield function.signature.name, node


class Unreadable(Exception):
    """There is nothing to look at; the findings say why."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__(findings)
        self.findings = findings


def read(directory: Path, graph_max_mb: int) -> Contents:
    """Parse a SavedModel.

    Args:
        directory: holds saved_model.pb.
        graph_max_mb: how large that may be, in MiB: parsing takes fifty times as much memory.

    Raises:
        Unreadable: it is too large, damaged, or of a kind that is not served.
    """
    path = directory / members.GRAPH
    _check_size(path, graph_max_mb)
    try:
        saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    except (DecodeError, RecursionError) as exc:
        text = "saved_model.pb is damaged: it is no SavedModel message. Save the model again and upload that"
        raise Unreadable(Finding("S2", "malformed_graph", text)) from exc
    graph = _only_graph(saved)
    library = {function.signature.name: function for function in graph.graph_def.library.function}
    data = (directory / "variables").glob("variables.data-*")
    return Contents(graph, library, _saver(graph), sum(path.stat().st_size for path in data))


def _check_size(path: Path, graph_max_mb: int) -> None:
    try:
        size = path.stat().st_size
    except OSError as exc:
        raise Unreadable(Finding("S1", "missing_saved_model", "there is no saved_model.pb")) from exc
    if size > graph_max_mb * _MB:
        text = (
            f"saved_model.pb has {size / _MB:.0f} MiB and may have {graph_max_mb} (--graph-max-mb). Keep large "
            "constants in variables"
        )
        raise Unreadable(Finding("S1", "model_too_large", text))


def _only_graph(saved: Any) -> Any:
    if not saved.meta_graphs:
        text = "saved_model.pb holds no graph: it is empty or cut off. Save the model again and upload that"
        raise Unreadable(Finding("S2", "malformed_graph", text))
    graph = saved.meta_graphs[0]
    tags = sorted(graph.meta_info_def.tags)
    advice = "Save it with tf.saved_model.save, model.export or qlayer.export of TensorFlow 2"
    problems = {
        f"it has {len(saved.meta_graphs)} graphs, and one is served": len(saved.meta_graphs) > 1,
        f"its graph has the tags {tags[:5]}, and ['{_SERVE_TAG}'] was expected": tags != [_SERVE_TAG],
        "it has no object graph: it is of TensorFlow 1": not graph.HasField("object_graph_def"),
    }
    if found := [problem for problem, is_found in problems.items() if is_found]:
        raise Unreadable(*(Finding("S2", "unsupported_savedmodel", f"{problem}. {advice}") for problem in found))
    return graph


def _saver(graph: Any) -> dict[str, str]:
    """For saving and for restoring the function that the graph's saver calls, if there is such a call."""
    definition = graph.saver_def
    names = {"save": definition.save_tensor_name.rpartition(":")[0], "restore": definition.restore_op_name}
    calls = {node.name: node for node in graph.graph_def.node if node.name in names.values()}
    return {kind: calls[name].attr["f"].func.name for kind, name in names.items() if name in calls}
