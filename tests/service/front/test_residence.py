"""Which versions have a worker: the newest and the labelled always, others when they are asked, until they are idle."""

import json
import shutil

import archives
import httpx
import processes
import pytest

from service.front.residence import parse_load

HEADERS = {"Authorization": f"Bearer {processes.MANAGE_KEY}"}
ROW = {"instances": [[0, 0, 0, 1]]}
FIRST, SECOND = {"predictions": [[6.5, 6.5]]}, {"predictions": [[18.5, 20.5]]}


@pytest.fixture
def three(savedmodels, tmp_path):
    """A folder with three versions of a model; the second answers differently."""
    for number, model in ((1, "affine"), (2, "other"), (3, "affine")):
        shutil.copytree(savedmodels / model / "1", tmp_path / "m" / str(number))
    return tmp_path


def states(server):
    """The state of each version of the model, by its number."""
    versions = httpx.get(f"{server.url}/v1/models/m", timeout=30).json()["versions"]
    return {record["version"]: record["state"] for record in versions}


def ask(server, path=""):
    """A prediction."""
    return httpx.post(f"{server.url}/v1/models/m{path}:predict", json=ROW, timeout=60)


@pytest.mark.parametrize(
    ("policy", "loaded"), [("latest:1", {3}), ("latest:2", {2, 3}), ("latest:9", {1, 2, 3}), ("all", {1, 2, 3})]
)
def test_what_is_loaded_at_the_start(three, policy, loaded):
    """As the policy says; the others are known."""
    with processes.Server(three, "--load", policy) as server:
        server.wait_until("/readyz")
        assert {number for number, state in states(server).items() if state == "AVAILABLE"} == loaded
        assert set(states(server).values()) <= {"AVAILABLE", "START"}
        assert len(processes.workers(server.process.pid)) == len(loaded)


def test_a_version_is_loaded_by_its_first_request_and_unloaded_when_it_is_idle(three):
    """The first request waits for it; a while after the last one its worker is gone, and the newest stays."""
    with processes.Server(three, "--idle-unload-s", "2") as server:
        server.wait_until("/readyz")
        assert ask(server, "/versions/2").json() == SECOND
        assert states(server) == {3: "AVAILABLE", 2: "AVAILABLE", 1: "START"}
        processes.wait_for(lambda: states(server) == {3: "AVAILABLE", 2: "START", 1: "START"}, 30)
        processes.wait_for(lambda: len(processes.workers(server.process.pid)) == 1)
        assert httpx.get(f"{server.url}/v1/models/m/versions/1/metadata", timeout=60).status_code == 200
        assert ask(server).json() == FIRST


def test_labelled_versions_stay_loaded(three):
    """Whatever the policy and however long they are idle."""
    (three / "m" / ".labels.json").write_text(json.dumps({"old": 2, "default": 2}))
    with processes.Server(three, "--idle-unload-s", "0.5") as server:
        server.wait_until("/readyz")
        assert states(server) == {3: "AVAILABLE", 2: "AVAILABLE", 1: "START"}
        assert ask(server).json() == SECOND
        assert ask(server, "/labels/old").json() == SECOND


def test_where_the_newest_cannot_be_loaded_the_one_before_is(three):
    """It is loaded in its place, and serves."""
    (three / "m" / "3" / "saved_model.pb").write_bytes(b"this is no graph")
    with processes.Server(three) as server:
        server.wait_until("/readyz")
        assert states(server) == {3: "END", 2: "AVAILABLE", 1: "START"}
        assert ask(server).json() == SECOND


def test_a_memory_budget_that_is_used_up(three):
    """Idle versions make room for the one that is asked; where none is idle, the request is told so."""
    with processes.Server(three, "--memory-budget-mb", "1") as server:
        server.wait_until("/readyz")
        refused = ask(server, "/versions/2")
        assert refused.status_code == 503
        assert "memory_budget_mb" in refused.json()["error"]
        assert ask(server).json() == FIRST


def test_a_version_whose_files_are_others_is_refused(savedmodels, tmp_path):
    """One flipped byte: listed with digest_mismatch, not loaded, and the others are served."""
    data = archives.zip_of(savedmodels / "affine" / "1")
    with (
        processes.Server(tmp_path) as server,
        httpx.Client(base_url=server.url, headers=HEADERS, timeout=60) as client,
    ):
        server.wait_until("/readyz")
        assert client.put("/v1/models/m/versions/1", content=data).status_code == 201
        other = archives.zip_of(savedmodels / "other" / "1")
        assert client.put("/v1/models/m/versions/2", content=other).status_code == 201
    [shard] = (tmp_path / "m" / "2" / "variables").glob("*.data*")
    content = bytearray(shard.read_bytes())
    content[10] ^= 1
    shard.write_bytes(content)
    with processes.Server(tmp_path) as server:
        server.wait_until("/readyz")
        assert states(server) == {2: "END", 1: "AVAILABLE"}
        record = httpx.get(f"{server.url}/v1/models/m/versions/2", timeout=30).json()["versions"][0]
        assert record["code"] == "digest_mismatch"
        assert shard.name in record["reason"]
        assert ask(server).json() == FIRST
    done = processes.subprocess.run(
        [processes.sys.executable, "-m", "service", "fsck", "--models", tmp_path, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert [json.loads(line)["kind"] for line in done.stdout.splitlines()] == ["damaged_version"]


def test_policies():
    """How many of the newest each stands for."""
    assert [parse_load(policy) for policy in ("latest:1", "latest:20", "all")] == [1, 20, None]
