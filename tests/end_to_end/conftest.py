"""The moons example, trained once for all tests: in memory, and exported."""

import importlib.util
import pathlib

import pytest

import qlayer

EXAMPLE = pathlib.Path(__file__).parents[2] / "examples" / "moons.py"


@pytest.fixture(scope="session")
def example():
    """The module examples/moons.py."""
    spec = importlib.util.spec_from_file_location("moons", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def moons(example, tmp_path_factory):
    """The trained model, and the folder models/moons/1 that it was exported to."""
    model = example.train()
    folder = tmp_path_factory.mktemp("models") / "moons" / "1"
    qlayer.export(model, folder)
    return model, folder
