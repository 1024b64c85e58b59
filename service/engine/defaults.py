"""Inputs that may be left out: the default values that a SavedModel's signatures store."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import json_format

_SHOWN_MAX_BYTES = 65536  # a larger value is shown without its numbers


def values(definition: Any) -> dict[str, np.ndarray[Any, Any]]:
    """What stands in for inputs that are left out, by name.

    Args:
        definition: a SignatureDef.
    """
    return {name: tf.make_ndarray(value) for name, value in definition.defaults.items() if name in definition.inputs}


def shown(definition: Any) -> dict[str, Any]:
    """The same as TensorFlow Serving shows it: TensorProtos as JSON."""
    names = sorted(name for name in definition.defaults if name in definition.inputs)
    return {name: _shown(definition.defaults[name]) for name in names}


def _shown(value: Any) -> dict[str, Any]:
    if value.ByteSize() > _SHOWN_MAX_BYTES:
        value = type(value)(dtype=value.dtype, tensor_shape=value.tensor_shape)
    return json_format.MessageToDict(value, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
