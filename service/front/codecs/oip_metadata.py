"""What the Open Inference Protocol tells of the server and its models: metadata and configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.engine.specs import SignatureSpec, TensorSpec
from service.front.codecs.oip_tensors import datatype_of, is_pair, listed_shape

PLATFORM = "tensorflow_savedmodel"
EXTENSIONS = (
    "binary_tensor_data",
    "classification",
    "model_configuration",
    "model_repository",
    "model_repository(unload_dependents)",
    "parameters",
    "schedule_policy",
    "statistics",
    "logging",
)
_TYPES = {"BYTES": "TYPE_STRING"}


def model_metadata(
    name: str, versions: list[int], spec: SignatureSpec, properties: Mapping[str, str]
) -> dict[str, Any]:
    """A model's inputs and outputs, those of one signature; `properties` say what has no other place."""
    return {
        "name": name,
        "versions": [str(number) for number in versions],
        "platform": PLATFORM,
        "inputs": _tensors(spec.inputs),
        "outputs": _tensors(spec.outputs),
        "properties": {**properties, **_peculiarities(spec)},
    }


def model_config(name: str, spec: SignatureSpec, batch_max_rows: int, instances: int) -> dict[str, Any]:
    """The same as Triton's ModelConfig: where rows are batched, sizes are those of one row."""
    max_batch_size = batch_max_rows if spec.has_rows else 0
    batching = {"dynamic_batching": {"preferred_batch_size": [batch_max_rows], "max_queue_delay_microseconds": 0}}
    return {
        "name": name,
        "platform": PLATFORM,
        "backend": "tensorflow",
        "version_policy": {"all": {}},
        "max_batch_size": max_batch_size,
        "input": _config_tensors(spec.inputs, has_rows=spec.has_rows),
        "output": _config_tensors(spec.outputs, has_rows=spec.has_rows),
        "instance_group": [{"name": f"{name}_0", "kind": "KIND_CPU", "count": instances}],
        **(batching if spec.has_rows else {}),
    }


def _tensors(specs: Mapping[str, TensorSpec]) -> list[dict[str, Any]]:
    return [
        {"name": name, "datatype": datatype_of(tensor), "shape": listed_shape(tensor)} for name, tensor in specs.items()
    ]


def _peculiarities(spec: SignatureSpec) -> dict[str, str]:
    """Tensors that are not quite what the document can say of them."""
    tensors = {**spec.inputs, **spec.outputs}
    found = {
        "complex_inputs": [name for name, tensor in spec.inputs.items() if is_pair(tensor)],
        "complex_outputs": [name for name, tensor in spec.outputs.items() if is_pair(tensor)],
        "unknown_rank": [name for name, tensor in tensors.items() if tensor.shape is None],
    }
    return {key: ",".join(names) for key, names in found.items() if names}


def _config_tensors(specs: Mapping[str, TensorSpec], *, has_rows: bool) -> list[dict[str, Any]]:
    return [
        {"name": name, "data_type": _type(tensor), "dims": listed_shape(tensor)[has_rows:]}
        for name, tensor in specs.items()
    ]


def _type(tensor: TensorSpec) -> str:
    datatype = datatype_of(tensor)
    return _TYPES.get(datatype, f"TYPE_{datatype}")
