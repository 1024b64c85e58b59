"""SavedModels for the service's tests, built in one process that has TensorFlow and kept as files."""


def build(folder, names):
    """Build models by name into folder/<name>/1; runs in a child process, so it brings its imports."""
    import pathlib

    import numpy as np
    import tensorflow as tf

    folder = pathlib.Path(folder)

    def function(**specs):
        return tf.function(
            input_signature=[tf.TensorSpec(shape, dtype, name) for name, (shape, dtype) in specs.items()]
        )

    class Affine(tf.Module):
        """One row is weighted and summed: y = x @ w + b, over variables."""

        def __init__(self, scale):
            super().__init__()
            self.weights = tf.Variable(tf.reshape(tf.range(8, dtype=tf.float32), [4, 2]) * scale)
            self.bias = tf.Variable([0.5, -0.5])

        @function(x=([None, 4], tf.float32))
        def serving(self, x):
            return {"y": x @ self.weights + self.bias}

        @function(x=([None, 4], tf.float32))
        def doubled(self, x):
            return {"y": 2.0 * x}

        @function(x=([None, 4], tf.float32))
        def total(self, x):
            return {"total": tf.reduce_sum(x)}

    class Zoo(tf.Module):
        """A signature for each kind of input and output."""

        @function(a=([None, 2], tf.float32), b=([None], tf.int32))
        def pair(self, a, b):
            return {"sum": tf.reduce_sum(a, 1) + tf.cast(b, tf.float32), "count": b + 1}

        @function(words=([None], tf.string))
        def strings(self, words):
            upper = tf.strings.upper(words)
            return {"upper": upper, "raw_bytes": upper, "is_long": tf.strings.length(words) > 3}

        @function(n=([None], tf.int64))
        def integers(self, n):
            return {"next": n + 1}

        @function(x=([None, 2], tf.float32))
        def doubled2(self, x):
            return {"y": 2.0 * x}

        @function(flag=([None], tf.bool))
        def booleans(self, flag):
            return {"not": tf.logical_not(flag)}

        @function(x=([None], tf.float32))
        def divided(self, x):
            return {"y": 1.0 / x}

        @function(z=([None], tf.complex64))
        def complex_numbers(self, z):
            return {"conjugate": tf.math.conj(z)}

        @function(x=([None], tf.float32))
        def positive(self, x):
            with tf.control_dependencies([tf.debugging.assert_non_negative(x, "x must not be negative")]):
                return {"root": tf.sqrt(x)}

    class Identity(tf.Module):
        """Gives back what comes in: a signature for each dtype, of any rank, and one with rows of free width."""

        def __init__(self):
            super().__init__()
            dtypes = (tf.float16, tf.float32, tf.float64, tf.int8, tf.int16, tf.int32, tf.int64, tf.uint8, tf.uint16)
            dtypes += (tf.uint32, tf.uint64, tf.bool, tf.string, tf.complex64, tf.complex128)
            self.functions = {dtype.name: function(x=(None, dtype))(self.same) for dtype in dtypes}
            self.functions["rows"] = function(x=([None, None], tf.float32))(self.same)
            self.functions["serving_default"] = function(x=([None, 2], tf.float32))(self.same)

        @staticmethod
        def same(x):
            return {"y": tf.identity(x)}

    class Drawn(tf.Module):
        """Takes seed and shots as models with finite shots do, and adds them to its input."""

        @function(x=([None], tf.float32))
        def serving(self, x):
            return {"y": x}

        @function(x=([None], tf.float32), seed=([], tf.int64), shots=([], tf.int32))
        def sampled(self, x, seed, shots):
            return {"y": x + tf.cast(seed, tf.float32) + tf.cast(shots, tf.float32)}

    class Slow(tf.Module):
        """Computes as many seconds as its input says, roughly; or fills as many MiB, which TensorFlow keeps."""

        @function(mb=([None], tf.int32))
        def filling(self, mb):
            filled = tf.ones([tf.reduce_max(mb), 2**18]) * tf.cast(mb[0], tf.float32)
            return {"y": mb + tf.cast(tf.minimum(0.0, tf.reduce_max(filled)), tf.int32)}

        @function(rounds=([None], tf.float32))
        def serving(self, rounds):
            def body(index, matrix):
                return index + 1, tf.linalg.matmul(matrix, matrix) / 512.0

            steps = tf.cast(tf.reduce_max(rounds), tf.int32)
            _, matrix = tf.while_loop(lambda index, _: index < steps, body, [0, tf.ones([512, 512])])
            return {"y": rounds + 0.0 * matrix[0, 0]}

    def save(name, module, signatures):
        tf.saved_model.save(module, str(folder / name / "1"), signatures=signatures)

    def affine(name, scale=1.0):
        module = Affine(scale)
        save(name, module, {"serving_default": module.serving, "doubled": module.doubled, "total": module.total})

    def zoo(name):
        module = Zoo()
        names = ("pair", "strings", "integers", "booleans", "doubled2", "divided", "complex_numbers", "positive")
        save(name, module, {key: getattr(module, key) for key in names})

    def identity(name):
        module = Identity()
        save(name, module, module.functions)

    def drawn(name):
        module = Drawn()
        save(name, module, {"serving_default": module.serving, "sampled": module.sampled})

    def slow(name):
        module = Slow()
        save(name, module, {"serving_default": module.serving, "filling": module.filling})

    def mlp(name):
        import tf_keras

        tf_keras.utils.set_random_seed(1)
        model = tf_keras.Sequential(
            [tf_keras.layers.Dense(8, "tanh", input_shape=(4,)), tf_keras.layers.Dense(3, "softmax")]
        )
        model.save(folder / name / "1")
        inputs = np.random.default_rng(1).normal(size=(1000, 4)).astype("float32")
        np.savez(folder / f"{name}.npz", inputs=inputs, outputs=model.predict(inputs, verbose=0))

    def crashing(name):
        """Aborts the process that loads it: the Const behind a StridedSlice has the dtype of another type."""
        from tensorflow.core.protobuf import saved_model_pb2

        class Sliced(tf.Module):
            @function(x=([None, 4], tf.float32))
            def serving(self, x):
                return {"y": x[:, :2]}

        module = Sliced()
        save(name, module, module.serving)
        path = folder / name / "1" / "saved_model.pb"
        saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
        for definition in saved.meta_graphs[0].graph_def.library.function:
            starts = {node.input[1].split(":")[0] for node in definition.node_def if node.op == "StridedSlice"}
            for node in definition.node_def:
                if node.name in starts:
                    node.attr["value"].tensor.dtype = 1
        path.write_bytes(saved.SerializeToString())

    builders = {
        "affine": affine,
        "other": lambda name: affine(name, 3.0),
        "zoo": zoo,
        "identity": identity,
        "drawn": drawn,
        "slow": slow,
        "mlp": mlp,
        "crashing": crashing,
    }
    for name in names:
        builders[name](name)
    return sorted(builders)
