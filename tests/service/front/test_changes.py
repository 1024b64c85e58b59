"""Versions leave and come back, labels move, and no request fails meanwhile."""

import io
import itertools
import json
import tarfile
import threading

import archives
import httpx
import pytest

_numbers = itertools.count(1)
ROW = {"instances": [[0, 0, 0, 1]]}
FIRST, SECOND = {"predictions": [[6.5, 6.5]]}, {"predictions": [[18.5, 20.5]]}


@pytest.fixture
def name():
    """A model's name that no other test has used."""
    return f"changed-{next(_numbers)}"


@pytest.fixture
def two(client, savedmodels, name):
    """The path of a model with two versions that answer differently."""
    for number, model in ((1, "affine"), (2, "other")):
        put(client, name, number, archives.zip_of(savedmodels / model / "1"))
    return f"/v1/models/{name}"


def put(client, name, number, data):
    """Upload a version."""
    answer = client.put(f"/v1/models/{name}/versions/{number}", content=data)
    assert answer.status_code == 201, answer.text
    return answer


def audited(models, name):
    """What the audit log says of a model."""
    entries = [json.loads(line) for line in (models / ".audit.jsonl").read_text().splitlines()]
    return [(entry["what"], entry.get("version")) for entry in entries if entry.get("model") == name]


def test_a_deleted_version_can_be_restored(client, models, name, two):
    """It answers 404 from its deletion on, its number stays taken, and restored it answers as before."""
    answer = client.delete(f"{two}/versions/2")
    assert (answer.status_code, answer.json()) == (200, {"name": name, "deleted": [2]})
    assert client.post(f"{two}/versions/2:predict", json=ROW).status_code == 404
    assert client.post(f"{two}:predict", json=ROW).json() == FIRST
    taken = client.put(f"{two}/versions/2", content=archives.zip_of(models / name / "1"))
    assert (taken.status_code, taken.json()["code"]) == (409, "version_in_trash")
    restored = client.post(f"{two}/versions/2:restore")
    assert (restored.status_code, restored.json()["state"]) == (200, "AVAILABLE")
    assert client.post(f"{two}:predict", json=ROW).json() == SECOND
    assert client.post(f"{two}/versions/2:restore").status_code == 404
    changes = [("upload", 1), ("upload", 2), ("delete", 2), ("restore", 2)]
    assert [entry for entry in audited(models, name) if "failed" not in entry[0]] == changes


def test_a_deleted_model_is_gone_and_its_numbers_stay_taken(client, models, savedmodels, name, two):
    """Nothing of it is listed, its folder is gone, and the next version has a number of its own."""
    assert client.delete(two).json()["deleted"] == [1, 2]
    assert client.get(two).status_code == 404
    assert client.delete(two).status_code == 404
    assert not (models / name).exists()
    data = archives.zip_of(savedmodels / "affine" / "1")
    answer = client.post(f"{two}/versions", content=data)
    assert (answer.status_code, answer.json()["version"]) == (201, 3)
    assert answer.headers["location"] == f"{two}/versions/3"
    again = client.post(f"{two}/versions", content=data)
    assert (again.status_code, again.json()["version"]) == (200, 3)


def test_a_labelled_version_stays(client, two):
    """409 until the label moves; then the version can be deleted."""
    assert client.put(f"{two}/labels/stable", json={"version": 1}).json()["labels"] == {"stable": 1}
    assert client.post(f"{two}/labels/stable:predict", json=ROW).json() == FIRST
    for path in (f"{two}/versions/1", two):
        answer = client.delete(path)
        assert (answer.status_code, answer.json()["code"]) == (409, "version_labelled")
        assert "PUT " in answer.json()["error"]
    assert client.put(f"{two}/labels/stable", json={"version": 2}).status_code == 200
    assert client.post(f"{two}/labels/stable:predict", json=ROW).json() == SECOND
    assert client.delete(f"{two}/versions/1").status_code == 200
    assert client.get(two).json()["labels"] == {"stable": 2}
    assert client.delete(f"{two}/labels/stable").json()["labels"] == {}
    assert client.delete(f"{two}/labels/stable").status_code == 404
    unknown = client.post(f"{two}/labels/stable:predict", json=ROW)
    assert (unknown.status_code, unknown.json()["code"]) == (400, "label_not_found")


def test_rolling_back_serves_the_version_before(client, two):
    """`default` decides who answers where no version is named; a new version does not take over then."""
    assert client.post(f"{two}:predict", json=ROW).json() == SECOND
    assert client.post(f"{two}:rollback").json()["labels"] == {"default": 1}
    assert client.post(f"{two}:predict", json=ROW).json() == FIRST
    answer = client.post(f"{two}:rollback")
    assert (answer.status_code, answer.json()["code"]) == (409, "no_older_version")
    assert client.put(f"{two}/labels/default", json={"version": 2}).status_code == 200
    assert client.post(f"{two}:predict", json=ROW).json() == SECOND


@pytest.mark.parametrize(
    ("label", "body", "status", "code"),
    [
        ("stable", {"version": 7}, 404, "model_not_found"),
        ("stable", {"version": "x"}, 400, "invalid_version"),
        ("stable", {"version": True}, 400, "invalid_request"),
        ("stable", {}, 400, "invalid_request"),
        ("stable", [1], 400, "invalid_json"),
        ("a%20b", {"version": 1}, 400, "invalid_name"),
    ],
)
def test_labels_that_cannot_be(client, two, label, body, status, code):
    """A label points at a version that is there, and has a plain name."""
    answer = client.put(f"{two}/labels/{label}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def test_no_label_points_at_a_version_that_is_not_ready(client):
    """409, with the reason why the version is not served."""
    answer = client.put("/v1/models/broken/labels/stable", json={"version": 1})
    assert (answer.status_code, answer.json()["code"]) == (409, "version_not_ready")
    assert "cannot be loaded" in answer.json()["error"]


def test_what_an_operator_put_there_is_not_deleted(client, models):
    """409 with what to do; the folder is as it was."""
    answer = client.delete("/v1/models/affine/versions/1")
    assert (answer.status_code, answer.json()["code"]) == (409, "folder_model")
    assert "operator" in answer.json()["error"]
    assert (models / "affine" / "1" / "saved_model.pb").exists()


def test_a_copy_is_the_same_version(client, savedmodels, name, two):
    """The tar.gz of a version holds its files and no more, twice the same bytes; uploaded again it is the same."""
    answer = client.get(f"{two}/versions/1/archive")
    assert answer.headers["content-type"] == "application/gzip"
    assert answer.content == client.get(f"{two}/versions/1/archive").content
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        names = archive.getnames()
    assert "saved_model.pb" in names
    assert "manifest.json" not in names
    again = client.put(f"{two}/versions/1", content=answer.content)
    assert again.status_code == 200
    assert answer.headers["etag"] == f'"{again.json()["digest"]}"'
    del savedmodels, name


def test_a_listing_tells_what_is_known(client, two):
    """Of each version: digest, bytes, when and by whom it was stored, and its state."""
    for record in client.get(two).json()["versions"]:
        assert record["digest"].startswith("sha256:")
        assert record["bytes"] > 0
        assert record["uploader"] == "manage"
        assert record["is_verified"]


def test_changes_drop_no_request(client, two):
    """While labels move and versions go and come, who asks the model gets an answer of one of its versions."""
    answers, is_over = [], threading.Event()

    def ask():
        with httpx.Client(base_url=client.base_url, timeout=30) as own:
            while not is_over.is_set():
                answers.append(own.post(f"{two}:predict", json=ROW))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        assert client.put(f"{two}/labels/default", json={"version": 1}).status_code == 200
        assert client.delete(f"{two}/versions/2").status_code == 200
        assert client.post(f"{two}/versions/2:restore").status_code == 200
        assert client.put(f"{two}/labels/default", json={"version": 2}).status_code == 200
    is_over.set()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {200}
    assert all(answer.json() in (FIRST, SECOND) for answer in answers)


def test_changes_need_the_manage_key(server, two):
    """401 for each call that changes something."""
    for method, path in [
        ("DELETE", two),
        ("DELETE", f"{two}/versions/1"),
        ("POST", f"{two}/versions"),
        ("POST", f"{two}/versions/1:restore"),
        ("PUT", f"{two}/labels/a"),
        ("DELETE", f"{two}/labels/a"),
        ("POST", f"{two}:rollback"),
        ("POST", "/v2/repository/models/affine/load"),
        ("POST", "/v2/repository/models/affine/unload"),
    ]:
        assert httpx.request(method, server.url + path).status_code == 401, path
