"""The one place that knows which Keras is active.

It is that of `tf.keras`: Keras 2 where TF_USE_LEGACY_KERAS=1 was set before TensorFlow was imported, Keras 3 elsewhere.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf

from qlayer.errors import SignatureError, UnsupportedError

_IS_LEGACY = os.environ.get("TF_USE_LEGACY_KERAS", "").lower() in ("1", "true")  # as TensorFlow reads it


def check_backend(backend: str) -> None:
    """Refuse Keras 3 on another backend than TensorFlow.

    Raises:
        UnsupportedError: naming the backend and the setting that changes it.
    """
    if backend != "tensorflow" and not _IS_LEGACY:
        raise UnsupportedError(
            f"Keras runs on {backend}, and a KerasLayer is made of TensorFlow operations. Set KERAS_BACKEND=tensorflow "
            "before the first import of keras."
        )


check_backend(os.environ.get("KERAS_BACKEND", "tensorflow"))  # before Keras is imported: its backend may be missing

IS_KERAS_3 = hasattr(tf.keras, "ops")  # they came with Keras 3

# tf.keras lacks some of Keras 3's modules, such as `saving`
keras: Any = importlib.import_module("keras") if IS_KERAS_3 else tf.keras
check_backend(keras.backend.backend())  # as keras.json says, before a class is derived from a layer of another backend

VERSION: str = importlib.import_module("keras" if IS_KERAS_3 else "tf_keras").__version__
NAME = "Keras 3 (keras)" if IS_KERAS_3 else "Keras 2 (tf_keras, by TF_USE_LEGACY_KERAS=1)"
_OTHER_PACKAGE = "tf_keras" if IS_KERAS_3 else "keras"
_ADVICE = (
    "Make the model of tf.keras; to choose another Keras, set TF_USE_LEGACY_KERAS=1 for Keras 2, or leave it unset for "
    "Keras 3, before TensorFlow is imported."
)


def register(layer: type) -> type:
    """Class decorator: both ways of loading models find a layer once its module is imported.

    A wrapper of Keras 2, such as TimeDistributed, looks for the layer in it by the bare name when it is cloned. Where
    `custom_objects` are given, they come first.
    """
    if not IS_KERAS_3:
        keras.utils.get_custom_objects()[layer.__name__] = layer
    return keras.saving.register_keras_serializable(package="qlayer")(layer)


def check_caller(name: str, arguments: Iterable[Any]) -> None:
    """Refuse to be called by a model of the other Keras, which would neither train nor save the layer.

    Args:
        name: name of the layer.
        arguments: what it was called with.

    Raises:
        UnsupportedError: naming both Keras and the setting that chooses one.
    """
    packages = {type(leaf).__module__.partition(".")[0] for leaf in tf.nest.flatten(list(arguments))}
    if _OTHER_PACKAGE in packages or _other_keras_is_calling():
        raise UnsupportedError(
            f"the layer {name!r} is one of {NAME}, but the model it is called in is made of {_OTHER_PACKAGE}. {_ADVICE}"
        )


def describe(name: str, layer: Any) -> str:
    """A layer as text. A model of the other Keras shows it in its error, so it says what is wrong there."""
    if _OTHER_PACKAGE not in sys.modules:
        return f"<{type(layer).__name__} name={name}>"
    return (
        f"<{type(layer).__name__} name={name}, a layer of {NAME}; no model of {_OTHER_PACKAGE} can take it. {_ADVICE}>"
    )


def _other_keras_is_calling() -> bool:
    """Whether a call of the other Keras is under way; no public name of either tells."""
    if _OTHER_PACKAGE not in sys.modules:
        return False
    if IS_KERAS_3:
        module = sys.modules.get("tf_keras.src.engine.base_layer_utils")
        return bool(module and module.call_context().in_call)
    module = sys.modules.get("keras.src.backend.common.global_state")
    return bool(module and module.get_global_attribute("current_call_ctx"))


def is_own_layer(layer: Any) -> bool:
    """Whether a layer's class is one that Keras brings."""
    return type(layer).__module__.startswith(("keras.src.layers.", "tf_keras.src.layers."))


def is_symbolic(tensor: Any) -> bool:
    """Whether a tensor stands for values to come, in a functional model."""
    return isinstance(tensor, keras.KerasTensor if IS_KERAS_3 else keras.__internal__.KerasTensor)


def node_layer(node: Any) -> Any:
    """The layer, or the operation of Keras, that a node records a call of."""
    return node.operation if IS_KERAS_3 else node.layer


def node_inputs(node: Any) -> list[Any]:
    """The symbolic tensors of the call that a node records."""
    return list(node.input_tensors if IS_KERAS_3 else node.keras_inputs)


def calling_sequence() -> list[Any]:
    """The layers of a Sequential model of Keras 2 that calls one after the other at the moment; empty without one."""
    if IS_KERAS_3:
        return []
    caller = sys.modules["tf_keras.src.engine.base_layer_utils"].call_context().layer
    return list(caller.layers) if isinstance(caller, keras.Sequential) else []


def call_specs(model: Any) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """What a model takes: positional and keyword arguments, structures with a TensorSpec for each tensor.

    Returns:
        None for a model that was not built, or not called where its class has a `call` of its own.
    """
    if not IS_KERAS_3:
        found = model.save_spec()
        return found and (tuple(found[0]), {name: spec for name, spec in found[1].items() if name != "training"})
    signature = importlib.import_module("keras.src.export.export_utils")  # what `model.export` asks; not public
    try:
        found = signature.get_input_signature(model)
    except ValueError:
        return None
    return tuple(tf.nest.map_structure(_spec, found)), {}


def output_names(model: Any) -> list[str]:
    """The names of a model's outputs: of the layers they come from; empty where its class has a `call` of its own."""
    if isinstance(model, keras.Sequential):
        return [model.layers[-1].name]
    return list(getattr(model, "output_names", None) or [])


def _spec(found: Any) -> tf.TensorSpec:
    return tf.TensorSpec(found.shape, found.dtype, found.name)


def add_weight(layer: Any, name: str, shape: Iterable[int], specs: Mapping[str, Any]) -> Any:
    """A new weight of a layer.

    Raises:
        SignatureError: if its specifications are none that Keras takes.
    """
    try:
        return layer.add_weight(**{"name": name, "shape": shape, **specs})
    except (TypeError, ValueError) as exc:
        if not specs:
            raise
        raise SignatureError(
            f"weight_specs gives {dict(specs)} for {name!r}, which Keras does not take as the arguments of add_weight: "
            f"{str(exc).partition(chr(10))[0].rstrip('.')}. Correct it."
        ) from exc


def specs_to_data(weight_specs: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Weight specifications as JSON data that `add_weight` takes as it takes the objects.

    Raises:
        SignatureError: naming the entry that is code and not an object of Keras.
    """
    return {
        weight: {key: _spec_to_data(weight, key, value) for key, value in specs.items()}
        for weight, specs in weight_specs.items()
    }


def _spec_to_data(weight: str, key: str, value: Any) -> Any:
    if getattr(value, "__name__", "") == "<lambda>":
        raise SignatureError(
            f"weight_specs gives a lambda as the {key} of {weight!r}, and code is not saved. Give a name, an object of "
            "Keras, or a function registered with keras.saving.register_keras_serializable."
        )
    is_data = value is None or isinstance(value, str | dict)
    return value if is_data or key not in _SERIALIZERS else _SERIALIZERS[key](value)


_SERIALIZERS = {
    "initializer": keras.initializers.serialize,
    "regularizer": keras.regularizers.serialize,
    "constraint": keras.constraints.serialize,
    "dtype": lambda dtype: tf.as_dtype(dtype).name,
}
