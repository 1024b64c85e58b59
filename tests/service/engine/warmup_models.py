"""Models with warm-up requests, written as TensorFlow Serving writes them; run in a process of its own."""

import pathlib

FILE = "assets.extra/tf_serving_warmup_requests"


def build(folder):
    """Write models that refuse every sum of a row but 40 to folder/<name>/1, each with other warm-up requests."""
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    class Picky(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, "x")])
        def serving(self, x):
            tf.debugging.assert_equal(tf.reduce_sum(x, 1), 40.0, "40 is wanted")
            return {"y": x}

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])
        def classify(self, examples):
            features = tf.io.parse_example(examples, {"x": tf.io.FixedLenFeature([4], tf.float32)})
            return {"scores": self.serving(features["x"])["y"]}

    example = tf.train.Example()
    example.features.feature["x"].float_list.value.extend([10.0] * 4)

    def predict(value=10.0, name="", key="x"):
        log = prediction_log_pb2.PredictionLog()
        log.predict_log.request.model_spec.signature_name = name
        log.predict_log.request.inputs[key].CopyFrom(tf.make_tensor_proto([[value] * 4]))
        return log.SerializeToString()

    def examples(kind):
        log = prediction_log_pb2.PredictionLog()
        request = getattr(log, kind).request
        request.model_spec.signature_name = "classify"
        request.input.example_list.examples.append(example)
        return log.SerializeToString()

    def by_grpc_alone(kind):
        log = prediction_log_pb2.PredictionLog()
        getattr(log, kind).SetInParent()
        return log.SerializeToString()

    good = [predict(), predict(name="serving_default"), examples("classify_log"), examples("regress_log")]
    files = {
        "good": good,
        "many": [predict(), examples("classify_log")] * 501,
        "wrong_value": [*good, predict(1.0)],
        "wrong_signature": [*good, predict(name="nobody")],
        "wrong_input": [predict(key="z"), *good],
        "grpc": [*map(by_grpc_alone, ("session_run_log", "multi_inference_log", "predict_streamed_log")), *good],
        "no_kind": [*good, b""],
        "no_record": [*good, b"\xff\xff"],
        "partly": [predict()],
        "damaged": None,
        "none": [],
    }
    for name, records in files.items():
        path = pathlib.Path(folder) / name / "1"
        module = Picky()
        tf.saved_model.save(module, str(path), {"serving_default": module.serving, "classify": module.classify})
        (path / FILE).parent.mkdir()
        if records is None:
            (path / FILE).write_bytes(b"this is no file of records")
            continue
        with tf.io.TFRecordWriter(str(path / FILE)) as writer:
            for record in records:
                writer.write(record)
