"""Stores with versions in them, without any TensorFlow."""

import pytest

from service.store.manifest import describe
from service.store.store import Store, VersionId


@pytest.fixture
def store(tmp_path):
    """A store in an empty folder."""
    return Store(tmp_path)


@pytest.fixture
def install():
    """A function that installs a version whose graph is a text."""

    def installed(store, name, number, graph="graph", uploader="somebody"):
        with store.staging() as folder:
            (folder / "m" / "variables").mkdir(parents=True)
            (folder / "m" / "saved_model.pb").write_text(graph)
            (folder / "m" / "variables" / "variables.index").write_text("index")
            return store.install(folder / "m", VersionId(name, number), describe(folder / "m", uploader))

    return installed
