"""What is not exported: told with what to do, and nothing is left of it."""

import sys

import devices
import pennylane as qml
import pytest
from exported_models import Subclassed, classical, quantum

import qlayer
from qlayer import ExportError, KerasLayer, UnsupportedError
from qlayer.keras_compat import IS_KERAS_3, keras


@pytest.mark.parametrize(("sizes", "error"), [([0], "at least one row"), (["x"], "list of integers"), (3, "integers")])
def test_batch_sizes_are_checked(tmp_path, sizes, error):
    """What is no batch size is refused, with what to give."""
    with pytest.raises(ExportError, match=error):
        qlayer.export(classical(), tmp_path / "model", batch_sizes=sizes)


def test_a_path_that_is_there(tmp_path):
    """An existing path is refused and left as it is; a missing parent is made."""
    (tmp_path / "model").mkdir()
    with pytest.raises(ExportError, match="is there already"):
        qlayer.export(classical(), tmp_path / "model")
    assert list((tmp_path / "model").iterdir()) == []
    qlayer.export(classical(), tmp_path / "deep" / "model")
    assert (tmp_path / "deep" / "model" / "saved_model.pb").exists()


def test_a_path_that_cannot_be(tmp_path):
    """A path that cannot be written is refused with the system's reason."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="cannot be written"):
        qlayer.export(classical(), tmp_path / "file" / "model")


def test_nothing_is_left_of_a_failure(tmp_path, monkeypatch):
    """If writing fails half-way, neither the folder nor its staging is left."""

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys.modules["qlayer.export"], "write_warmup", fail)  # qlayer.export is the function
    with pytest.raises(ExportError, match="No space left on device"):
        qlayer.export(classical(), tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_a_model_that_is_not_built(tmp_path):
    """A model without inputs, and a layer without weights, are refused with what to do."""
    for model in (Subclassed(), keras.Sequential([keras.layers.Dense(2)])):
        with pytest.raises(ExportError, match="is not built"):
            qlayer.export(model, tmp_path / "model")
    for model in (quantum(), "model"):
        with pytest.raises(ExportError, match="was built"):
            qlayer.export(model, tmp_path / "model")


def test_a_layer_on_the_host(tmp_path):
    """A layer that PennyLane runs is refused with what to do."""
    host = qml.QNode(devices.circuit, devices.Plugin())
    model = keras.Sequential([keras.Input((2,)), KerasLayer(host, {"weights": (3,)}, output_dim=1)])
    with pytest.raises(UnsupportedError, match="make the layer of the QNode on"):
        qlayer.export(model, tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_a_model_with_a_state(tmp_path):
    """A model that changes its variables while it predicts is refused."""
    options = {"batch_shape": (2, 4, 2)} if IS_KERAS_3 else {"batch_input_shape": (2, 4, 2)}
    inputs = [keras.Input(batch_shape=options["batch_shape"])] if IS_KERAS_3 else []
    layer = keras.layers.LSTM(3, stateful=True, **({} if IS_KERAS_3 else options))
    with pytest.raises(ExportError, match="changes its variables"):
        qlayer.export(keras.Sequential([*inputs, layer]), tmp_path / "model")


def test_a_lookup_table(tmp_path):
    """A model with a table of words is refused."""
    lookup = keras.layers.StringLookup(vocabulary=["a", "b"])
    model = keras.Sequential([keras.Input((1,), dtype="string"), lookup])
    with pytest.raises(ExportError, match="lookup table"):
        qlayer.export(model, tmp_path / "model")


@qml.qnode(qml.device("default.qubit", wires=1))
def refusing(inputs):
    """NaN for rows of ones, and for rows of zeros."""
    qml.RX(1 / ((inputs[0] - 1) * inputs[0]), wires=0)
    return qml.expval(qml.Z(0))


def test_rows_to_warm_up_with(tmp_path):
    """A model that refuses ones and zeros asks for a sample, and takes it."""
    model = keras.Sequential([keras.Input((1,), name="features"), KerasLayer(refusing, {}, output_dim=None)])
    with pytest.raises(ExportError, match="Give rows that fit the model as sample="):
        qlayer.export(model, tmp_path / "model")
    with pytest.raises(ExportError, match="Give a dict with rows for each"):
        qlayer.export(model, tmp_path / "model", sample={"x": [[0.5]]})
    qlayer.export(model, tmp_path / "model", sample={"features": [[0.5]]})
    assert (tmp_path / "model" / "assets.extra" / "tf_serving_warmup_requests").stat().st_size
