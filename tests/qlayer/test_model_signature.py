"""ModelSignature: the names of what a model takes and returns, on the active Keras."""

import numpy as np
import pytest
import tensorflow as tf

from qlayer import ExportError
from qlayer.exporting.model_signature import model_signature
from qlayer.keras_compat import IS_KERAS_3, keras

ROWS = np.arange(6, dtype=np.float32).reshape(3, 2)


class Pair(keras.Model):
    """A model of two inputs and two outputs without names."""

    def call(self, inputs, training=False):
        """Sum and difference."""
        first, second = inputs
        return [first + second, first - second]


class Keyed(keras.Model):
    """A model of dicts, which depends on whether it trains."""

    def call(self, inputs, training=False):
        """Their product."""
        return {"product": inputs["b"] * inputs["a"] + (100 if training else 0)}


def names(model, *rows):
    """The names of inputs and outputs, and the numbers."""
    signature = model_signature(model)
    outputs = signature.predict([tf.constant(row) for row in rows])
    return [spec.name for spec in signature.inputs], {name: value.numpy() for name, value in outputs.items()}


def test_functional():
    """Names of Input layers and of output layers; an output that is there twice is told apart."""
    inputs = keras.Input((2,), name="features")
    layer = keras.layers.Dense(1, name="one")
    model = keras.Model(inputs, [layer(inputs), keras.layers.Dense(2, name="two")(inputs), layer(2 * inputs)])
    found, outputs = names(model, ROWS)
    assert found == ["features"]
    assert list(outputs) == ["one", "two", "one_1"]
    np.testing.assert_allclose(outputs["one_1"], model(ROWS)[2])


def test_dicts():
    """The keys of dicts, and inference mode."""
    model = Keyed()
    model({"b": ROWS, "a": ROWS + 1})
    found, outputs = names(model, ROWS + 1, ROWS)
    assert found == ["a", "b"]
    np.testing.assert_array_equal(outputs["product"], ROWS * (ROWS + 1))


def test_no_names():
    """Numbers where nothing has a name."""
    model = Pair()
    model([ROWS, ROWS])
    found, outputs = names(model, ROWS, 2 * ROWS)
    assert found == ["input_1", "input_2"]
    np.testing.assert_array_equal(outputs["output_1"], 3 * ROWS)
    np.testing.assert_array_equal(outputs["output_2"], -ROWS)


def test_batches_are_free():
    """Whatever a model was called on, the batch is free and the other axes are known."""
    model = Keyed()
    model({"b": ROWS, "a": ROWS})
    assert [tuple(spec.shape) for spec in model_signature(model).inputs] == [(None, 2), (None, 2)]


def test_not_built():
    """A model that was never called is refused with what to do."""
    with pytest.raises(ExportError, match=r"is not built.*Call it on inputs"):
        model_signature(Pair())


def test_sparse():
    """Sparse inputs are refused with what to do; Keras 3 takes dense ones in their place."""
    inputs = keras.Input((2,), sparse=True, name="words")
    if IS_KERAS_3:
        found, outputs = names(keras.Model(inputs, keras.layers.Dense(1, name="result")(inputs)), ROWS)
        assert (found, outputs["result"].shape) == (["words"], (3, 1))
        return
    with pytest.raises(ExportError, match=r"the input .* takes dense tensors of known rank"):
        model_signature(keras.Model(inputs, keras.layers.Dense(1)(inputs)))
