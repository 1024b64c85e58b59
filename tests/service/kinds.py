"""SavedModels for the rules of TensorFlow Serving's protocol: what JSON finds hard, and methods for tf.Examples."""


def build(folder, names):
    """Build models by name into folder/<name>/1; runs in a child process, so it brings its imports."""
    import pathlib

    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    folder = pathlib.Path(folder)

    def function(**specs):
        return tf.function(
            input_signature=[tf.TensorSpec(shape, dtype, name) for name, (shape, dtype) in specs.items()]
        )

    class Kinds(tf.Module):
        """What JSON finds hard: halves, doubles, small integers, complex and odd shapes, inputs with defaults."""

        @function(x=([None], tf.float32))
        def halves(self, x):
            return {"y": tf.cast(x, tf.float16)}

        @function(x=([None], tf.float16))
        def of_halves(self, x):
            return {"y": x}

        @function(x=([None], tf.complex128))
        def of_complex(self, x):
            return {"y": x}

        @function(x=(None, tf.float32))
        def halved(self, x):
            return {"all": x, "half": x[: tf.shape(x)[0] // 2]}

        @function(x=([None], tf.float64))
        def doubles(self, x):
            return {"y": x}

        @function(n=([None], tf.uint8))
        def bytes(self, n):
            return {"y": n}

        @function(n=([None], tf.uint64))
        def large(self, n):
            return {"y": n}

        @function(x=([None], tf.float32))
        def amplitudes(self, x):
            return {"y": tf.complex(x, -x)}

        @function(x=([None, None], tf.float32))
        def sums(self, x):
            return {"y": tf.reduce_sum(x, 1)}

        @function(x=(None, tf.float32))
        def any_rank(self, x):
            return {"y": tf.reduce_sum(x), "same": x}

        @function(a=([None], tf.float32), b=([], tf.float32))
        def uneven(self, a, b):
            return {"first": a * b, "second": tf.reshape(b, [1])}

        @tf.function(input_signature=[tf.TensorSpec([None, 2], name="x"), tf.TensorSpec([], name="scale")])
        def scaled(self, x, scale=tf.constant(10.0)):  # noqa: B008 -- a tensor as default is what TensorFlow stores
            return {"y": x * scale}

        @function(a=([None], tf.float32), z=([None], tf.string), m=([None], tf.int32))
        def several(self, a, z, m):
            return {"words": tf.strings.join([z, z]), "m": m * m, "a": a}

    class Scoring(tf.Module):
        """Classes, scores and numbers for tf.Examples."""

        @staticmethod
        def parsed(inputs):
            features = {
                "theta": tf.io.FixedLenFeature([], tf.float32),
                "phi": tf.io.FixedLenFeature([2], tf.float32, [0.0, 0.0]),
                "device": tf.io.FixedLenFeature([], tf.string, "none"),
                "n": tf.io.FixedLenFeature([], tf.int64, 0),
            }
            return tf.io.parse_example(inputs, features)

        @function(inputs=([None], tf.string))
        def classify(self, inputs):
            found = self.parsed(inputs)
            classes = tf.stack([found["device"], tf.fill(tf.shape(found["theta"]), "other")], 1)
            return {"classes": classes, "scores": tf.stack([found["theta"], 1.0 - found["theta"]], 1)}

        @function(inputs=([None], tf.string))
        def scores(self, inputs):
            return {"scores": self.classify(inputs)["scores"]}

        @function(inputs=([None], tf.string))
        def classes(self, inputs):
            return {"classes": self.classify(inputs)["classes"]}

        @function(inputs=([None], tf.string))
        def regress(self, inputs):
            found = self.parsed(inputs)
            return {"outputs": found["theta"] + tf.reduce_sum(found["phi"], 1) + tf.cast(found["n"], tf.float32)}

        @function(inputs=([None], tf.string))
        def column(self, inputs):
            return {"outputs": self.regress(inputs)["outputs"][:, tf.newaxis]}

        @function(x=([None], tf.float32))
        def plain(self, x):
            return {"y": x}

    def kinds(name):
        module = Kinds()
        names = ("halves", "of_halves", "doubles", "bytes", "large", "amplitudes", "sums", "any_rank", "uneven")
        tf.saved_model.save(
            module,
            str(folder / name / "1"),
            signatures={key: getattr(module, key) for key in (*names, "scaled", "several", "of_complex", "halved")},
        )

    def scoring(name):
        module = Scoring()
        methods = {"classify": "classify", "scores": "classify", "classes": "classify"}
        methods |= {"regress": "regress", "column": "regress", "serving_default": "predict"}
        functions = {key: getattr(module, "plain" if key == "serving_default" else key) for key in methods}
        tf.saved_model.save(module, str(folder / name / "1"), signatures=functions)
        path = folder / name / "1" / "saved_model.pb"
        saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
        for key, method in methods.items():
            saved.meta_graphs[0].signature_def[key].method_name = f"tensorflow/serving/{method}"
        path.write_bytes(saved.SerializeToString())

    builders = {"kinds": kinds, "scoring": scoring}
    for name in names:
        builders[name](name)
    return sorted(builders)
