"""Uploads over HTTP, from an archive to predictions."""

import asyncio
import itertools
import pathlib
import shutil
import subprocess

import archives
import httpx
import numpy as np
import processes
import pytest

_numbers = itertools.count(1)
ROW = {"instances": [[0, 0, 0, 1]]}


@pytest.fixture
def name():
    """A model's name that no other test has used."""
    return f"uploaded-{next(_numbers)}"


@pytest.fixture
def untouched(models):
    """Nothing is left in staging, and nothing new beside the models, whatever the test does."""
    before = {path.name for path in models.iterdir()} | {".staging", ".lock", ".audit.jsonl"}
    yield
    assert not list((models / ".staging").glob("*"))
    assert {path.name for path in models.iterdir()} <= before


def put(client, name, data, version="1", **options):
    """Upload a version."""
    return client.put(f"/v1/models/{name}/versions/{version}", content=data, **options)


@pytest.mark.parametrize("form", ["zip", "zip of the folder", "tar.gz", "tar.gz of the folder"])
def test_an_uploaded_model_is_served_at_once(client, savedmodels, models, name, form):
    """Each form of archive becomes a version that predicts when the upload has been answered."""
    pack = archives.zip_of if form.startswith("zip") else archives.tar_gz_of
    folder = savedmodels / "mlp" / "1"
    answer = put(client, name, pack(folder, *([f"model{'/' if 'zip' in form else ''}"] if "folder" in form else [])))
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/v1/models/{name}/versions/1"
    record = answer.json()
    assert (record["name"], record["version"], record["state"]) == (name, 1, "AVAILABLE")
    assert record["digest"].startswith("sha256:")
    known = np.load(savedmodels / "mlp.npz")
    predicted = client.post(f"/v1/models/{name}:predict", json={"instances": known["inputs"][:7].tolist()}).json()
    np.testing.assert_allclose(predicted["predictions"], known["outputs"][:7], atol=1e-5)
    assert (models / name / "1" / "saved_model.pb").read_bytes() == (folder / "saved_model.pb").read_bytes()
    assert (models / name / "1" / "manifest.json").exists()


def test_versions_never_change(client, savedmodels, name):
    """The same content again is 200, other content 409, and the newest version answers by default."""
    affine, other = archives.zip_of(savedmodels / "affine" / "1"), archives.zip_of(savedmodels / "other" / "1")
    assert put(client, name, affine).status_code == 201
    again = put(client, name, archives.tar_gz_of(savedmodels / "affine" / "1"))
    assert (again.status_code, again.json()["version"]) == (200, 1)
    refused = put(client, name, other)
    assert (refused.status_code, refused.json()["code"]) == (409, "version_exists")
    assert "is there with other content" in refused.json()["error"]
    assert put(client, name, other, "2").status_code == 201
    ask = f"/v1/models/{name}"
    assert client.post(f"{ask}:predict", json=ROW).json() == {"predictions": [[18.5, 20.5]]}
    assert client.post(f"{ask}/versions/1:predict", json=ROW).json() == {"predictions": [[6.5, 6.5]]}


def test_many_uploads_of_one_version_store_one(server, savedmodels, name):
    """Of ten uploads of the same version at once one stores it, and the others find it there."""
    data = archives.zip_of(savedmodels / "affine" / "1")

    async def put_all():
        headers = {"Authorization": f"Bearer {processes.MANAGE_KEY}"}
        async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60) as client:
            return await asyncio.gather(*(put(client, name, data) for _ in range(10)))

    assert sorted(answer.status_code for answer in asyncio.run(put_all())) == [200] * 9 + [201]


def test_curl_uploads_a_file(server, savedmodels, tmp_path, name):
    """The command a person types: curl -T with a bearer key."""
    file = tmp_path / "model.zip"
    file.write_bytes(archives.zip_of(savedmodels / "affine" / "1"))
    command = ["curl", "-sS", "-T", file, "-H", f"Authorization: Bearer {processes.MANAGE_KEY}"]
    answer = subprocess.run(
        [*command, f"{server.url}/v1/models/{name}/versions/1"], capture_output=True, text=True, check=True
    )
    assert '"state":"AVAILABLE"' in answer.stdout


@pytest.mark.parametrize("authorization", [None, "Bearer wrong", "Basic dXNlcjpw", f"bearer{processes.MANAGE_KEY}"])
@pytest.mark.usefixtures("untouched")
def test_without_the_key_nothing_is_read(server, authorization):
    """401 before the body was sent: a client that waits for permission to send it never gets one."""
    headers = {"Authorization": authorization} if authorization else {}
    answer = httpx.put(f"{server.url}/v1/models/m/versions/1", content=b"x" * 100_000, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


BAD = [
    ("empty", lambda _: b"", 400, "empty_body", "the body is empty"),
    ("text", lambda _: b"this is text" * 100, 422, "bad_archive", "this is no archive"),
    (
        "no model",
        lambda models: archives.zip_of(models / "mlp" / "1" / "variables"),
        422,
        "missing_saved_model",
        "there is",
    ),
    (
        "damaged",
        lambda models: archives.zip_of(models / "mlp" / "1")[:-9],
        422,
        "bad_archive",
        "the archive is damaged",
    ),
    ("crashing", lambda models: archives.zip_of(models / "crashing" / "1"), 422, "malformed_graph", "another dtype"),
]


@pytest.mark.parametrize(("make", "status", "code", "fragment"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
@pytest.mark.usefixtures("untouched")
def test_what_cannot_be_served_is_refused(client, savedmodels, make, status, code, fragment):
    """Each bad upload is refused with its reason, is not listed, and the server answers on."""
    answer = put(client, "refused", make(savedmodels))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert fragment in answer.json()["error"]
    assert client.get("/v1/models/refused").status_code == 404
    assert client.post("/v1/models/affine:predict", json=ROW).status_code == 200


BROKEN = [
    ("garbage graph", "saved_model.pb", b"this is no graph", "malformed_graph", "saved_model.pb is damaged"),
    ("empty graph", "saved_model.pb", b"", "malformed_graph", "saved_model.pb holds no graph"),
    ("no index", "variables/variables.index", None, "corrupt_checkpoint", "the model cannot be loaded"),
    ("no data", "variables/variables.data-00000-of-00001", b"", "corrupt_checkpoint", "the files below variables/"),
]


@pytest.mark.parametrize(
    ("file", "content", "code", "fragment"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN]
)
@pytest.mark.usefixtures("untouched")
def test_a_broken_model_is_refused_without_a_path_of_the_server(
    client, savedmodels, models, tmp_path, file, content, code, fragment
):
    """A SavedModel that does not load is 422, says why in one line, and tells nothing of the server's folders."""
    folder = shutil.copytree(savedmodels / "mlp" / "1", tmp_path / "model")
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_bytes(content)
    answer = put(client, "refused", archives.zip_of(folder))
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert fragment in answer.json()["error"]
    for secret in (str(models), ".staging", "Traceback", "\n"):
        assert secret not in answer.json()["error"]


@pytest.mark.parametrize("bad", ["a%20b", ".hidden", "a%00", "a" * 129, "%C3%A4", "a.", "-"])
@pytest.mark.usefixtures("untouched")
def test_bad_names_are_refused(client, bad):
    """A name that is no name is 400 before anything is read or written."""
    answer = put(client, bad, b"x")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_name")


@pytest.mark.parametrize("bad", ["0", "-1", "01", "1.5", "abc", str(2**63)])
@pytest.mark.usefixtures("untouched")
def test_bad_versions_are_refused(client, bad):
    """A version is a whole number from 1 to 2^63 - 1."""
    answer = put(client, "refused", b"x", bad)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_version")


@pytest.mark.usefixtures("untouched")
def test_too_large_uploads_are_refused(savedmodels, tmp_path):
    """413 by the declared length, and by counting where none was declared; 422 for what unpacks to too much."""
    with processes.Server(tmp_path, "--upload-max-bytes", "4000", "--unpacked-max-bytes", "500") as server:
        server.wait_until("/healthz")
        headers = {"Authorization": f"Bearer {processes.MANAGE_KEY}"}
        url = f"{server.url}/v1/models/m/versions/1"
        declared = httpx.put(url, content=b"x" * 5000, headers=headers)
        counted = httpx.put(url, content=iter([b"x" * 3000] * 2), headers=headers)
        assert [declared.status_code, counted.status_code] == [413, 413]
        assert declared.json()["error"] == counted.json()["error"]
        unpacked = httpx.put(url, content=archives.zip_of(savedmodels / "mlp" / "1" / "variables"), headers=headers)
        assert (unpacked.status_code, unpacked.json()["code"]) == (422, "archive_too_large")
        assert not list((tmp_path / ".staging").iterdir())


def test_a_version_that_is_gone_keeps_nothing_open(client, server, savedmodels, name):
    """Uploads and deletions leave the server with the descriptors it had."""

    def descriptors():
        return len(list(pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir()))

    data = archives.zip_of(savedmodels / "affine" / "1")
    before = None
    for number in range(1, 6):
        assert put(client, name, data, str(number)).status_code == 201
        assert client.delete(f"/v1/models/{name}/versions/{number}").status_code == 200
        before = before or descriptors()
    processes.wait_for(lambda: descriptors() <= before + 1)


def test_a_query_deletes_nothing(client, savedmodels, name):
    """A version in the query is no version in the path: nothing is deleted, and the error says how one is."""
    assert put(client, name, archives.zip_of(savedmodels / "affine" / "1")).status_code == 201
    answer = client.delete(f"/v1/models/{name}?version=1")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert client.post(f"/v1/models/{name}:predict", json=ROW).status_code == 200


def test_a_label_as_curl_sends_it(client, savedmodels, name):
    """Curl -d declares a form; what counts is what is in it. A label that is not there is told as one."""
    assert put(client, name, archives.zip_of(savedmodels / "affine" / "1")).status_code == 201
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    path = f"/v1/models/{name}/labels/canary"
    assert client.put(path, content=b'{"version": 1}', headers=headers).status_code == 200
    assert client.post(f"{path}:predict", json=ROW).status_code == 200
    assert client.delete(path).status_code == 200
    gone = client.delete(path)
    assert (gone.status_code, gone.json()["code"]) == (404, "label_not_found")
