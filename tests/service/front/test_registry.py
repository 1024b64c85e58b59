"""The folder is the truth: what appears in it is served, what vanishes is not."""

import shutil
import threading
import time
from pathlib import Path

import httpx
import processes
import pytest

ROW = {"instances": [[0, 0, 0, 1]]}


def test_versions_come_and_go_without_a_failed_request(client, savedmodels, models):
    """A version dropped into the folder takes over, one taken out gives back, and no request fails meanwhile."""
    url = "/v1/models/dropped:predict"
    first, second = models / "dropped" / "1", models / "dropped" / "2"
    shutil.copytree(savedmodels / "affine" / "1", first)
    processes.wait_for(lambda: client.post(url, json=ROW).status_code == 200)
    answers, is_over = [], threading.Event()

    def ask():
        with httpx.Client(base_url=client.base_url, timeout=30) as own:
            while not is_over.is_set():
                answers.append(own.post(url, json=ROW))

    load = threading.Thread(target=ask)
    load.start()
    shutil.copytree(savedmodels / "other" / "1", second)
    processes.wait_for(lambda: client.post(url, json=ROW).json() == {"predictions": [[18.5, 20.5]]})
    shutil.rmtree(second)
    processes.wait_for(lambda: client.post(url, json=ROW).json() == {"predictions": [[6.5, 6.5]]})
    is_over.set()
    load.join()
    assert {answer.status_code for answer in answers} == {200}
    shutil.rmtree(models / "dropped")
    processes.wait_for(lambda: client.get("/v1/models/dropped").status_code == 404)


def test_a_half_copied_version_waits_and_a_repaired_one_is_tried_again(client, savedmodels, models):
    """A version that cannot be loaded is tried again when its files have changed, and never moved or changed."""
    folder = models / "repaired" / "1"
    shutil.copytree(savedmodels / "affine" / "1", folder)
    graph = (folder / "saved_model.pb").read_bytes()
    (folder / "saved_model.pb").write_bytes(graph[:100])
    processes.wait_for(lambda: "END" in client.get("/v1/models/repaired").text)
    (folder / "saved_model.pb").write_bytes(graph)
    processes.wait_for(lambda: client.post("/v1/models/repaired:predict", json=ROW).status_code == 200)
    assert not (folder / "manifest.json").exists()
    shutil.rmtree(folder.parent)


@pytest.mark.parametrize("path", [".hidden/1", "notes/readme", "versions/01", "versions/-1"])
def test_what_is_no_version_is_not_looked_at(client, savedmodels, models, path):
    """Folders whose names are no names or no versions are left alone."""
    shutil.copytree(savedmodels / "affine" / "1", models / path)
    time.sleep(1)
    assert client.get(f"/v1/models/{path.split('/', maxsplit=1)[0]}").status_code == 404
    shutil.rmtree((models / path).parent)


def test_a_change_during_a_look_at_the_folder_stays(savedmodels, tmp_path):
    """What is stored or labelled while the folder is being looked at is served so from then on."""
    for number in range(1, 3000):
        (tmp_path / "many" / str(number)).mkdir(parents=True)
    archive = Path(shutil.make_archive(tmp_path / "affine", "zip", savedmodels / "affine" / "1")).read_bytes()
    other = Path(shutil.make_archive(tmp_path / "other", "zip", savedmodels / "other" / "1")).read_bytes()
    headers = {"Authorization": f"Bearer {processes.MANAGE_KEY}"}

    def answers(name):
        return {tuple(client.post(f"/v1/models/{name}:predict", json=ROW).json()["predictions"][0]) for _ in range(50)}

    with processes.Server(tmp_path, environment={"SERVICE_POLL_INTERVAL_S": "0.001"}) as server:
        server.wait_until("/readyz")
        with httpx.Client(base_url=server.url, timeout=60, headers=headers) as client:
            for name in "abc":
                assert client.put(f"/v1/models/{name}/versions/1", content=archive).status_code == 201
                assert answers(name) == {(6.5, 6.5)}
                assert client.put(f"/v1/models/{name}/versions/2", content=other).status_code == 201
                for version, expected in ((1, (6.5, 6.5)), (2, (18.5, 20.5)), (1, (6.5, 6.5))):
                    moved = client.put(f"/v1/models/{name}/labels/default", json={"version": version})
                    assert moved.status_code == 200
                    assert answers(name) == {expected}


def test_a_folder_that_is_lost_for_a_while_loses_no_model(savedmodels, tmp_path):
    """While the folder cannot be read, what is served stays, and that is said once."""
    folder = tmp_path / "models"
    shutil.copytree(savedmodels / "affine", folder / "affine")
    with processes.Server(folder) as server:
        server.wait_until("/readyz")
        folder.rename(tmp_path / "elsewhere")
        time.sleep(1)
        assert httpx.post(f"{server.url}/v1/models/affine:predict", json=ROW).status_code == 200
        (tmp_path / "elsewhere").rename(folder)
    assert server.output.count("cannot be read, what is served stays") == 1
