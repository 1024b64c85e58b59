"""Defaults of inputs, read from a SavedModel's signatures."""

import processes


def _read(sizes):
    """The values, and what is shown, of a signature whose inputs have default values of these sizes."""
    import tensorflow as tf
    from tensorflow.core.protobuf import meta_graph_pb2

    from service.engine import defaults

    definition = meta_graph_pb2.SignatureDef()
    for name, size in sizes.items():
        definition.defaults[name].CopyFrom(tf.make_tensor_proto([0.5] * size + [1.5], tf.float32))
        if name != "unknown":
            definition.inputs[name].dtype = 1
    values = {name: (str(array.dtype), array.shape) for name, array in defaults.values(definition).items()}
    return values, defaults.shown(definition)


def test_values_and_what_is_shown_of_them():
    """A default for something that is no input is left out; one that is very large is shown without its numbers."""
    values, shown = processes.run_blocked(_read, {"small": 1, "large": 100_000, "unknown": 1})
    assert values == {"small": ("float32", (2,)), "large": ("float32", (100_001,))}
    assert (shown["small"]["dtype"], shown["small"]["tensor_content"]) == ("DT_FLOAT", "AAAAPwAAwD8=")
    assert shown["large"]["tensor_shape"]["dim"] == [{"size": "100001", "name": ""}]
    assert shown["large"]["tensor_content"] == ""
