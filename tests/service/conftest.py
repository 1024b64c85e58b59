"""One set of SavedModels and one server for all tests of the service."""

import importlib.util
import pathlib
import shutil

import httpx
import processes
import pytest

_MODELS = ["affine", "other", "zoo", "identity", "drawn", "slow", "mlp", "crashing"]
SERVED = ["affine", "zoo", "identity", "drawn", "slow", "mlp"]


def _build():
    """The function that builds models: it lies beside this file, where no package is."""
    spec = importlib.util.spec_from_file_location("savedmodels", pathlib.Path(__file__).parent / "models.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.build


@pytest.fixture(scope="session")
def savedmodels(tmp_path_factory):
    """A folder with every model of the tests as <name>/1; never served itself."""
    folder = tmp_path_factory.mktemp("savedmodels")
    processes.run_blocked(_build(), str(folder), _MODELS)
    return folder


@pytest.fixture(scope="session")
def models(savedmodels, tmp_path_factory):
    """The folder that the server of the session serves."""
    folder = tmp_path_factory.mktemp("models")
    for name in SERVED:
        shutil.copytree(savedmodels / name, folder / name)
    broken = folder / "broken" / "1"
    broken.mkdir(parents=True)
    (broken / "saved_model.pb").write_bytes(b"this is no graph")
    return folder


@pytest.fixture(scope="session")
def server(models):
    """A server that has attempted to load every model."""
    with processes.Server(models, "--call-timeout-s", "2", "--batch-max-rows", "64") as server:
        server.wait_until("/readyz")
        yield server


@pytest.fixture(scope="session")
def client(server):
    """A client of the session's server, with the manage key."""
    headers = {"Authorization": f"Bearer {processes.MANAGE_KEY}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
        yield client
