"""Warm-up requests: TensorFlow Serving's own protocol reads what is written."""

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from qlayer.exporting.warmup import FILE, prediction_log, write_warmup


def test_requests_in_a_file(tmp_path):
    """Every record of the file is a PredictionLog with the signature and the inputs of its request."""
    requests = [
        ("serving_default", {"features": np.ones((1, 2), np.float32), "ids": np.array([[7]], np.int64)}),
        ("batch_32", {"features": np.arange(2000, dtype=np.float64).reshape(1000, 2)}),
    ]
    write_warmup(tmp_path, requests)
    records = [record.numpy() for record in tf.data.TFRecordDataset(str(tmp_path / FILE))]
    assert len(records) == 2
    for record, (signature, inputs) in zip(records, requests, strict=True):
        log = prediction_log_pb2.PredictionLog.FromString(record)
        assert log.WhichOneof("log_type") == "predict_log"
        assert log.predict_log.request.model_spec.signature_name == signature
        found = {name: tf.make_ndarray(tensor) for name, tensor in log.predict_log.request.inputs.items()}
        assert found.keys() == inputs.keys()
        for name, expected in inputs.items():
            np.testing.assert_array_equal(found[name], expected)
            assert found[name].dtype == expected.dtype


def test_bytes_are_protobufs():
    """The bytes are those that protobuf itself writes."""
    inputs = {"x": np.full((300,), 0.5, np.float32)}
    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.model_spec.signature_name = "sampled"
    log.predict_log.request.inputs["x"].CopyFrom(tf.make_tensor_proto(inputs["x"]))
    assert prediction_log("sampled", inputs) == log.SerializeToString(deterministic=True)
