"""Export: a SavedModel of constants that plain TensorFlow runs; on Keras 2 here, and on Keras 3 by test_keras_3."""

import json
import sys
import time
from pathlib import Path

import devices
import jsonschema
import numpy as np
import pennylane as qml
import processes
import pytest
import saved_models
import tensorflow as tf

import qlayer
from qlayer import ExportError, KerasLayer, UnsupportedError
from qlayer.keras_compat import IS_KERAS_3, keras

BLOCKED = ("qlayer", "pennylane", "tf_keras", "keras")
SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "circuit-card.schema.json").read_text())
INPUTS = np.random.default_rng(0).uniform(-1, 1, (6, 2)).astype(np.float32)
SERIES = np.random.default_rng(1).uniform(-1, 1, (6, 4, 2)).astype(np.float32)


@qml.qnode(qml.device("default.qubit", wires=2))
def circuit(inputs, weights):
    """Angles that are calculated and angles that are not."""
    qml.AngleEmbedding(np.pi * np.tanh(inputs), wires=range(2))
    qml.RX(inputs[0], wires=1)
    qml.StronglyEntanglingLayers(weights, wires=range(2))
    return qml.expval(qml.Z(0)), qml.expval(qml.Z(1))


@qml.set_shots(100)
@qml.qnode(qml.device("default.qubit", wires=2))
def drawn(inputs, weights):
    """Results of finite shots."""
    qml.AngleEmbedding(inputs, wires=range(2))
    qml.StronglyEntanglingLayers(weights, wires=range(2))
    return qml.expval(qml.X(0)), qml.probs(wires=[0, 1])


def quantum(**options):
    """The circuit as a layer."""
    return KerasLayer(circuit, {"weights": (2, 2, 3)}, output_dim=2, **options)


class Subclassed(keras.Model):
    """A model whose call is a function of TensorFlow that was traced before the export."""

    def __init__(self):
        super().__init__()
        self.first = keras.layers.Dense(2)
        self.quantum = quantum(name="middle")

    @tf.function
    def call(self, inputs, training=False):
        """Two layers, and a dict of outputs."""
        hidden = self.first(inputs)
        return {"hidden": hidden, "result": self.quantum(hidden)}


def subclassed():
    """A model with a class of its own, called once."""
    model = Subclassed()
    model(INPUTS)
    tf.function(model).get_concrete_function(tf.TensorSpec([None, 2], tf.float32))  # as fit and predict do
    return model


def sequential():
    """A plain hybrid model with names."""
    inputs = keras.Input((2,), name="features")
    return keras.Sequential([inputs, keras.layers.Dense(2), quantum(), keras.layers.Dense(1, name="result")])


def recurrent():
    """A quantum layer in a wrapper, recurrent layers, statistics of batches, dropout."""
    inputs = keras.Input((4, 2), name="series")
    hidden = keras.layers.TimeDistributed(quantum())(inputs)
    hidden = keras.layers.Bidirectional(keras.layers.LSTM(3))(hidden)
    hidden = keras.layers.Dropout(0.5)(keras.layers.BatchNormalization()(hidden))
    return keras.Model(inputs, keras.layers.Dense(1, name="result")(hidden))


def convolutional():
    """Convolutions in front of a quantum layer in a nested model."""
    nested = keras.Sequential([keras.Input((2,)), quantum()])
    inputs = keras.Input((4, 2), name="series")
    hidden = keras.layers.Conv1D(2, 2, activation="relu")(inputs)
    hidden = keras.layers.GlobalAveragePooling1D()(keras.layers.MaxPooling1D(2)(hidden))
    return keras.Model(inputs, keras.layers.Dense(1, name="result")(nested(hidden)))


def several():
    """Two inputs in a dict and two outputs."""
    series, features = keras.Input((4, 2), name="series"), keras.Input((2,), name="features")
    hidden = keras.layers.Concatenate()([keras.layers.Flatten()(series), features])
    first = quantum()(keras.layers.Dense(2)(hidden))
    outputs = [keras.layers.Dense(1, name="one")(first), keras.layers.Dense(3, name="other")(hidden)]
    return keras.Model({"series": series, "features": features}, outputs)


def doubled():
    """Double precision."""
    inputs = keras.Input((2,), name="features", dtype="float64")
    return keras.Sequential([inputs, quantum(dtype="float64"), keras.layers.Dense(1, name="result", dtype="float64")])


def classical():
    """No quantum layer."""
    return keras.Sequential([keras.Input((2,), name="features"), keras.layers.Dense(2, name="result")])


def alone():
    """A layer without a model."""
    layer = quantum(name="result")
    layer(INPUTS)
    return layer


MODELS = {
    "sequential": (sequential, {"features": INPUTS}, ["result"]),
    "subclassed": (subclassed, {"input_1": INPUTS}, ["hidden", "result"]),
    "recurrent": (recurrent, {"series": SERIES}, ["result"]),
    "convolutional": (convolutional, {"series": SERIES}, ["result"]),
    "several": (several, {"features": INPUTS, "series": SERIES}, ["one", "other"]),
    "float64": (doubled, {"features": INPUTS.astype(np.float64)}, ["result"]),
    "classical": (classical, {"features": INPUTS}, ["result"]),
    "alone": (alone, {"inputs": INPUTS}, ["result"]),
}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """For each model the folder it was exported to, its inputs, and its numbers by the names of the outputs."""
    found = {}
    for name, (make, inputs, names) in MODELS.items():
        model = make()
        folder = tmp_path_factory.mktemp("exported") / "model"
        qlayer.export(model, folder)
        numbers = model(inputs if len(inputs) > 1 else next(iter(inputs.values())))
        flat = [np.asarray(number) for number in tf.nest.flatten(numbers)]
        found[name] = (str(folder), inputs, dict(zip(names, flat, strict=True)))
    return found


def assert_numbers(found, exported):
    """What was served is what the models gave, by name."""
    for name, (_, _, expected) in exported.items():
        assert sorted(found[name]) == sorted(expected), name
        for output, numbers in expected.items():
            tolerance = 1e-12 if name == "float64" else 1e-5
            np.testing.assert_allclose(found[name][output], numbers, rtol=tolerance, atol=tolerance / 10, err_msg=name)
            assert found[name][output].dtype == numbers.dtype


def folders(exported):
    """What the child processes get: folder and inputs."""
    return {name: (folder, inputs) for name, (folder, inputs, _) in exported.items()}


def test_plain_tensorflow(exported):
    """Where neither qlayer nor any Keras can be imported, every model gives its numbers, for any size of the batch."""

    def serve(folders):
        import tensorflow as tf

        results = {}
        for name, (folder, inputs) in folders.items():
            signature = tf.saved_model.load(folder).signatures["serving_default"]
            results[name] = {key: value.numpy() for key, value in signature(**inputs).items()}
            one = signature(**{key: value[:1] for key, value in inputs.items()})
            assert all(value.shape[0] == 1 for value in one.values())
            assert all(value.shape[0] is None for value in signature.structured_outputs.values())
        return results

    assert_numbers(processes.run_blocked(serve, folders(exported), blocked=BLOCKED), exported)


def test_tensorflow_1_sessions(exported):
    """A Session of TensorFlow 1, what TensorFlow Serving runs, gives the numbers of every model."""

    def serve(folders):
        import tensorflow as tf

        results = {}
        for name, (folder, inputs) in folders.items():
            with tf.Graph().as_default(), tf.compat.v1.Session() as session:
                signature = tf.compat.v1.saved_model.load(session, ["serve"], folder).signature_def["serving_default"]
                feeds = {signature.inputs[key].name: value for key, value in inputs.items()}
                fetches = {key: tensor.name for key, tensor in signature.outputs.items()}
                results[name] = session.run(fetches, feeds)
        return results

    assert_numbers(processes.run_blocked(serve, folders(exported), blocked=BLOCKED), exported)


def test_constants_and_harmless_operations(exported):
    """There are no variables, and nothing but harmless operations beside the pair that every SavedModel saves with."""
    for name, (folder, _, _) in exported.items():
        operations = saved_models.operations(Path(folder))
        assert operations <= saved_models.HARMLESS, (name, operations - saved_models.HARMLESS)
        assert not {operation for operation in operations if "Variable" in operation or "VarHandle" in operation}, name
        saved = tf.train.list_variables(f"{folder}/variables/variables")
        assert saved == [("_CHECKPOINTABLE_OBJECT_GRAPH", [])], name


def test_cards(exported):
    """Every model has a circuit card that fits the schema; the layers are those of the model, each once."""
    for name, (folder, _, _) in exported.items():
        card = json.loads((Path(folder) / "assets.extra" / "circuit.json").read_text(encoding="utf-8"))
        jsonschema.validate(card, SCHEMA)
        assert len(card["layers"]) == (0 if name == "classical" else 1), name
        assert card["versions"]["tensorflow"] == tf.__version__


def test_model_trains_on(exported, tmp_path):
    """An export leaves the model as it was: it trains on, saves, and loads."""
    model = sequential()
    qlayer.export(model, tmp_path / "1")
    before = model.get_weights()
    model.compile("adam", keras.losses.MeanSquaredError())
    model.fit(INPUTS, INPUTS[:, :1], verbose=0)
    assert any(np.any(old != new) for old, new in zip(before, model.get_weights(), strict=True))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    qlayer.export(loaded, tmp_path / "2")
    serve = tf.saved_model.load(str(tmp_path / "2")).signatures["serving_default"]
    np.testing.assert_allclose(serve(features=INPUTS)["result"], model(INPUTS), rtol=1e-5, atol=1e-6)


# ----------------------------------------------------------------------------------------------------------- buckets


def test_batch_sizes(tmp_path):
    """Batch sizes compiled with XLA are signatures of their own, elsewhere and in a Session of TensorFlow 1 too."""

    def serve(folder, inputs):
        import tensorflow as tf

        loaded = tf.saved_model.load(folder)
        eager = {name: loaded.signatures[name](features=inputs[: int(name[6:])]) for name in ("batch_1", "batch_4")}
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            signature = tf.compat.v1.saved_model.load(session, ["serve"], folder).signature_def["batch_4"]
            result = session.run(signature.outputs["result"].name, {signature.inputs["features"].name: inputs[:4]})
        return sorted(loaded.signatures), {name: value["result"].numpy() for name, value in eager.items()}, result

    model, folder = sequential(), tmp_path / "model"
    qlayer.export(model, folder, batch_sizes=[4, 1, 4])
    names, eager, session = processes.run_blocked(serve, str(folder), INPUTS, blocked=BLOCKED)
    assert names == ["batch_1", "batch_4", "serving_default"]
    for found in (*eager.values(), session):
        np.testing.assert_allclose(found, np.asarray(model(INPUTS))[: len(found)], rtol=1e-5, atol=1e-6)
    assert saved_models.operations(folder) <= saved_models.HARMLESS
    assert saved_models.compiled_functions(folder) == 2
    assert json.loads((folder / "assets.extra" / "circuit.json").read_text())["batch_sizes"] == [1, 4]


@pytest.mark.parametrize(("sizes", "error"), [([0], "at least one row"), (["x"], "list of integers"), (3, "integers")])
def test_batch_sizes_are_checked(tmp_path, sizes, error):
    """What is no batch size is refused, with what to give."""
    with pytest.raises(ExportError, match=error):
        qlayer.export(classical(), tmp_path / "model", batch_sizes=sizes)


# ------------------------------------------------------------------------------------------------------ finite shots


@pytest.fixture(scope="module")
def sampled(tmp_path_factory):
    """The folder of an exported model with finite shots, and the model."""
    layer = KerasLayer(drawn, {"weights": (1, 2, 3)}, output_dim=None)
    model = keras.Sequential([keras.Input((2,), name="features"), layer, keras.layers.Dense(2, name="result")])
    folder = tmp_path_factory.mktemp("sampled") / "model"
    qlayer.export(model, folder)
    return folder, model


def test_a_seed_decides(sampled):
    """`sampled` takes a seed and a number of shots: the same seed gives the same, in another process too."""

    def serve(folder, inputs):
        import tensorflow as tf

        signatures = tf.saved_model.load(folder).signatures
        draw = signatures["sampled"]
        asked = [(1, 50), (1, 50), (2, 50), (1 << 40, 50), (1, 100_000)]
        seeds = [(tf.constant(seed, tf.int64), tf.constant(shots)) for seed, shots in asked]
        numbers = [draw(features=inputs, seed=seed, shots=shots)["result"].numpy() for seed, shots in seeds]
        return numbers, [signatures["serving_default"](features=inputs)["result"].numpy() for _ in range(2)]

    folder, _ = sampled
    (first, again, other, high, many), (one, two) = processes.run_blocked(serve, str(folder), INPUTS, blocked=BLOCKED)
    elsewhere, _ = processes.run_blocked(serve, str(folder), INPUTS, blocked=BLOCKED)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, elsewhere[0])
    for different in (other, high, many):
        assert np.any(first != different)
    assert np.any(one != two)
    assert saved_models.operations(folder) <= saved_models.HARMLESS


def test_shots_decide_the_spread(sampled):
    """Many shots come close to the exact values."""
    folder, model = sampled
    draw = tf.saved_model.load(str(folder)).signatures["sampled"]
    exact = KerasLayer(qml.set_shots(drawn, None), {"weights": (1, 2, 3)}, output_dim=None)
    exact(INPUTS)
    exact.set_weights(model.layers[0].get_weights())
    expected = np.asarray(model.layers[1](exact(INPUTS)))
    shots = 400_000
    found = draw(features=INPUTS, seed=tf.constant(3, tf.int64), shots=tf.constant(shots))["result"]
    spread = 5 * np.abs(model.layers[1].get_weights()[0]).sum() / np.sqrt(shots)
    np.testing.assert_allclose(found, expected, atol=spread)


def test_no_shots_are_refused(sampled):
    """Fewer than one shot end in an error that says so."""
    folder, _ = sampled
    draw = tf.saved_model.load(str(folder)).signatures["sampled"]
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        draw(features=INPUTS, seed=tf.constant(3, tf.int64), shots=tf.constant(0))
    assert "shots must be at least 1" in str(caught.value)


def test_single_shots_keep_their_number(tmp_path):
    """Where the result has an entry for each shot, `sampled` takes the seed alone."""

    @qml.set_shots(7)
    @qml.qnode(qml.device("default.qubit", wires=2))
    def bits(inputs):
        qml.AngleEmbedding(inputs, wires=range(2))
        return qml.sample(wires=[0, 1])

    model = keras.Sequential([keras.Input((2,), name="features"), KerasLayer(bits, {}, output_dim=None, name="bits")])
    qlayer.export(model, tmp_path / "model")
    draw = tf.saved_model.load(str(tmp_path / "model")).signatures["sampled"]
    assert sorted(draw.structured_input_signature[1]) == ["features", "seed"]
    first, again = (draw(features=INPUTS, seed=tf.constant(5, tf.int64))["bits"].numpy() for _ in range(2))
    assert first.shape == (6, 7, 2)
    np.testing.assert_array_equal(first, again)


def test_shots_and_batch_sizes(tmp_path, sampled):
    """Results of finite shots are not compiled with XLA; an input named like a seed is refused."""
    _, model = sampled
    with pytest.raises(UnsupportedError, match="Leave batch_sizes out"):
        qlayer.export(model, tmp_path / "model", batch_sizes=[1])
    layer = KerasLayer(drawn, {"weights": (1, 2, 3)}, output_dim=None)
    model = keras.Sequential([keras.Input((2,), name="seed"), layer])
    with pytest.raises(ExportError, match="has an input named 'seed'"):
        qlayer.export(model, tmp_path / "model")
    assert not list(tmp_path.iterdir())


# ----------------------------------------------------------------------------------------------------------- refusals


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


# ----------------------------------------------------------------------------------------------------------- warm-up


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


def test_many_exports_in_one_process_do_not_warn(tmp_path, caplog):
    """TensorFlow, which warns where one function is traced again and again, finds no reason to."""
    for number in range(7):
        qlayer.export(sequential(), tmp_path / str(number))
    assert not [record.message for record in caplog.records if "retracing" in record.message]


def test_quick(tmp_path):
    """Twelve wires are exported within three seconds, and loaded within half a second."""
    wires = 12

    @qml.qnode(qml.device("default.qubit", wires=wires))
    def large(inputs, weights):
        qml.AngleEmbedding(inputs, wires=range(wires))
        qml.StronglyEntanglingLayers(weights, wires=range(wires))
        return [qml.expval(qml.Z(wire)) for wire in range(wires)]

    layer = KerasLayer(large, {"weights": (3, wires, 3)}, output_dim=wires)
    model = keras.Sequential([keras.Input((wires,)), layer])
    started = time.process_time()
    qlayer.export(model, tmp_path / "model")
    exported = time.process_time()
    tf.saved_model.load(str(tmp_path / "model"))
    assert exported - started < 6  # processor time of both cores
    assert time.process_time() - exported < 1
