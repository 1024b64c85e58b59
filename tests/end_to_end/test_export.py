"""Export: a SavedModel of constants that plain TensorFlow runs; on Keras 2 here, and on Keras 3 by test_keras_3."""

import json
from pathlib import Path

import jsonschema
import numpy as np
import processes
import pytest
import saved_models
import tensorflow as tf
from exported_models import BLOCKED, INPUTS, MODELS, sequential

import qlayer
from qlayer.keras_compat import keras

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "circuit-card.schema.json").read_text())


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


def test_many_exports_in_one_process_do_not_warn(tmp_path, caplog):
    """TensorFlow, which warns where one function is traced again and again, finds no reason to."""
    for number in range(7):
        qlayer.export(sequential(), tmp_path / str(number))
    assert not [record.message for record in caplog.records if "retracing" in record.message]
