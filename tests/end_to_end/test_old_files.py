"""SavedModels that PennyLane's own KerasLayer wrote (by tests/data/write_upstream.py) load, predict, and are served."""

import tarfile
from pathlib import Path

import httpx
import numpy as np
import processes
import pytest

DATA = Path(__file__).parent.parent / "data" / "upstream"
NUMBERS = dict(np.load(DATA / "numbers.npz"))


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder of models with that file as version 1 of `old`."""
    folder = tmp_path_factory.mktemp("models")
    with tarfile.open(DATA / "model.tar.xz") as archive:
        archive.extractall(folder / "old" / "1", filter="data")
    return folder


def test_plain_tensorflow_loads_them(models):
    """tf.saved_model.load runs the signature without PennyLane, qlayer and Keras, with the numbers it had."""

    def serve(folder, inputs):
        import tensorflow as tf

        signature = tf.saved_model.load(folder).signatures["serving_default"]
        return next(iter(signature(tf.constant(inputs)).values())).numpy()

    blocked = ("qlayer", "pennylane", "tf_keras", "keras")
    found = processes.run_blocked(serve, str(models / "old" / "1"), NUMBERS["inputs"], blocked=blocked)
    np.testing.assert_allclose(found, NUMBERS["outputs"], atol=1e-6)


@pytest.mark.parametrize("with_qlayer", [True, False])
def test_keras_2_loads_them(models, with_qlayer):
    """Keras 2 loads the model, with qlayer imported and where it cannot be; the layer stays one of Keras' own."""

    def load(folder, inputs, with_qlayer):
        import tensorflow as tf

        if with_qlayer:
            import qlayer  # noqa: F401 - its registration is what could change the loading
        model = tf.keras.models.load_model(folder)
        return [layer.name for layer in model.layers], model.predict(inputs, verbose=0)

    blocked = ("pennylane",) if with_qlayer else ("pennylane", "qlayer")
    folder = str(models / "old" / "1")
    names, found = processes.run_blocked(load, folder, NUMBERS["inputs"], with_qlayer, blocked=blocked)
    assert names == ["keras_layer", "dense"]
    np.testing.assert_allclose(found, NUMBERS["outputs"], atol=1e-6)


def test_the_service_serves_them(models):
    """The service answers with the numbers they had."""
    with processes.Server(models) as server:
        server.wait_until("/readyz")
        body = {"instances": NUMBERS["inputs"].tolist()}
        answer = httpx.post(f"{server.url}/v1/models/old:predict", json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    np.testing.assert_allclose(answer.json()["predictions"], NUMBERS["outputs"], atol=1e-6)
