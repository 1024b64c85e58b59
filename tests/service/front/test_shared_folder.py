"""Two servers on one folder: each follows what the other does, and neither can hurt the other."""

import asyncio
import collections
import shutil
import signal
import threading
import time

import archives
import httpx
import processes
import pytest

from service.store.fsck import check
from service.store.store import Store

ROW = {"instances": [[0, 0, 0, 1]]}
FIRST, SECOND = {"predictions": [[6.5, 6.5]]}, {"predictions": [[18.5, 20.5]]}
HEADERS = {"Authorization": f"Bearer {processes.MANAGE_KEY}"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """The folder of both."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def pair(shared):
    """Clients of two servers on one folder; the second looks at it once in a minute only."""
    rare = {"SERVICE_POLL_INTERVAL_S": "60"}
    with processes.Server(shared) as one, processes.Server(shared, environment=rare) as two:
        one.wait_until("/readyz")
        two.wait_until("/readyz")
        with (
            httpx.Client(base_url=one.url, headers=HEADERS, timeout=60) as first,
            httpx.Client(base_url=two.url, headers=HEADERS, timeout=60) as second,
        ):
            yield first, second


@pytest.fixture(scope="module")
def data(savedmodels):
    """Two uploads with different contents."""
    return [archives.zip_of(savedmodels / model / "1") for model in ("affine", "other")]


def test_an_upload_on_one_is_served_by_the_other(pair, data):
    """At once, without a look at the folder in between; so are labels, and a deletion ends it."""
    first, second = pair
    assert first.put("/v1/models/followed/versions/1", content=data[0]).status_code == 201
    assert second.post("/v1/models/followed:predict", json=ROW).json() == FIRST
    assert first.put("/v1/models/followed/versions/2", content=data[1]).status_code == 201
    assert second.post("/v1/models/followed/versions/2:predict", json=ROW).json() == SECOND
    assert first.put("/v1/models/followed/labels/stable", json={"version": 1}).status_code == 200
    assert second.post("/v1/models/followed/labels/stable:predict", json=ROW).json() == FIRST
    assert second.delete("/v1/models/followed/versions/2").status_code == 200
    processes.wait_for(lambda: first.post("/v1/models/followed/versions/2:predict", json=ROW).status_code == 404)
    assert first.post("/v1/models/followed:predict", json=ROW).json() == FIRST


def test_uploads_on_both_at_once_store_each_version_once(pair, data, shared):
    """Of twenty uploads of three versions, each version is stored once; the same content is 200, other content 409."""

    async def upload(client, number, content):
        return number, await client.put(f"/v1/models/raced/versions/{number}", content=content)

    async def upload_all():
        async with (
            httpx.AsyncClient(base_url=pair[0].base_url, headers=HEADERS, timeout=120) as one,
            httpx.AsyncClient(base_url=pair[1].base_url, headers=HEADERS, timeout=120) as two,
        ):
            asked = [upload((one, two)[n % 2], n % 3 + 1, data[n % 5 == 0]) for n in range(20)]
            return await asyncio.gather(*asked)

    counts = collections.Counter((number, answer.status_code) for number, answer in asyncio.run(upload_all()))
    assert {status for _, status in counts} <= {200, 201, 409}
    assert [counts[number, 201] for number in (1, 2, 3)] == [1, 1, 1]
    assert not list((shared / ".staging").glob("*"))
    assert not list(check(Store(shared)))


def test_numbers_given_on_both_at_once_are_all_different(pair, savedmodels, tmp_path):
    """Six uploads without a number get six numbers, whichever server they went to."""
    contents = []
    folder = shutil.copytree(savedmodels / "affine" / "1", tmp_path / "model")
    (folder / "assets.extra").mkdir()
    for number in range(6):
        (folder / "assets.extra" / "circuit.json").write_text(f'{{"format": {number}}}')
        contents.append(archives.zip_of(folder))

    async def upload_all():
        async with (
            httpx.AsyncClient(base_url=pair[0].base_url, headers=HEADERS, timeout=120) as one,
            httpx.AsyncClient(base_url=pair[1].base_url, headers=HEADERS, timeout=120) as two,
        ):
            asked = [
                (one, two)[n % 2].post("/v1/models/numbered/versions", content=content)
                for n, content in enumerate(contents)
            ]
            return await asyncio.gather(*asked)

    answers = asyncio.run(upload_all())
    assert [answer.status_code for answer in answers] == [201] * 6, [answer.text for answer in answers]
    assert sorted(answer.json()["version"] for answer in answers) == list(range(1, 7))


def test_deleting_on_one_while_the_other_predicts_is_never_a_server_error(pair, data):
    """Who asks the other server gets predictions, and from some moment on 404."""
    first, second = pair
    path = "/v1/models/vanishing/versions/1"
    assert second.put(path, content=data[0]).status_code == 201
    processes.wait_for(lambda: first.post(f"{path}:predict", json=ROW).status_code == 200)
    statuses, is_over = [], threading.Event()

    def ask():
        with httpx.Client(base_url=first.base_url, timeout=60) as own:
            while not is_over.is_set():
                statuses.append(own.post(f"{path}:predict", json=ROW).status_code)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    assert second.delete(path).status_code == 200
    processes.wait_for(lambda: statuses[-1] == 404)
    is_over.set()
    for thread in threads:
        thread.join()
    assert set(statuses) == {200, 404}


@pytest.mark.parametrize("wait_s", [0.0, 0.02, 0.1, 0.4, 0.8])
def test_a_killed_server_leaves_versions_whole_or_absent(pair, shared, data, wait_s):
    """Kill -9 in the middle of uploads: what is stored is whole, and the next start clears up."""
    name = f"killed-{int(wait_s * 1000)}"
    with processes.Server(shared) as server:
        server.wait_until("/readyz")

        def upload():
            with httpx.Client(base_url=server.url, headers=HEADERS, timeout=60) as client:
                for number in range(1, 20):
                    client.put(f"/v1/models/{name}/versions/{number}", content=data[number % 2])

        def try_to_upload():
            try:
                upload()
            except httpx.TransportError:
                return

        thread = threading.Thread(target=try_to_upload)
        thread.start()
        time.sleep(wait_s)
        server.process.send_signal(signal.SIGKILL)
        thread.join()
    assert all(finding.kind == "orphan" for finding in check(Store(shared)))
    assert pair[0].get("/livez").status_code == 200
    with processes.Server(shared) as server:
        server.wait_until("/readyz")
        assert not list((shared / ".staging").glob("*"))
        for number in Store(shared).numbers(name):
            answer = httpx.post(f"{server.url}/v1/models/{name}/versions/{number}:predict", json=ROW, timeout=60)
            assert answer.json() == (FIRST, SECOND)[number % 2]
