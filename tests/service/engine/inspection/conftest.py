"""Models of all kinds, built once, and a server to upload them to."""

import pathlib
import shutil

import httpx
import processes
import pytest
import standing
from built_once import built_once

HERE = str(pathlib.Path(__file__).parent)


def _build(here, folder, modules):
    """Let modules build their models one after the other, in a process that has TensorFlow."""
    import importlib
    import sys
    import warnings

    warnings.simplefilter("ignore")  # what builds them is others' code
    sys.path.insert(0, here)
    for name in modules:
        importlib.import_module(name).build(folder)


def _built(factory, name, *modules):
    def build(folder):
        processes.run_blocked(_build, HERE, str(folder), modules)

    return built_once(factory, name, build)


@pytest.fixture(scope="session")
def honest(tmp_path_factory):
    """A folder of models that must be accepted, and their numbers."""
    return _built(tmp_path_factory, "honest", "honest_models")


@pytest.fixture(scope="session")
def bad(tmp_path_factory):
    """A folder of models that must be refused; what they write, should they run, is in its folder `sentinels`."""
    return _built(tmp_path_factory, "bad", "evil_models", "mutations", "damages")


@pytest.fixture(scope="session")
def target(savedmodels, tmp_path_factory):
    """A server with one model, the control, and its folder of models."""
    models = tmp_path_factory.mktemp("target")
    shutil.copytree(savedmodels / "affine", models / "control")
    with processes.Server(models, "--worker-memory-max-mb", "6144") as server:
        server.wait_until("/readyz")
        yield server, models


@pytest.fixture
def upload(target):
    """Upload an archive as a model's version 1; afterwards the server must be as it was before."""
    server, models = target
    headers = {"Authorization": f"Bearer {processes.MANAGE_KEY}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=240) as client:

        def put(name, archive):
            return client.put(f"/v1/models/{name}/versions/1", content=archive)

        put.client = client
        yield put
        assert client.get("/livez").status_code == 200
        assert client.post("/v1/models/control:predict", json=standing.ROWS).json() == standing.PREDICTIONS
        assert not list((models / ".staging").iterdir())


@pytest.fixture(scope="session")
def attacks(tmp_path_factory):
    """A folder of published attacks; what they write is in its folder `sentinels`."""
    return _built(tmp_path_factory, "attacks", "published_attacks")
