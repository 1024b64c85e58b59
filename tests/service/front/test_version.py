"""Workers that die, hang or are killed, behind a server under load."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import httpx
import processes
import pytest
from oip_requests import overrides

ROW = {"instances": [[0, 0, 0, 1]]}
AFFINE = "/v1/models/affine:predict"


@pytest.fixture(scope="module")
def tight(savedmodels, tmp_path_factory):
    """A server with little patience: one row in a call, one in the queue, half a second to wait, one restart."""
    folder = tmp_path_factory.mktemp("tight")
    for name in ("affine", "slow"):
        shutil.copytree(savedmodels / name, folder / name)
    flags = ("--queue-max-rows", "1", "--batch-max-rows", "1", "--request-timeout-s", "0.5", "--restarts-max", "1")
    with processes.Server(folder, *flags) as server:
        server.wait_until("/readyz")
        yield server


@contextlib.contextmanager
def loaded(count, url, body):
    """Clients that ask the same again and again while the block runs, and what they were answered."""
    loads = [Load(url, body) for _ in range(count)]
    for load in loads:
        load.start()
    answers = []
    try:
        yield answers
    finally:
        for load in loads:
            load.is_over.set()
            load.join()
            answers += load.answers


def kill(server, count):
    """SIGKILL to a server's workers; returns when they are replaced."""
    victims = set(processes.workers(server.process.pid))
    for victim in victims:
        os.kill(victim, signal.SIGKILL)
    processes.wait_for(lambda: len(set(processes.workers(server.process.pid)) - victims) == count)


class Load(threading.Thread):
    """A client that asks the same again and again and keeps what it was answered."""

    def __init__(self, url, body):
        super().__init__(daemon=True)
        self.url, self.body = url, body
        self.answers = []
        self.is_over = threading.Event()

    def run(self):
        """Ask until it is over."""
        with httpx.Client(timeout=30) as client:
            while not self.is_over.is_set():
                self.answers.append(client.post(self.url, json=self.body))


def test_a_killed_worker_costs_its_batch_and_comes_back(server):
    """SIGKILL under load: what was in flight is 503 with Retry-After, all else is answered, and nobody intervenes."""
    count = len(processes.workers(server.process.pid))
    with loaded(8, server.url + AFFINE, ROW) as answers:
        time.sleep(0.3)
        for _ in range(2):
            kill(server, count)
            time.sleep(0.5)
    lost = [answer for answer in answers if answer.status_code != 200]
    assert len(lost) <= 2 * 8
    assert {answer.json()["code"] for answer in lost} <= {"worker_lost"}
    assert {answer.headers["retry-after"] for answer in lost} <= {"1"}
    assert {answer.text for answer in answers if answer.status_code == 200} == {'{"predictions":[[6.5,6.5]]}'}
    assert httpx.post(server.url + AFFINE, json=ROW).status_code == 200


def test_a_fork_server_that_dies_is_started_again(server, savedmodels, models):
    """Workers go on without their fork server, and the next load starts another."""
    before = processes.workers(server.process.pid)
    os.kill(processes.fork_server(server.process.pid), signal.SIGKILL)
    assert httpx.post(server.url + AFFINE, json=ROW).status_code == 200
    assert processes.running(before) == before
    shutil.copytree(savedmodels / "other", models / "late")
    late = server.url + "/v1/models/late:predict"
    processes.wait_for(lambda: httpx.post(late, json=ROW, timeout=30).status_code == 200, 30)
    assert httpx.post(server.url + AFFINE, json=ROW).status_code == 200


def test_a_call_that_takes_too_long_ends_its_worker(server):
    """504 after call_timeout_s, and the model answers again afterwards."""
    start = time.monotonic()
    slow = server.url + "/v1/models/slow:predict"
    answer = httpx.post(slow, json={"instances": [1e7]}, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (504, "call_timeout")
    assert answer.json()["error"] == "the model computed longer than 2 s"
    assert time.monotonic() - start < 20
    assert httpx.post(slow, json={"instances": [0]}, timeout=30).status_code == 200


def test_who_waits_too_long_in_the_queue_is_told(tight):
    """504 for a request that waits longer than request_timeout_s behind a slow one."""
    slow = tight.url + "/v1/models/slow:predict"
    with loaded(1, slow, {"instances": [1000]}):
        time.sleep(0.2)
        answer = httpx.post(slow, json={"instances": [0]}, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")
    assert "not computed in time" in answer.json()["error"]


def test_a_full_queue_is_told(tight):
    """429 with Retry-After when as many rows wait as may."""
    slow = tight.url + "/v1/models/slow:predict"
    processes.wait_for(lambda: httpx.post(slow, json={"instances": [0]}, timeout=30).status_code == 200)
    with loaded(6, slow, {"instances": [10]}) as answers:
        time.sleep(1)
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.status_code for answer in answers} >= {200, 429}
    assert {(answer.json()["code"], answer.headers["retry-after"]) for answer in refused} == {("queue_full", "1")}
    assert "1 rows wait already, of at most 1" in refused[0].json()["error"]


def test_a_model_whose_worker_dies_again_and_again_is_given_up(tight, savedmodels):
    """It is unavailable with the reason, and nothing else stops; a load with its files brings it back."""
    kill(tight, 2)
    kill(tight, 0)
    processes.wait_for(lambda: "END" in httpx.get(tight.url + "/v1/models/affine").text)
    answer = httpx.post(tight.url + AFFINE, json=ROW)
    assert (answer.status_code, answer.json()["code"]) == (503, "model_unavailable")
    assert answer.headers["retry-after"] == "10"
    assert "its worker died 2 times within 60 s" in answer.json()["error"]
    assert httpx.get(tight.url + "/v1/models/affine").json()["ready"] is False
    assert httpx.get(tight.url + "/healthz").status_code == 200
    headers = {"Authorization": f"Bearer {processes.MANAGE_KEY}"}
    load = f"{tight.url}/v2/repository/models/affine/load"  # with files that are there already
    answer = httpx.post(load, json=overrides(savedmodels / "affine" / "1"), headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text
    assert httpx.post(tight.url + AFFINE, json=ROW).status_code == 200


def test_workers_end_with_the_front(savedmodels, tmp_path):
    """A front that is killed takes its workers and its fork server with it."""
    shutil.copytree(savedmodels / "affine", tmp_path / "affine")
    with processes.Server(tmp_path) as server:
        server.wait_until("/readyz")
        family = processes.children(server.process.pid)
        assert len(processes.workers(server.process.pid)) == 1
        server.process.kill()
        processes.wait_for(lambda: not processes.running(family))


CLOSING = """
import asyncio, os, pathlib, signal, sys
from service.engine import forkserver
from service.errors import Unavailable
from service.front.limits import serving_limits
from service.front.models.version import Version
from service.settings import Settings
from service.store.store import VersionId

settings = Settings(models=pathlib.Path(sys.argv[1]), _cli_parse_args=[])
limits = serving_limits(settings)


def new():
    return Version(VersionId("affine", 1), settings.models / "affine" / "1", limits, None)


async def refusal(work):
    try:
        await asyncio.wait_for(work, 30)
    except Unavailable as exc:
        return exc.message


async def main():
    version = new()
    loading = asyncio.create_task(version.start())
    await asyncio.sleep(0.1)
    await version.close()
    print(await refusal(loading), version.worker_pids, version.state)
    version = new()
    await version.start()
    pids = version.worker_pids
    leaving = asyncio.create_task(version.infer_shapes("serving_default", {"x": [2, 4]}, 60))
    await asyncio.sleep(0.001)
    leaving.cancel()
    print((await version.infer_shapes("serving_default", {"x": [3, 4]}, 60))["y"][0], version.worker_pids == pids)
    os.kill(version.worker_pids[0], signal.SIGKILL)
    await asyncio.sleep(0.05)
    waiting = asyncio.create_task(version.infer_shapes("serving_default", {"x": [1, 4]}, 60))
    await asyncio.sleep(0)
    await version.close()
    print(await refusal(waiting), version.state)


with forkserver.running():
    asyncio.run(main())
"""


def test_a_version_that_is_removed_leaves_no_worker_and_nobody_waiting(savedmodels):
    """Closed while it loads, its worker is ended; closed between two workers, who waits for the next is told.

    Who asked for shapes and left has ended no worker.
    """
    command = [sys.executable, "-c", CLOSING, str(savedmodels)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.stderr.count("Traceback") == 0
    removed = "version 1 of affine is not served: it was removed"
    assert ended.stdout.splitlines() == [f"{removed} [] END", "[3, 2] True", f"{removed} END"]
