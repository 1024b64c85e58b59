"""Both ways into a signature give what TensorFlow gives, for signatures of every kind."""

import processes
import pytest


def compared(folder, name, threads):
    """Call each signature of a model by hand and by `call_of`; returns what was compared. Runs in a child process."""
    import numpy as np
    import tensorflow as tf

    from service.engine import calls

    samples = {tf.string: [b"word", b"\xff"], tf.bool: [True, False], tf.complex64: [1 + 2j, 3 - 1j]}
    compared = {}
    loaded = tf.saved_model.load(f"{folder}/{name}/1")  # it holds the variables of its signatures
    for signature, function in loaded.signatures.items():
        inputs = {}
        for key, spec in function.structured_input_signature[1].items():
            rows = np.array(samples.get(spec.dtype, [1, 2]), object if spec.dtype == tf.string else None)
            shape = [2, *[size or 1 for size in spec.shape[1:]]]
            inputs[key] = np.broadcast_to(rows.reshape(2, *[1] * (len(shape) - 1)), shape).astype(
                object if spec.dtype == tf.string else spec.dtype.as_numpy_dtype
            )
        expected = {
            key: value.numpy() for key, value in function(**{k: tf.constant(v) for k, v in inputs.items()}).items()
        }
        outputs = calls.call_of(function, threads, has_rows=False)(inputs)
        assert outputs.keys() == expected.keys()
        for key, value in expected.items():
            np.testing.assert_array_equal(outputs[key], value)
            assert np.asarray(outputs[key]).dtype == value.dtype
        compared[signature] = bool(function.captured_inputs)
    return compared


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", ["affine", "zoo", "mlp"])
def test_as_tensorflow_calls_it(savedmodels, name, threads):
    """Numbers, strings, booleans and complex numbers, one or more inputs and outputs, with and without variables."""
    has_variables = processes.run_blocked(compared, str(savedmodels), name, threads)
    assert set(has_variables.values()) == {"affine": {True, False}, "zoo": {False}, "mlp": {True}}[name]


def refusal(folder):
    """The class and text of what a session raises for values that the graph refuses. Runs in a child process."""
    import numpy as np
    import tensorflow as tf

    from service.engine import calls

    call = calls.call_of(tf.saved_model.load(f"{folder}/zoo/1").signatures["positive"], 1, has_rows=True)
    try:
        call({"x": np.array([-1.0], np.float32)})
    except tf.errors.InvalidArgumentError as exc:
        return exc.message
    return None


def test_refusals_are_tensorflows(savedmodels):
    """A graph that refuses values raises TensorFlow's own error, with the graph's text."""
    assert "x must not be negative" in processes.run_blocked(refusal, str(savedmodels))
