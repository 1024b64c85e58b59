"""Whole models in `.keras` and `.h5`, on the active Keras: Keras 2 here, and Keras 3 by test_keras_3."""

import logging
from pathlib import Path

import numpy as np
import pennylane as qml
import processes
import pytest
import tensorflow as tf

from qlayer import FormatError, KerasLayer, UnsupportedError, restore_optimizer
from qlayer.keras_compat import IS_KERAS_3, keras
from qlayer.program import Program

OLD_FILES = Path(__file__).parent.parent / "data" / ("keras_3" if IS_KERAS_3 else "keras_2")
INPUTS = np.random.default_rng(0).uniform(-1, 1, (12, 2)).astype(np.float32)
TARGETS = INPUTS[:, :1] * INPUTS[:, 1:]
SPECS = {"weights": {"initializer": "random_normal", "constraint": keras.constraints.MaxNorm(1.0), "regularizer": "l2"}}

# Keras 2 warns of .h5 by a warning, Keras 3 by its log
pytestmark = pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")


@qml.qnode(qml.device("default.qubit", wires=2))
def circuit(inputs, weights):
    """Calculated angles, so that the file holds a graph for them too."""
    qml.AngleEmbedding(np.pi * np.tanh(inputs), wires=range(2))
    qml.StronglyEntanglingLayers(weights, wires=range(2))
    return qml.expval(qml.Z(0)), qml.expval(qml.Z(1))


def quantum(**options):
    """The circuit as a layer."""
    return KerasLayer(circuit, {"weights": (1, 2, 3)}, output_dim=2, weight_specs=SPECS, **options)


def new_model():
    """A hybrid model with fixed random numbers, compiled with Adam."""
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2), quantum(), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.1), keras.losses.MeanSquaredError())
    return model


def train(model, epochs=3):
    """Some epochs, always the same."""
    model.fit(INPUTS, TARGETS, epochs=epochs, shuffle=False, verbose=0)
    return model


def load(path):
    """A model that trains on; the optimizer's state in .h5 needs help in Keras 3."""
    model = keras.models.load_model(path)
    if IS_KERAS_3 and path.endswith(".h5"):
        restore_optimizer(model, path)
    return model


@pytest.fixture(params=[".keras", ".h5"])
def saved(request, tmp_path):
    """A model of three epochs, and its file; a model for each file, because saving .h5 in Keras 3 spoils the model."""
    model = train(new_model())
    path = str(tmp_path / f"model{request.param}")
    model.save(path)
    return model, path


@pytest.fixture(scope="module")
def six_epochs():
    """The weights after six epochs in one go."""
    return train(new_model(), 6).get_weights()


def test_training_goes_on(saved, six_epochs):
    """3 epochs, save, load, 3 more epochs: the numbers of 6 epochs in one go, with the optimizer's state."""
    model, path = saved
    loaded = load(path)
    np.testing.assert_array_equal(loaded.predict(INPUTS, verbose=0), model.predict(INPUTS, verbose=0))
    assert isinstance(loaded.layers[1], KerasLayer)
    assert loaded.layers[1].qnode is None
    assert loaded.layers[1].circuit == model.layers[1].circuit
    for found, weight in zip(train(loaded).get_weights(), six_epochs, strict=True):
        np.testing.assert_allclose(found, weight, atol=1e-6)


def test_loads_without_pennylane(saved, six_epochs):
    """Where PennyLane cannot be imported, qlayer loads the files, trains on, and saves again."""

    def resume(path, inputs, targets, needs_help):
        import numpy as np

        import qlayer.keras_compat

        keras = qlayer.keras_compat.keras
        model = keras.models.load_model(path)
        if needs_help:
            qlayer.restore_optimizer(model, path)
        before = model.predict(inputs, verbose=0)
        model.fit(inputs, targets, epochs=3, shuffle=False, verbose=0)
        model.save(path)
        np.testing.assert_allclose(keras.models.load_model(path, compile=False)(inputs), model(inputs), atol=1e-6)
        return before, model.get_weights(), model.layers[1].draw()

    model, path = saved
    needs_help = IS_KERAS_3 and path.endswith(".h5")
    before, weights, drawing = processes.run_blocked(resume, path, INPUTS, TARGETS, needs_help, blocked=("pennylane",))
    np.testing.assert_allclose(before, model.predict(INPUTS, verbose=0), atol=1e-6)
    assert drawing == model.layers[1].draw()
    for found, weight in zip(weights, six_epochs, strict=True):
        np.testing.assert_allclose(found, weight, atol=1e-5)


def test_restore_optimizer_wants_its_file(tmp_path):
    """A file without the optimizer's state is refused with both numbers of variables."""
    model = new_model()
    model.save(str(tmp_path / "model.h5"), include_optimizer=False)
    with pytest.raises(FormatError, match="holds 0 variables of an optimizer, and the model's has"):
        restore_optimizer(model, tmp_path / "model.h5")


def test_restore_optimizer_wants_an_optimizer(tmp_path):
    """A model that is not compiled has no optimizer, and the error says how to get one."""
    path = tmp_path / "model.h5"
    train(new_model(), 1).save(str(path))
    model = keras.models.load_model(str(path), compile=False)
    with pytest.raises(
        FormatError, match=r"the model has no optimizer .*loaded with compile=False. Load it with keras"
    ):
        restore_optimizer(model, path)


@pytest.mark.parametrize("name", ["model.weights.h5", "model.h5", "checkpoint"])
def test_weights_round_trip(tmp_path, name):
    """Weights are carried to a model made the same way, in every format that the Keras writes."""
    model, fresh = train(new_model(), 1), new_model()
    fresh.optimizer.build(fresh.trainable_variables)  # Keras 3 puts its state beside the weights, and warns otherwise
    if IS_KERAS_3 and name == "checkpoint":  # save_weights of Keras 3 knows .weights.h5 only, TensorFlow the rest
        tf.train.Checkpoint(model=model).write(str(tmp_path / name))
        tf.train.Checkpoint(model=fresh).read(str(tmp_path / name)).expect_partial()
    elif IS_KERAS_3 and name == "model.h5":  # of a whole model
        model.save(str(tmp_path / name))
        fresh.load_weights(str(tmp_path / name))
    else:
        model.save_weights(str(tmp_path / name))
        fresh.load_weights(str(tmp_path / name))
    np.testing.assert_array_equal(fresh.predict(INPUTS, verbose=0), model.predict(INPUTS, verbose=0))


@keras.saving.register_keras_serializable(package="tests")
class Subclassed(keras.Model):
    """A model whose layers are attributes."""

    def __init__(self, quantum_layer, **options):
        super().__init__(**options)
        self.quantum, self.dense = quantum_layer, keras.layers.Dense(1)

    def call(self, inputs):
        """Both in a row."""
        return self.dense(self.quantum(inputs))

    def get_config(self):
        """The quantum layer is the configuration."""
        return {"quantum_layer": keras.saving.serialize_keras_object(self.quantum)}

    @classmethod
    def from_config(cls, config):
        """The quantum layer made anew."""
        return cls(keras.saving.deserialize_keras_object(config["quantum_layer"]))


def test_subclassed_models(tmp_path):
    """A subclassed model that tells its configuration is saved in .keras, and trains on."""
    model = Subclassed(quantum())
    model.compile(keras.optimizers.Adam(0.1), "mse")
    train(model)
    model.save(str(tmp_path / "model.keras"))
    loaded = keras.models.load_model(str(tmp_path / "model.keras"))
    for found, weight in zip(train(loaded).get_weights(), train(model).get_weights(), strict=True):
        np.testing.assert_allclose(found, weight, atol=1e-6)


def test_large_circuits_fit(tmp_path):
    """A circuit whose configuration is larger than an attribute of HDF5 may be is saved in .h5 too."""

    @qml.qnode(qml.device("default.qubit", wires=8))
    def large(inputs, weights):
        qml.AngleEmbedding(inputs, wires=range(8))
        qml.StronglyEntanglingLayers(weights, wires=range(8))
        return qml.expval(qml.Z(0))

    layer = KerasLayer(large, {"weights": (40, 8, 3)}, output_dim=1)
    model = keras.Sequential([keras.Input((8,)), layer])
    model.save(str(tmp_path / "model.h5"))
    assert (tmp_path / "model.h5").stat().st_size > 2**16
    assert keras.models.load_model(str(tmp_path / "model.h5"), compile=False).layers[0].circuit == layer.circuit


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_old_files_load(suffix):
    """Files of format 1, written by tests/data/write.py, give the numbers they gave, and train on."""
    model = load(str(OLD_FILES / f"model{suffix}"))
    expected = np.load(OLD_FILES / "numbers.npz")
    np.testing.assert_allclose(model.predict(expected["inputs"], verbose=0), expected["outputs"], atol=1e-6)
    model.fit(expected["inputs"], expected["outputs"] + 1, verbose=0)
    assert np.any(model.predict(expected["inputs"], verbose=0) != expected["outputs"])


def test_only_circuits_are_read():
    """Data that is no circuit says what is wrong with it."""
    data = quantum(sample_shape=2).get_config()["program"]
    del data["circuit"]["operations"]
    with pytest.raises(FormatError, match="no circuit that qlayer saved: the field 'operations' of Circuit is missing"):
        Program.from_data(data)


def test_a_file_cannot_touch_files(tmp_path):
    """A configuration whose graph writes a file is refused when it is loaded, by the name of the operation."""
    with tf.Graph().as_default() as graph:
        tf.io.write_file(str(tmp_path / "stolen"), "text")
    data = quantum(sample_shape=2).get_config()["program"]
    program = Program.from_data(data)
    graph_def = tf.compat.v1.GraphDef.FromString(program.angle_graph.graph_def)
    graph_def.MergeFrom(graph.as_graph_def())
    angle_graph = program.angle_graph.__class__(
        **{**vars(program.angle_graph), "graph_def": graph_def.SerializeToString()}
    )
    harmful = Program(program.circuit, angle_graph, program.sample_shape, program.dtype).to_data()
    with pytest.raises(UnsupportedError, match="calculated with WriteFile, which does more than calculate"):
        Program.from_data(harmful)


def test_saving_and_loading_is_quiet(tmp_path, capfd, caplog):
    """Nothing of ours is written to the terminal or logged."""
    model = train(new_model(), 1)
    with caplog.at_level(logging.INFO):
        model.save(str(tmp_path / "model.keras"))
        keras.models.load_model(str(tmp_path / "model.keras"))
    assert "qlayer" not in "".join([*capfd.readouterr(), caplog.text])
