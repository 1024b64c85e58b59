"""Versions that are loaded anew while they are asked: each answer is one version's, and nothing is left of the old."""

import shutil
import threading
from contextlib import contextmanager

import archives
import httpx
import processes
import pytest

HEADERS = {"Authorization": f"Bearer {processes.MANAGE_KEY}"}
ROWS = {"instances": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]]}
ANSWERS = {
    "affine": {"predictions": [[0.5, 0.5], [2.5, 2.5], [6.5, 6.5]]},
    "other": {"predictions": [[0.5, 2.5], [6.5, 8.5], [18.5, 20.5]]},
}
CLIENTS = 3
ANSWERS_MIN = 200
LOAD, UNLOAD, PREDICT = "/v2/repository/models/m/load", "/v2/repository/models/m/unload", "/v1/models/m:predict"
WARM_CYCLES, CYCLES, GROWTH_MAX_MB = 5, 35, 20


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """A server, a client of it, and the folder it serves, in which nothing is."""
    folder = tmp_path_factory.mktemp("reload")
    with (
        processes.Server(folder) as server,
        httpx.Client(base_url=server.url, headers=HEADERS, timeout=60) as client,
    ):
        server.wait_until("/readyz")
        yield server, client, folder


@pytest.fixture
def served(savedmodels, started):
    """The same with one model that an operator put there, and the version's folder."""
    server, client, folder = started
    version = folder / "m" / "1"
    shutil.copytree(savedmodels / "affine" / "1", version)
    processes.wait_for(lambda: client.post(PREDICT, json=ROWS).status_code == 200, 60)
    yield server, client, version
    shutil.rmtree(folder / "m")
    processes.wait_for(lambda: not processes.workers(server.process.pid), 60)


@contextmanager
def asked_by_many(url):
    """Clients that ask for predictions during the block, and until there are enough answers; yields these."""
    answers, is_over = [], threading.Event()

    def ask():
        with httpx.Client(base_url=url, timeout=60) as client:
            while not is_over.is_set() or len(answers) < ANSWERS_MIN:
                answers.append(client.post(PREDICT, json=ROWS))

    threads = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def check_one_of_two(answers):
    """All are 200 and the numbers of one of two versions, and both have answered."""
    assert {answer.status_code for answer in answers} == {200}
    documents = [answer.json() for answer in answers]
    assert all(document in ANSWERS.values() for document in documents)
    assert all(expected in documents for expected in ANSWERS.values())


def test_reloads_of_other_files_drop_and_mix_no_answer(savedmodels, served):
    """Twelve times the operator puts another model over the version's files and loads it: the load's answer is it."""
    _, client, version = served
    with asked_by_many(client.base_url) as answers:
        for name in ["other", "affine"] * 6:
            shutil.copytree(savedmodels / name / "1", version, dirs_exist_ok=True)
            assert client.post(LOAD).status_code == 200
            assert client.post(PREDICT, json=ROWS).json() == ANSWERS[name]
    check_one_of_two(answers)


def test_reloads_between_two_versions_drop_and_mix_no_answer(savedmodels, served):
    """A new version becomes the default and is rolled back, eight times with a reload of both behind it."""
    _, client, _ = served
    with asked_by_many(client.base_url) as answers:
        data = archives.zip_of(savedmodels / "other" / "1")
        assert client.put("/v1/models/m/versions/2", content=data).status_code == 201
        for _ in range(4):
            assert client.post("/v1/models/m:rollback").json()["labels"] == {"default": 1}
            assert client.post(LOAD).status_code == 200
            assert client.post(PREDICT, json=ROWS).json() == ANSWERS["affine"]
            assert client.put("/v1/models/m/labels/default", json={"version": 2}).status_code == 200
            assert client.post(LOAD).status_code == 200
            assert client.post(PREDICT, json=ROWS).json() == ANSWERS["other"]
    check_one_of_two(answers)


def truncate_graph(version):
    """Half of a graph."""
    path = version / "saved_model.pb"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def damage_shard(version):
    """One bit of the variables."""
    [shard] = (version / "variables").glob("*.data*")
    content = bytearray(shard.read_bytes())
    content[10] ^= 1
    shard.write_bytes(content)


@pytest.mark.parametrize(("damage", "code"), [(truncate_graph, "load_failed"), (damage_shard, "corrupt_checkpoint")])
def test_a_reload_of_what_is_broken_leaves_the_old_one_serving(savedmodels, served, damage, code):
    """The load says what is wrong, who asks notices nothing, and what was repaired can be loaded."""
    server, client, version = served
    [worker] = processes.workers(server.process.pid)
    damage(version)
    with asked_by_many(client.base_url) as answers:
        for _ in range(3):
            refused = client.post(LOAD)
            assert (refused.status_code, refused.json()["code"]) == (422, code), refused.text
            assert "failed to load 'm'" in refused.json()["error"]
            assert "what was loaded before still answers" in refused.json()["error"]
    assert {answer.status_code for answer in answers} == {200}
    assert all(answer.json() == ANSWERS["affine"] for answer in answers)
    processes.wait_for(lambda: processes.workers(server.process.pid) == [worker])
    assert client.get("/v1/models/m").json()["versions"][0]["state"] == "AVAILABLE"
    shutil.copytree(savedmodels / "other" / "1", version, dirs_exist_ok=True)
    assert client.post(LOAD).status_code == 200
    assert client.post(PREDICT, json=ROWS).json() == ANSWERS["other"]


def test_loading_and_unloading_again_and_again_leaves_nothing(served):
    """The front's memory hardly grows, and its descriptors and processes are as many as before."""
    server, client, _ = served

    def cycle(times):
        for _ in range(times):
            assert client.post(UNLOAD).status_code == 200
            assert client.post(LOAD).status_code == 200
        assert client.post(PREDICT, json=ROWS).json() == ANSWERS["affine"]

    def settle():
        processes.wait_for(lambda: len(processes.workers(pid)) == 1)

    pid = server.process.pid
    cycle(WARM_CYCLES)
    settle()  # the worker of the last unload may still be ending
    before_mb, before_descriptors = processes.footprint(pid)
    before = len(processes.children(pid))
    cycle(CYCLES)
    settle()
    assert len(processes.children(pid)) == before
    processes.wait_for(lambda: processes.footprint(pid)[1] <= before_descriptors)
    assert processes.footprint(pid)[0] - before_mb < GROWTH_MAX_MB
