"""Bad models that an operator puts into the folder: the static check warns, and the sandbox holds."""

import shutil

import httpx
import processes
import pytest

from service.engine import landlock

needs_landlock = pytest.mark.skipif(not landlock.version(), reason="this kernel has no Landlock")

STOPPED = [
    "write_file",
    "read_file",
    "text_lines",
    "immutable_constant",
    "print_to_file",
    "debug_identity",
    "save_checkpoint",
    "hidden_graph",
    "initialize_resource",
    "restore_writes",
    "asset_absolute",
    "asset_dotdot",
    "tensorflow_1",
    "crash",
]


@pytest.fixture
def folder(bad, tmp_path):
    """A folder with these models and two that need files or tables of their own."""
    for name in [*STOPPED, "table", "matching_files"]:
        shutil.copytree(bad / name, tmp_path / name)
    return tmp_path


@needs_landlock
def test_the_sandbox_stops_what_the_check_would_refuse(bad, folder):
    """Without the static check no file is written or read: the models fail, and an honest table is served."""
    with processes.Server(folder) as server:
        answer = server.wait_until("/readyz").json()
        states = {name.partition("/")[0]: state for name, state in answer["models"].items()}
        ask = {"inputs": [[1, 2, 3, 4]]}
        listing = httpx.post(f"{server.url}/v1/models/matching_files:predict", json=ask).json()
        table = httpx.post(f"{server.url}/v1/models/table:predict", json=ask).json()
    assert {name for name in STOPPED if states[name] != "END"} == set(), server.output
    assert not list((bad / "sentinels").iterdir())
    assert (states["table"], states["matching_files"]) == ("AVAILABLE", "AVAILABLE")
    assert table["outputs"]["result"] == [[-1, -1, -1, -1]]
    assert listing["outputs"]["result"] == []
    assert "table/1 is served, and would be refused as an upload: the model reads a file" in server.output
    assert "the operation MatchingFiles is not allowed" in server.output
    assert "findings of the rules S3, S4, S5, S6, S8)" in server.output


def test_a_strict_folder_refuses(bad, tmp_path):
    """With --strict-folder the folder's models are checked as uploads are."""
    for name in ("table", "plain"):
        shutil.copytree(bad / name, tmp_path / name)
    with processes.Server(tmp_path, "--strict-folder") as server:
        answer = server.wait_until("/readyz").json()
    assert answer["models"] == {"plain/1": "AVAILABLE", "table/1": "END"}
    assert "Lookup tables" in answer["failures"]["table/1"]


@needs_landlock
def test_a_folder_of_links_is_served(bad, tmp_path):
    """Models whose files are links to elsewhere, as volumes of orchestrators have them, can be read."""
    shutil.copytree(bad / "plain" / "1", tmp_path / "elsewhere")
    target = tmp_path / "models" / "linked" / "1"
    (target / "variables").mkdir(parents=True)
    (target / "saved_model.pb").symlink_to(tmp_path / "elsewhere" / "saved_model.pb")
    for path in (tmp_path / "elsewhere" / "variables").iterdir():
        (target / "variables" / path.name).symlink_to(path)
    with processes.Server(tmp_path / "models") as server:
        assert server.wait_until("/readyz").json()["models"] == {"linked/1": "AVAILABLE"}, server.output
