"""Models that do what no upload may, each by the code that builds it; run in a process of its own."""

import pathlib

import tensorflow as tf

_SPEC = tf.TensorSpec([None, 4], tf.float32, "x")
_SHARED = {"words": "a\nb\nc\n"}


def _signature(body, spec=_SPEC):
    """A signature whose body does something; what comes of it is an output, or nobody would do it."""

    @tf.function(input_signature=[spec])
    def serving(x):
        done = body(x)
        with tf.control_dependencies([done] if done is not None else []):
            return {"y": tf.identity(x)} | ({"result": done} if tf.is_tensor(done) else {})

    return serving


def _save(body, folder, module=None, spec=_SPEC):
    tf.saved_model.save(module or tf.Module(), folder, _signature(body, spec))


def _of_signature(make):
    """A model whose signature does what `make` gives for a sentinel's path."""
    return lambda folder, sentinel: _save(make(sentinel), folder)


def _write_file(sentinel):
    return lambda _: tf.io.write_file(sentinel, "written")


def _read_file(_):
    return lambda _: tf.io.read_file("/etc/hostname")


def _dataset_lines(_):
    dataset = lambda: tf.data.TextLineDataset("/etc/hostname")  # noqa: E731
    return lambda _: dataset().reduce(tf.constant(""), lambda before, line: before + line)


def _immutable_constant(_):
    return lambda _: tf.raw_ops.ImmutableConst(dtype=tf.uint8, shape=[4], memory_region_name="/etc/hostname")


def _decode_proto(_):
    return lambda _: (
        tf.raw_ops.DecodeProtoV2(
            bytes=[b""],
            message_type="m.M",
            field_names=["f"],
            output_types=[tf.int32],
            descriptor_source="/etc/hostname",
        ).sizes
    )


def _print_to_file(sentinel):
    return lambda x: tf.print(x, output_stream=f"file://{sentinel}")


def _debug_identity(sentinel):
    return lambda x: tf.raw_ops.DebugIdentityV2(input=x, debug_urls=[f"file://{sentinel}"])


def _save_checkpoint(sentinel):
    return lambda x: tf.raw_ops.SaveV2(prefix=sentinel, tensor_names=["x"], shape_and_slices=[""], tensors=[x])


def _hidden_graph(_):
    """A program that reads a file, held in a constant: no operation on files is in the graph."""
    lines = tf.data.TextLineDataset("/etc/hostname")
    graph = tf.raw_ops.DatasetToGraphV2(
        input_dataset=lines._variant_tensor, external_state_policy=0, strip_device_assignment=True
    ).numpy()

    def body(x):
        empty = tf.strings.substr(tf.strings.as_string(tf.reduce_sum(x)), 0, 0)
        dataset = tf.raw_ops.DatasetFromGraph(graph_def=tf.strings.join([graph, empty]))
        return tf.raw_ops.DatasetToSingleElement(dataset=dataset, output_types=[tf.string], output_shapes=[[]])[0]

    return body


def _python(sentinel):
    def touch(x):
        pathlib.Path(sentinel).touch()
        return x

    return lambda x: tf.py_function(touch, [x], tf.float32)


def _numpy(sentinel):
    def touch(x):
        pathlib.Path(sentinel).touch()
        return x

    return lambda x: tf.numpy_function(touch, [x], tf.float32)


def _endless(_):
    return lambda x: tf.while_loop(lambda *_: True, lambda number: number + tf.reduce_sum(x), [tf.constant(0.0)])[0]


def _memory(folder, sentinel):
    del sentinel

    @tf.function(input_signature=[_SPEC])
    def serving(x):
        return {"y": x + tf.reduce_max(tf.cumsum(tf.fill([1 << 17, 1 << 17], tf.reduce_sum(x))))}

    tf.saved_model.save(tf.Module(), folder, serving)


def _refusing(_):
    return lambda x: tf.debugging.assert_equal(tf.reduce_sum(x), 12345.0, "never so")


def _parameter_shift(folder, sentinel):
    """A layer of PennyLane's TensorFlow interface whose gradients are not backpropagated."""
    del sentinel
    import pennylane as qml
    import tf_keras

    @qml.qnode(qml.device("default.qubit", wires=1), interface="tf", diff_method="parameter-shift")
    def circuit(inputs):
        qml.RX(inputs[0], wires=0)
        return qml.expval(qml.Z(0))

    class Layer(tf_keras.layers.Layer):
        def call(self, inputs):
            return tf.map_fn(lambda row: tf.cast(circuit(row), tf.float32), inputs)

    tf_keras.Sequential([tf_keras.Input((1,)), Layer()]).save(folder)


def _resource(hook):
    """A resource whose hook writes a file: when the model is loaded, and when it is let go."""

    def write(folder, sentinel):
        class Resource(tf.saved_model.experimental.TrackableResource):
            def __init__(self):
                super().__init__()
                _ = self.resource_handle

            def _create_resource(self):
                if hook == "create":
                    tf.io.write_file(sentinel, "created")
                return tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=[])

            def _initialize(self):
                if hook == "initialize":
                    tf.io.write_file(sentinel, "initialized")

            def _destroy_resource(self):
                if hook == "destroy":
                    tf.io.write_file(sentinel, "destroyed")

        module = tf.Module()
        module.resource = Resource()
        module.use = _signature(lambda _: module.resource.resource_handle)
        tf.saved_model.save(module, folder, _signature(lambda _: None))

    return write


def _table(folder, sentinel):
    """A table of words in a file: an asset."""
    words = pathlib.Path(sentinel + ".txt")
    words.write_text(_SHARED["words"])
    initializer = tf.lookup.TextFileInitializer(
        str(words), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
    )
    module = tf.Module()
    module.table = tf.lookup.StaticHashTable(initializer, -1)
    serving = _signature(lambda x: module.table.lookup(tf.strings.as_string(x)))
    tf.saved_model.save(module, folder, serving)
    words.unlink()


def _mutable_table(folder, sentinel):
    del sentinel
    module = tf.Module()
    module.table = tf.lookup.experimental.MutableHashTable(tf.int64, tf.float32, 0.0)
    serving = _signature(lambda x: module.table.lookup(tf.cast(x, tf.int64)))
    tf.saved_model.save(module, folder, serving)


def _tensorflow_1(folder, sentinel):
    """The format of TensorFlow 1, whose main operation runs at loading."""
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 4], "x")
        y = tf.identity(x)
        main = tf.io.write_file(sentinel, "written")
        signature = v1.saved_model.signature_def_utils.predict_signature_def({"x": x}, {"y": y})
        builder = v1.saved_model.builder.SavedModelBuilder(folder)
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature}, main_op=main)
        builder.save()


def _no_signatures(folder, sentinel):
    del sentinel
    tf.saved_model.save(tf.Module(), folder)


def _resource_input(folder, sentinel):
    del sentinel
    serving = _signature(lambda _: None, tf.TensorSpec([], tf.variant, "x"))
    tf.saved_model.save(tf.Module(), folder, serving)


def _plain(folder, sentinel):
    """What mutations start from: a variable, a slice, a transposition, a constant, and a function within a function."""
    del sentinel
    module = tf.Module()
    module.weights = tf.Variable(tf.reshape(tf.range(8.0), [4, 2]))
    module.bias = tf.Variable(tf.ones([2]))

    @tf.function
    def inner(x):
        return tf.transpose(x[:, :4]) + tf.constant([[1.0], [2.0], [3.0], [4.0]])

    @tf.function(input_signature=[_SPEC])
    def serving(x):
        return {"y": tf.transpose(inner(x)) @ module.weights + module.bias}

    module.serving = serving
    tf.saved_model.save(module, folder, serving)


MODELS = {
    **{
        name: _of_signature(make)
        for name, make in {
            "write_file": _write_file,
            "read_file": _read_file,
            "matching_files": lambda _: lambda _: tf.io.matching_files("/etc/*"),
            "text_lines": _dataset_lines,
            "immutable_constant": _immutable_constant,
            "decode_proto": _decode_proto,
            "print_to_file": _print_to_file,
            "debug_identity": _debug_identity,
            "save_checkpoint": _save_checkpoint,
            "hidden_graph": _hidden_graph,
            "py_function": _python,
            "numpy_function": _numpy,
            "endless": _endless,
            "refusing": _refusing,
        }.items()
    },
    "parameter_shift": _parameter_shift,
    "create_resource": _resource("create"),
    "initialize_resource": _resource("initialize"),
    "destroy_resource": _resource("destroy"),
    "table": _table,
    "mutable_table": _mutable_table,
    "tensorflow_1": _tensorflow_1,
    "no_signatures": _no_signatures,
    "resource_input": _resource_input,
    "memory": _memory,
    "plain": _plain,
}


def build(folder):
    """Write each model to folder/<name>/1, and let it write its sentinel to folder/sentinels/<name> when it runs.

    Saving runs some of the hooks: what they have written is removed.
    """
    import gc

    sentinels = pathlib.Path(folder) / "sentinels"
    sentinels.mkdir()
    for name, write in MODELS.items():
        write(str(pathlib.Path(folder) / name / "1"), str(sentinels / name))
    gc.collect()
    for path in sentinels.iterdir():
        path.unlink()
    return sorted(MODELS)
