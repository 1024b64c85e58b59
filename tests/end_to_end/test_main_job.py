"""The main job: train, save, upload, POST. The numbers over HTTP are those of the model in memory."""

import io
import zipfile
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import processes
import pytest

INPUTS = np.random.default_rng(1).uniform(-1, 2, (1000, 2)).astype(np.float32)


def zipped(folder):
    """A folder as the bytes of a zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return buffer.getvalue()


@pytest.fixture(scope="module")
def client(moons, tmp_path_factory):
    """A client of a server that started with an empty folder, and to which the trained model was uploaded."""
    _, folder = moons
    with processes.Server(tmp_path_factory.mktemp("served")) as server:
        server.wait_until("/readyz")
        headers = {"Authorization": f"Bearer {processes.MANAGE_KEY}"}
        limits = httpx.Limits(max_keepalive_connections=None)  # no connection is closed while others read
        with httpx.Client(base_url=server.url, timeout=60, limits=limits) as client:
            uploaded = client.put("/v1/models/moons/versions/1", content=zipped(folder), headers=headers)
            assert uploaded.status_code == 201, uploaded.text
            yield client


def predict(client, rows):
    """The predictions for some rows, over HTTP."""
    answer = client.post("/v1/models/moons:predict", json={"instances": rows.tolist()})
    assert answer.status_code == 200, answer.text
    return np.array(answer.json()["predictions"])


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_predictions_are_the_models(client, moons, rows):
    """Batches of any size give what model.predict gives in memory."""
    model, _ = moons
    np.testing.assert_allclose(predict(client, INPUTS[:rows]), model.predict(INPUTS[:rows], verbose=0), atol=1e-5)


def test_every_caller_gets_its_own_answer(client, moons):
    """200 concurrent requests of a single row each get the answer for their row."""
    model, _ = moons
    expected = model.predict(INPUTS[:200], verbose=0)
    with ThreadPoolExecutor(64) as pool:
        found = list(pool.map(lambda row: predict(client, INPUTS[row : row + 1])[0], range(200)))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_shapes_are_told(client):
    """The service tells the output shape for a free batch and for a given one, without running the model."""
    asked = client.post("/v1/models/moons:shape", json={"input_shape": [None, 2]})
    assert [output["shape"] for output in asked.json()["outputs"].values()] == [[None, 2]]
    asked = client.post("/v1/models/moons:shape", json={"input_shape": [5, 2]})
    assert [output["shape"] for output in asked.json()["outputs"].values()] == [[5, 2]]
