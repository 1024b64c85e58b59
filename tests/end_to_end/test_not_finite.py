"""A model whose angles are not finite for some inputs, in the service."""

import httpx
import numpy as np
import pennylane as qml
import processes
import pytest
import tensorflow as tf

from qlayer import KerasLayer


@qml.qnode(qml.device("default.qubit", wires=1))
def circuit(inputs):
    """Not finite where the feature is 0, which a model is warmed up with."""
    qml.RX(np.log(inputs[0]), wires=0)
    return qml.expval(qml.Z(0))


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A client of a server with that model."""
    folder = tmp_path_factory.mktemp("models")
    model = tf.keras.Sequential([tf.keras.Input((1,)), KerasLayer(circuit, {}, output_dim=1)])
    model.save(folder / "logarithm" / "1")
    with processes.Server(folder) as server:
        server.wait_until("/v1/models/logarithm")
        server.wait_until("/readyz")
        with httpx.Client(base_url=server.url, timeout=60) as client:
            yield client


def test_good_rows_are_answered(client):
    """The model is served, although it refuses zeros, with PennyLane's numbers."""
    answer = client.post("/v1/models/logarithm:predict", json={"instances": [[0.5], [2.0]]})
    expected = [[circuit(np.array([value]))] for value in (0.5, 2.0)]
    np.testing.assert_allclose(answer.json()["predictions"], expected, atol=1e-5)


@pytest.mark.parametrize("value", [0, -1])
def test_bad_rows_are_the_callers_error(client, value):
    """The reason reaches the client as JSON with status 400, in one line and without a traceback."""
    answer = client.post("/v1/models/logarithm:predict", json={"instances": [[0.5], [value]]})
    assert answer.status_code == 400
    message = answer.json()["error"]
    assert "values: the numbers given to RX, which depend on the inputs, are not finite. Look for NaN" in message
    assert "\n" not in message
    assert "File" not in message
