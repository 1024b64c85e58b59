"""Signatures: what saved_model.pb declares of them, and whether that is what was loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import saved_model_pb2

from service.engine import defaults, members
from service.engine.specs import SignatureSpec, TensorSpec


def read_definitions(directory: Path) -> dict[str, Any]:
    """The signatures that a SavedModel declares, by name, in the order of their names: SignatureDefs."""
    saved = saved_model_pb2.SavedModel.FromString((directory / members.GRAPH).read_bytes())
    if not saved.meta_graphs:
        raise ValueError("saved_model.pb holds no graph")
    definitions = saved.meta_graphs[0].signature_def
    return {name: definitions[name] for name in sorted(definitions) if not name.startswith("__")}


def spec_of(definition: Any) -> SignatureSpec:
    """What a signature takes and gives.

    Args:
        definition: a SignatureDef.
    """
    return SignatureSpec(
        {name: _tensor_spec(definition.inputs[name]) for name in sorted(definition.inputs)},
        {name: _tensor_spec(definition.outputs[name]) for name in sorted(definition.outputs)},
        definition.method_name,
        defaults.shown(definition),
    )


def _tensor_spec(info: Any) -> TensorSpec:
    shape = info.tensor_shape
    sizes = None if shape.unknown_rank else tuple(None if dim.size < 0 else int(dim.size) for dim in shape.dim)
    return TensorSpec(types_pb2.DataType.Name(info.dtype), sizes, info.name)


def problem(declared: SignatureSpec | None, loaded: Any) -> str | None:
    """What is wrong with a signature, if anything, by what saved_model.pb declares and the function that was loaded."""
    if declared is None or loaded is None:
        return "is declared but not there, or there but not declared: save the model again"
    if not declared.is_callable:
        return "has tensors of dtypes that cannot be sent: give it numbers, booleans or strings"
    if _dtypes(loaded.structured_input_signature[1]) != {name: spec.dtype for name, spec in declared.inputs.items()}:
        return "declares other inputs than it takes: save the model again"
    if _dtypes(loaded.structured_outputs) != {name: spec.dtype for name, spec in declared.outputs.items()}:
        return "declares other outputs than it gives: save the model again"
    return None


def _dtypes(tensors: Any) -> dict[str, str]:
    return {name: types_pb2.DataType.Name(tensor.dtype.as_datatype_enum) for name, tensor in tensors.items()}
