"""Several models at once: each has a worker of its own, and no model waits for another."""

import shutil
import threading

import httpx
import processes
import pytest

ROW = {"instances": [[0, 0, 0, 1]]}


@pytest.fixture(scope="module")
def patient(savedmodels, tmp_path_factory):
    """A server with a fast and a slow model, two workers each, where a call may take long."""
    folder = tmp_path_factory.mktemp("patient")
    for name in ("affine", "slow"):
        shutil.copytree(savedmodels / name, folder / name)
    with processes.Server(folder, "--instances", "2", "--call-timeout-s", "60") as server:
        server.wait_until("/readyz")
        processes.wait_for(lambda: loads(server) == ["2.0", "2.0"], 60)
        yield server


def loads(server):
    """How many workers have loaded each of the two models."""
    text = httpx.get(f"{server.url}/metrics").text
    return [line.split()[-1] for line in text.splitlines() if line.startswith("qlayer_loads_total{")]


def ask_slow(server, rounds, answers):
    """A thread that asks the slow model once."""

    def ask():
        url = f"{server.url}/v1/models/slow:predict"
        answers.append(httpx.post(url, json={"instances": [rounds]}, timeout=120))

    thread = threading.Thread(target=ask)
    thread.start()
    return thread


def test_a_slow_model_does_not_starve_a_fast_one(patient):
    """While both workers of a slow model compute, a fast one is answered again and again."""
    slow = []
    threads = [ask_slow(patient, 400, slow) for _ in range(2)]
    with httpx.Client(timeout=60) as client:
        fast = [client.post(f"{patient.url}/v1/models/affine:predict", json=ROW) for _ in range(20)]
    assert not slow, "the slow calls were meant to take longer than the fast ones"
    assert {answer.status_code for answer in fast} == {200}
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in slow] == [200, 200]


def test_workers_of_one_version_compute_side_by_side(patient):
    """With one worker busy for long, the other takes what comes."""
    slow = []
    thread = ask_slow(patient, 400, slow)
    with httpx.Client(timeout=60) as client:
        quick = [client.post(f"{patient.url}/v1/models/slow:predict", json={"instances": [0]}) for _ in range(5)]
    assert not slow, "the slow call was meant to take longer than the quick ones"
    assert [answer.json() for answer in quick] == [{"predictions": [0.0]}] * 5
    thread.join()


def test_workers_of_single_models(savedmodels, tmp_path):
    """One model has as many workers as it is given by its name, the other as many as all, and both tell so."""
    for name in ("affine", "slow"):
        shutil.copytree(savedmodels / name, tmp_path / name)
    with processes.Server(tmp_path, "--instances-of", "slow=2") as server:
        server.wait_until("/readyz")
        processes.wait_for(lambda: loads(server) == ["1.0", "2.0"], 60)
        configs = [httpx.get(f"{server.url}/v2/models/{name}/config").json() for name in ("affine", "slow")]
    assert [config["instance_group"][0]["count"] for config in configs] == [1, 2]
