"""Several fronts on one address and one folder."""

import os
import shutil
import signal

import archives
import httpx
import processes
import pytest

ROW = {"instances": [[0, 0, 0, 1]]}


@pytest.fixture
def twin(savedmodels, tmp_path):
    """A server with two fronts."""
    shutil.copytree(savedmodels / "affine", tmp_path / "affine")
    with processes.Server(tmp_path, "--fronts", "2") as server:
        processes.wait_for(lambda: len(fronts(server)) == 2)
        server.wait_until_all_are_ready()
        yield server


def fronts(server):
    """The processes that answer HTTP: the children of the one that was started."""
    family = processes.children(server.process.pid)
    return [pid for pid in family if processes.parent_of(pid) == server.process.pid]


def asked(server, path, count=20):
    """The statuses of many connections, which the kernel spreads over the fronts."""
    return {httpx.post(server.url + path, json=ROW, timeout=60).status_code for _ in range(count)}


def test_all_fronts_answer_and_what_one_stored_the_other_serves(twin, savedmodels):
    """An upload reaches one front; soon every connection finds it."""
    assert asked(twin, "/v1/models/affine:predict") == {200}
    headers = {"Authorization": f"Bearer {processes.MANAGE_KEY}"}
    data = archives.zip_of(savedmodels / "other" / "1")
    put = httpx.put(f"{twin.url}/v1/models/late/versions/1", content=data, headers=headers, timeout=60)
    assert put.status_code == 201
    processes.wait_for(lambda: asked(twin, "/v1/models/late:predict") == {200}, 60)


def test_a_front_that_dies_is_started_again(twin):
    """The other goes on, and after a moment there are two again."""
    before = fronts(twin)
    os.kill(before[0], signal.SIGKILL)
    processes.wait_for(lambda: len(set(fronts(twin)) - set(before)) == 1)
    processes.wait_for(lambda: asked(twin, "/v1/models/affine:predict") == {200}, 60)
    twin.process.terminate()
    assert twin.wait() == 0
    assert twin.output.count("listening on") == 1


def test_they_end_together(twin):
    """SIGTERM to the one that was started ends all of them, with status 0."""
    family = processes.children(twin.process.pid)
    twin.process.terminate()
    assert twin.wait() == 0
    processes.wait_for(lambda: not processes.running(family))


def test_they_do_not_outlive_their_parent(twin):
    """If the one that was started is killed, the fronts end by themselves."""
    family = processes.children(twin.process.pid)
    twin.process.kill()
    processes.wait_for(lambda: not processes.running(family), 30)
