"""Which versions have a worker: the newest and the labelled always, others when they are asked, until they are idle."""

import json
import shutil
import time

import archives
import httpx
import processes
import pytest

from service.front.models.memory import private_bytes
from service.front.registry.residence import parse_load

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


def listed_signatures(server):
    """The names of the signatures of each version of the model, by its number."""
    versions = httpx.get(f"{server.url}/v1/models/m", timeout=30).json()["versions"]
    return {record["version"]: record["signatures"] for record in versions}


def ask(server, path=""):
    """A prediction."""
    return httpx.post(f"{server.url}/v1/models/m{path}:predict", json=ROW, timeout=60)


def test_a_version_that_lost_its_graph_is_listed_and_not_served(savedmodels, tmp_path):
    """It has its reason and can be deleted; with --strict-readiness the server is not ready until it is."""
    with (
        processes.Server(tmp_path) as server,
        httpx.Client(base_url=server.url, headers=HEADERS, timeout=60) as client,
    ):
        server.wait_until("/readyz")
        for number, model in ((1, "affine"), (2, "other")):
            data = archives.zip_of(savedmodels / model / "1")
            assert client.put(f"/v1/models/m/versions/{number}", content=data).status_code == 201
    (tmp_path / "m" / "2" / "saved_model.pb").unlink()
    with (
        processes.Server(tmp_path, "--strict-readiness") as server,
        httpx.Client(base_url=server.url, headers=HEADERS, timeout=60) as client,
    ):
        server.wait_until("/livez")
        processes.wait_for(lambda: states(server) == {2: "END", 1: "AVAILABLE"}, 60)
        refused = client.get("/readyz")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.json()["error"] == "the server is not ready: a version cannot be loaded"
        assert client.get("/v2/health/ready").status_code == 503
        assert ask(server).json() == FIRST
        assert client.delete("/v1/models/m/versions/2").status_code == 200
        assert client.get("/readyz").status_code == 200


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
        processes.wait_for(lambda: states(server) == {3: "AVAILABLE", 2: "END", 1: "START"}, 30)
        processes.wait_for(lambda: len(processes.workers(server.process.pid)) == 1)
        [status] = httpx.get(f"{server.url}/v1/models/m/versions/2").json()["model_version_status"]
        assert (status["state"], status["status"]) == ("END", {"error_code": "OK", "error_message": ""})
        assert httpx.get(f"{server.url}/readyz").json()["models"] == {"m/3": "AVAILABLE", "m/2": "END", "m/1": "START"}
        index = httpx.post(f"{server.url}/v2/repository/index").json()
        unloaded = {"state": "UNAVAILABLE", "reason": "unloaded"}
        assert index[1:] == [{"name": "m", "version": number, **unloaded} for number in ("2", "1")]
        assert httpx.get(f"{server.url}/v1/models/m/versions/1/metadata", timeout=60).status_code == 200
        assert ask(server, "/versions/2").json() == SECOND
        assert states(server)[2] == "AVAILABLE"


def test_a_version_that_was_loaded_anew_is_not_idle_since_long_ago(three):
    """Its time runs from the load, although nobody has asked it for a prediction."""
    with (
        processes.Server(three, "--idle-unload-s", "5") as server,
        httpx.Client(base_url=server.url, headers=HEADERS, timeout=60) as client,
    ):
        server.wait_until("/readyz")
        assert client.get("/v1/models/m/versions/2/metadata").status_code == 200
        assert client.post("/v2/repository/models/m/load").status_code == 200
        time.sleep(1)  # several looks
        assert states(server)[2] == "AVAILABLE"
        processes.wait_for(lambda: states(server)[2] == "END", 30)


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


def test_beyond_the_memory_budget_what_rests_loses_its_worker(three):
    """A second worker is one too many: it answers, and is gone long before it has been idle for its time."""
    with processes.Server(three) as server:
        server.wait_until("/readyz")
        [worker] = processes.workers(server.process.pid)
        one_mb = private_bytes(worker) >> 20
    with processes.Server(three, "--memory-budget-mb", str(one_mb * 3 // 2)) as server:
        server.wait_until("/readyz")
        assert ask(server, "/versions/2").json() == SECOND
        processes.wait_for(lambda: states(server) == {3: "AVAILABLE", 2: "END", 1: "START"}, 30)
        assert ask(server).json() == FIRST


def test_what_is_read_of_a_version_at_rest_wakes_nobody(three):
    """Its circuit, which is not there, whether it is ready, and by a label its state, also when it was unloaded."""
    (three / "m" / ".labels.json").write_text(json.dumps({"old": 2}))
    with (
        processes.Server(three) as server,
        httpx.Client(base_url=server.url, headers=HEADERS, timeout=60) as client,
    ):
        server.wait_until("/readyz")
        assert client.get("/v1/models/m/versions/1/circuit").status_code == 404
        ready = client.get("/v2/models/m/versions/1/ready")
        assert (ready.status_code, ready.json()) == (200, {"name": "m", "ready": True}), "it would answer"
        assert states(server)[1] == "START"
        assert client.post("/v2/repository/models/m/unload").status_code == 200
        [record] = client.get("/v1/models/m/labels/old").json()["versions"]
        assert (record["version"], record["state"], record["reason"]) == (2, "END", None)
        assert states(server) == {3: "END", 2: "END", 1: "START"}


def test_a_version_that_was_never_loaded_lists_its_signatures(savedmodels, tmp_path):
    """What was uploaded is known by its manifest; what an operator put there, and what was stored before, is not."""
    names = ["doubled", "serving_default", "total"]
    with (
        processes.Server(tmp_path) as server,
        httpx.Client(base_url=server.url, headers=HEADERS, timeout=60) as client,
    ):
        server.wait_until("/readyz")
        for number, name in ((2, "affine"), (3, "affine"), (4, "other")):
            data = archives.zip_of(savedmodels / name / "1")
            assert client.put(f"/v1/models/m/versions/{number}", content=data).json()["signatures"] == names
    shutil.copytree(savedmodels / "affine" / "1", tmp_path / "m" / "1")
    path = tmp_path / "m" / "2" / "manifest.json"
    before = json.loads(path.read_text())
    path.write_text(json.dumps({name: value for name, value in before.items() if name != "signatures"}))
    with processes.Server(tmp_path) as server:
        server.wait_until("/readyz")
        assert states(server) == {4: "AVAILABLE", 3: "START", 2: "START", 1: "START"}
        assert listed_signatures(server) == {4: names, 3: names, 2: [], 1: []}
        assert ask(server, "/versions/2").json() == FIRST
        assert listed_signatures(server) == {4: names, 3: names, 2: names, 1: []}


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
