"""One set of SavedModels and one server for all tests of the service."""

import importlib.util
import pathlib
import shutil

import httpx
import processes
import pytest
import standing
from built_once import built_once

_MODELS = ["affine", "other", "zoo", "identity", "drawn", "slow", "mlp", "crashing"]
_KINDS = ["kinds", "scoring"]
SERVED = ["affine", "zoo", "identity", "drawn", "slow", "mlp", *_KINDS]


def _build(kind):
    """The function that builds models of a kind: it lies beside this file, where no package is."""
    spec = importlib.util.spec_from_file_location(kind, pathlib.Path(__file__).parent / f"{kind}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.build


@pytest.fixture(scope="session")
def savedmodels(tmp_path_factory):
    """A folder with every model of the tests as <name>/1; never served itself."""

    def build(folder):
        processes.run_blocked(_build("models"), str(folder), _MODELS)
        processes.run_blocked(_build("kinds"), str(folder), _KINDS)

    return built_once(tmp_path_factory, "savedmodels", build)


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


@pytest.fixture
def unharmed(client, models):
    """After the test the session's server must stand as before."""
    with standing.unharmed(client, models, "affine"):
        yield


@pytest.fixture(scope="session")
def circuits(tmp_path_factory):
    """A folder with exported quantum models as <name>/1, and one without a circuit."""
    folder = tmp_path_factory.mktemp("circuits")
    processes.run_blocked(_build("circuits"), str(folder), ["gates", "two", "drawn", "unequal", "samples"])
    return folder


@pytest.fixture(scope="session")
def circuit_client(circuits, savedmodels):
    """A client of a server of quantum models, and of one model without a circuit."""
    shutil.copytree(savedmodels / "affine", circuits / "affine", dirs_exist_ok=True)
    headers = {"Authorization": f"Bearer {processes.MANAGE_KEY}"}
    with processes.Server(circuits) as server:
        server.wait_until("/readyz")
        with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
            yield client
