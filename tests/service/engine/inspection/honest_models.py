"""Models that must be accepted, each as people save it; run in a process of its own, so it brings its imports."""

import pathlib

import numpy as np

ROWS = np.random.default_rng(0).uniform(-1, 1, (3, 4)).astype(np.float32)
SERIES = np.random.default_rng(1).uniform(-1, 1, (3, 6, 4)).astype(np.float32)
IMAGES = np.random.default_rng(2).uniform(0, 1, (3, 8, 8, 1)).astype(np.float32)


def _dense(keras, *layers):
    return keras.Sequential([keras.Input((4,), name="x"), *layers, keras.layers.Dense(2, name="y")])


def _circuit(layers=1, **options):
    """A layer of two qubits, or of a host of them."""
    import pennylane as qml

    import qlayer

    @qml.qnode(qml.device("default.qubit", wires=2), **options)
    def circuit(inputs, weights):
        qml.AngleEmbedding(np.pi * np.tanh(inputs), wires=range(2))
        qml.StronglyEntanglingLayers(weights, wires=range(2))
        return qml.expval(qml.Z(0)), qml.expval(qml.Z(1))

    if shots := options.pop("shots", None):
        circuit = qml.set_shots(circuit, shots)
    return qlayer.KerasLayer(circuit, {"weights": (layers, 2, 3)}, output_dim=2)


def _hybrid(keras):
    return keras.Sequential(
        [keras.Input((4,), name="x"), keras.layers.Dense(2), _circuit(), keras.layers.Dense(2, name="y")]
    )


def _upstream(keras):
    """What PennyLane's own KerasLayer was: the QNode traced by TensorFlow, one row at a time."""
    import pennylane as qml
    import tensorflow as tf

    @qml.qnode(qml.device("default.qubit", wires=2), interface="tf", diff_method="backprop")
    def circuit(inputs, weights):
        qml.AngleEmbedding(inputs, wires=range(2))
        qml.StronglyEntanglingLayers(weights, wires=range(2))
        return qml.expval(qml.Z(0)), qml.expval(qml.Z(1))

    class Upstream(keras.layers.Layer):
        def build(self, input_shape):
            self.weight = self.add_weight(name="weights", shape=(1, 2, 3))
            super().build(input_shape)

        def call(self, inputs):
            weight = tf.convert_to_tensor(self.weight)
            return tf.map_fn(
                lambda row: tf.cast(tf.stack(circuit(row, weight)), tf.float32), inputs, fn_output_signature=tf.float32
            )

    return keras.Sequential([keras.Input((4,), name="x"), keras.layers.Dense(2), Upstream(), keras.layers.Dense(2)])


def _recurrent(keras):
    layers = keras.layers
    return keras.Sequential(
        [keras.Input((6, 4), name="x"), layers.LSTM(3, return_sequences=True), layers.GRU(3), layers.Dense(2)]
    )


def _convolutional(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 1), name="x"),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.DepthwiseConv2D(2),
            layers.MaxPooling2D(2),
            layers.Dropout(0.5),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, activation="softmax"),
        ]
    )


def _attention(keras):
    layers = keras.layers
    inputs = keras.Input((6, 4), name="x")
    hidden = layers.MultiHeadAttention(2, 4)(inputs, inputs)
    hidden = layers.LayerNormalization(epsilon=1e-6)(layers.Add()([hidden, inputs]))
    hidden = layers.Bidirectional(layers.LSTM(2))(hidden)
    return keras.Model(inputs, layers.Dense(2, activation="gelu")(hidden))


def _trained(keras):
    model = _dense(keras, keras.layers.Dense(3, "relu"), keras.layers.BatchNormalization())
    model.compile("adam", keras.losses.MeanSquaredError(), metrics=[keras.metrics.MeanAbsoluteError()])
    model.fit(ROWS, ROWS[:, :2], verbose=0)
    return model


def _lambda(keras, sentinel):
    """A Lambda layer whose Python leaves a file behind whenever it runs: at saving too, where it is removed again."""

    def body(x):
        __import__("pathlib").Path(sentinel).touch()
        return 2.0 * x

    return _dense(keras, keras.layers.Lambda(body))


def _module(folder):
    import tensorflow as tf

    class Module(tf.Module):
        def __init__(self):
            super().__init__()
            self.weights = tf.Variable(tf.ones([4, 2]))
            self.parts = [tf.Variable(1.0), {"b": tf.Variable(2.0)}]

        @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, "x")])
        def __call__(self, x):
            tf.debugging.assert_all_finite(x, "x must be finite")
            return {"y": x @ self.weights * self.parts[0] + self.parts[1]["b"]}

        @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, "x")], jit_compile=True)
        def compiled(self, x):
            return {"y": tf.nn.softmax(x @ self.weights)}

    module = Module()
    tf.saved_model.save(module, folder, {"serving_default": module.__call__, "compiled": module.compiled})
    return lambda rows: module(rows)["y"]


def _volumes(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 1), name="x"),
            layers.UpSampling2D(2, interpolation="bilinear"),
            layers.Reshape((4, 8, 8, 1)),
            layers.Conv3D(2, 2),
            layers.MaxPooling3D((1, 2, 2)),
            layers.Conv3DTranspose(2, 2),
            layers.AveragePooling3D(2),
            layers.GlobalMaxPooling3D(),
            layers.Dense(2),
        ]
    )


def _calculating(folder):
    """Spectra, draws, logarithms of determinants, and gradients: what physicists put into a signature."""
    import tensorflow as tf

    weights = tf.Variable(tf.ones([4, 2]))

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, "x")])
    def calculate(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(tf.nn.elu(x @ weights) ** 2)
        image = tf.reshape(x, [-1, 2, 2])
        return {
            "gradient": tape.gradient(loss, x),
            "spectrum": tf.math.real(tf.signal.rfft2d(image))[:, 0],
            "volume": tf.linalg.logdet(tf.matmul(image, image, transpose_b=True) + 3.0 * tf.eye(2))[:, tf.newaxis],
            "counts": tf.cast(tf.random.stateless_categorical(x, 5, [1, 2]), tf.float32),
            "drawn": tf.cast(tf.random.categorical(x, 5), tf.float32),
        }

    module = tf.Module()
    module.weights = weights
    tf.saved_model.save(module, folder, {"serving_default": calculate})


def _parsed(folder):
    """A signature that takes serialized tf.train.Examples, as TensorFlow Serving's :classify wants it."""
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])
    def classify(examples):
        features = tf.io.parse_example(examples, {"x": tf.io.FixedLenFeature([4], tf.float32, [0.0] * 4)})
        return {"scores": features["x"]}

    tf.saved_model.save(tf.Module(), folder, {"serving_default": classify})


def _saved(make, rows, **options):
    """Build a Keras model, and write it with `save`."""

    def write(keras, folder):
        model = make(keras)
        model.save(folder, **options)
        return rows, model.predict(rows, verbose=0)

    return write


def _exported(make, rows):
    def write(keras, folder):
        model = make(keras)
        model.export(folder, **({} if keras.__name__ == "tf_keras" else {"verbose": False}))
        return rows, model.predict(rows, verbose=0)

    return write


def _qlayer_export(make, rows, **options):
    def write(keras, folder):
        import qlayer

        model = make(keras)
        qlayer.export(model, folder, **options)
        return rows, model.predict(rows, verbose=0)

    return write


def _drawn(keras):
    return keras.Sequential([keras.Input((4,), name="x"), keras.layers.Dense(2), _circuit(shots=50)])


def _write_lambda(keras, folder):
    sentinel = pathlib.Path(folder).parent / "lambda-ran"
    model = _lambda(keras, str(sentinel))
    model.save(folder)
    outputs = model.predict(ROWS, verbose=0)
    sentinel.unlink()
    return ROWS, outputs


def _write_module(keras, folder):
    del keras
    function = _module(folder)
    return ROWS, function(ROWS).numpy()


def _write_parsed(keras, folder):
    del keras
    _parsed(folder)


def _write_calculating(keras, folder):
    del keras
    _calculating(folder)


def _write_drawn(keras, folder):
    import qlayer

    qlayer.export(_drawn(keras), folder)


KERAS_2 = {
    "k2_saved": _saved(_trained, ROWS),
    "k2_exported": _exported(_trained, ROWS),
    "k2_recurrent": _saved(_recurrent, SERIES),
    "k2_convolutional": _saved(_convolutional, IMAGES),
    "k2_attention": _saved(_attention, SERIES),
    "k2_lambda": _write_lambda,
    "qlayer_saved": _saved(_hybrid, ROWS),
    "qlayer_exported": _qlayer_export(_hybrid, ROWS),
    "qlayer_buckets": _qlayer_export(_hybrid, ROWS, batch_sizes=[1, 8]),
    "qlayer_recurrent": _qlayer_export(_recurrent, SERIES, batch_sizes=[4]),
    "qlayer_sampled": _write_drawn,
    "upstream": _saved(_upstream, ROWS),
    "module": _write_module,
    "parsed": _write_parsed,
    "k2_volumes": _saved(_volumes, IMAGES),
    "calculating": _write_calculating,
}
KERAS_3 = {
    "k3_exported": _exported(_trained, ROWS),
    "k3_recurrent": _exported(_recurrent, SERIES),
    "k3_convolutional": _exported(_convolutional, IMAGES),
    "k3_volumes": _exported(_volumes, IMAGES),
    "k3_attention": _exported(_attention, SERIES),
}


def build(folder):
    """Write each model to folder/<name>/1, and its numbers to folder/<name>.npz where it has some."""
    import keras
    import tf_keras

    for library, models in ((tf_keras, KERAS_2), (keras, KERAS_3)):
        library.utils.set_random_seed(1)
        for name, write in models.items():
            (pathlib.Path(folder) / name).mkdir(parents=True)
            numbers = write(library, str(pathlib.Path(folder) / name / "1"))
            if numbers:
                np.savez(pathlib.Path(folder) / f"{name}.npz", inputs=numbers[0], outputs=numbers[1])
