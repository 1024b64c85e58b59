"""The model repository extension, as Triton's clients use it."""

import itertools
import json
import shutil

import archives
import processes
import pytest
from oip_requests import overrides

_numbers = itertools.count(1)
ROW = {"instances": [[0, 0, 0, 1]]}
FIRST = {"predictions": [[6.5, 6.5]]}


@pytest.fixture
def name():
    """A model's name that no other test has used."""
    return f"managed-{next(_numbers)}"


@pytest.fixture
def model(client, savedmodels, name):
    """A model with one version."""
    answer = client.put(f"/v1/models/{name}/versions/1", content=archives.zip_of(savedmodels / "affine" / "1"))
    assert answer.status_code == 201
    return name


def rows(client, name, **body):
    """What the index says of a model."""
    answer = client.post("/v2/repository/index", json=body) if body else client.post("/v2/repository/index")
    assert answer.status_code == 200
    return [row for row in answer.json() if row["name"] == name]


def test_the_index_lists_every_version(client, model):
    """Ready ones and failed ones with the reason, by an empty body or an object; `ready` leaves the others out."""
    assert rows(client, model) == [{"name": model, "version": "1", "state": "READY"}]
    [broken] = rows(client, "broken")
    assert broken["state"] == "UNAVAILABLE"
    assert "cannot be loaded" in broken["reason"]
    assert rows(client, model, ready=True) == rows(client, model)
    assert rows(client, "broken", ready=True) == []
    assert rows(client, "broken", ready=False) == [broken]
    refused = client.post("/v2/repository/index", json={"ready": "yes"})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")


def test_unloading_and_loading(client, model):
    """An unloaded model has no worker and says what to do; loaded again it answers as before."""
    assert client.post(f"/v2/repository/models/{model}/unload").status_code == 200
    assert rows(client, model) == [{"name": model, "version": "1", "state": "UNAVAILABLE", "reason": "unloaded"}]
    refused = client.post(f"/v1/models/{model}:predict", json=ROW)
    assert (refused.status_code, refused.json()["code"]) == (503, "model_unavailable")
    assert f"/v2/repository/models/{model}/load" in refused.json()["error"]
    assert client.post(f"/v2/repository/models/{model}/load").json() == {"name": model, "load": True}
    assert client.post(f"/v1/models/{model}:predict", json=ROW).json() == FIRST
    assert client.post(f"/v2/repository/models/{model}/load", json={}).status_code == 200


def test_an_unloaded_model_is_told_in_tritons_words(client, model):
    """No version can be asked; nor the one named; and it is not ready."""
    assert client.post(f"/v2/repository/models/{model}/unload").status_code == 200
    body = {"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": [0, 0, 0, 1]}]}
    refused = client.post(f"/v2/models/{model}/infer", json=body)
    assert (refused.status_code, refused.json()["code"]) == (404, "model_not_found")
    assert f"Request for unknown model: '{model}' has no available versions" in refused.json()["error"]
    for answer in (
        client.post(f"/v2/models/{model}/versions/1/infer", json=body),
        client.get(f"/v2/models/{model}/versions/1"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (503, "model_unavailable")
        assert f"'{model}' version 1 is not at ready state" in answer.json()["error"]
    for path in ("", "/versions/1"):
        answer = client.get(f"/v2/models/{model}{path}/ready")
        assert (answer.status_code, answer.json()["ready"], answer.json()["name"]) == (503, False, model)
    [statistics] = client.get(f"/v2/models/{model}/stats").json()["model_stats"]
    assert statistics["version"] == "1"


@pytest.mark.parametrize("bring", ["same", "next", "files", "restore", "anew"])
def test_what_comes_into_an_unloaded_model_is_served(client, savedmodels, model, bring):
    """Uploaded again, uploaded beside it, sent with a load, brought back, or uploaded after all was deleted."""
    folder = savedmodels / "affine" / "1"
    content = archives.zip_of(folder)
    path = f"/v1/models/{model}/versions"
    if bring == "restore":
        assert client.put(f"{path}/2", content=content).status_code == 201
        assert client.delete(f"{path}/1").status_code == 200
    assert client.post(f"/v2/repository/models/{model}/unload").status_code == 200
    if bring == "anew":
        assert client.delete(f"/v1/models/{model}").status_code == 200
    requests = {
        "same": lambda: client.put(f"{path}/1", content=content),
        "next": lambda: client.put(f"{path}/2", content=content),
        "files": lambda: client.post(f"/v2/repository/models/{model}/load", json=overrides(folder)),
        "restore": lambda: client.post(f"{path}/1:restore"),
        "anew": lambda: client.put(f"{path}/2", content=content),
    }
    answer = requests[bring]()
    assert answer.status_code in {200, 201}, answer.text
    assert client.post(f"/v1/models/{model}:predict", json=ROW).json() == FIRST
    newest = 1 if bring in {"same", "files"} else 2
    processes.wait_for(lambda: client.get(f"{path}/{newest}").json()["versions"][0]["state"] == "AVAILABLE", 30)


def test_where_the_newest_cannot_be_loaded_the_one_before_it_is(client, models, model):
    """Also by a load behind an unload, which is answered when that one is ready."""
    shutil.copytree(models / "broken" / "1", models / model / "2")
    processes.wait_for(lambda: len(rows(client, model)) == 2)
    for verb in ("unload", "load"):
        answer = client.post(f"/v2/repository/models/{model}/{verb}")
        assert answer.status_code == 200, answer.text
    assert client.get(f"/v2/models/{model}/versions/1/ready").status_code == 200
    assert client.post(f"/v1/models/{model}:predict", json=ROW).json() == FIRST


def test_counters_go_on_through_unloading_and_loading(client, model):
    """What is counted never falls: a scraper would take that for a new start."""

    def answered():
        lines = client.get("/metrics").text.splitlines()
        [line] = [line for line in lines if line.startswith("qlayer_requests_total{") and f'"{model}"' in line]
        return float(line.split()[-1])

    for count in (1, 2):
        assert client.post(f"/v1/models/{model}:predict", json=ROW).json() == FIRST
        assert answered() == count
        for verb in ("unload", "load", "load"):
            assert client.post(f"/v2/repository/models/{model}/{verb}").status_code == 200
            assert answered() == count


def test_what_is_counted_by_model_does_not_fall_with_a_version(client, savedmodels, model):
    """Nor where it is brought back: the sums are of all versions that there have been."""

    def answered():
        lines = client.get("/metrics").text.splitlines()
        [line] = [line for line in lines if line.startswith(":tensorflow:serving:request_count{") and model in line]
        return float(line.split()[-1])

    path = f"/v1/models/{model}/versions"
    for _ in range(3):
        assert client.post(f"/v1/models/{model}:predict", json=ROW).status_code == 200
    assert client.put(f"{path}/2", content=archives.zip_of(savedmodels / "affine" / "1")).status_code == 201
    counts = [answered()]
    for method, place in (("DELETE", "1"), ("POST", "1:restore")):
        assert client.request(method, f"{path}/{place}").status_code == 200
        counts.append(answered())
    assert client.post(f"{path}/1:predict", json=ROW).status_code == 200
    assert [*counts, answered()] == [3, 3, 3, 4]


def test_a_reload_has_another_worker(server, client, model):
    """The old worker is gone, and a new one is there."""
    before = set(processes.workers(server.process.pid))
    assert client.post(f"/v2/repository/models/{model}/load").status_code == 200
    processes.wait_for(lambda: len(processes.workers(server.process.pid)) == len(before))
    assert len(set(processes.workers(server.process.pid)) - before) == 1


def test_a_load_that_brings_files_stores_them(client, savedmodels, models, name):
    """By the way of an upload: with a manifest, an uploader, and the rules for what may be in it."""
    body = overrides(savedmodels / "affine" / "1", 4)
    assert client.post(f"/v2/repository/models/{name}/load", json=body).status_code == 200
    assert client.post(f"/v1/models/{name}/versions/4:predict", json=ROW).json() == FIRST
    assert json.loads((models / name / "4" / "manifest.json").read_text())["uploader"] == "manage"
    assert client.post(f"/v2/repository/models/{name}/load", json=body).status_code == 200
    other = overrides(savedmodels / "other" / "1", 4)
    refused = client.post(f"/v2/repository/models/{name}/load", json=other)
    assert (refused.status_code, refused.json()["code"]) == (409, "version_exists")


BAD = {
    "unknown": ("/nobody/load", None, 404, "model_not_found", "failed to load 'nobody', failed to poll"),
    "unknown to unload": ("/nobody/unload", None, 404, "model_not_found", "failed to unload 'nobody'"),
    "broken": ("/broken/load", None, 422, "load_failed", "failed to load 'broken', no version is available"),
    "path": ("/a%20b/load", None, 400, "invalid_name", "must not contain path traversal characters"),
    "no JSON": ("/affine/load", "[", 400, "invalid_json", ""),
    "parameters": ("/affine/load", {"parameters": []}, 200, None, ""),
    "parameters of text": ("/affine/load", {"parameters": "x"}, 400, "invalid_request", "is an object"),
    "unknown parameter": ("/affine/load", {"parameters": {"x": 1}}, 400, "invalid_request", "unknown parameter 'x'"),
    "bad config": ("/affine/load", {"parameters": {"config": "["}}, 400, "invalid_request", "a JSON object"),
    "files alone": ("/new/load", {"parameters": {"file:1/a": "AA=="}}, 400, "invalid_request", "'config'"),
    "no base64": (
        "/new/load",
        {"parameters": {"config": "{}", "file:1/saved_model.pb": "%"}},
        400,
        "invalid_request",
        "no base64",
    ),
    "file of a number": ("/new/load", {"parameters": {"config": "{}", "file:1/a": 3}}, 400, "invalid_request", "int"),
    "version": ("/new/load", {"parameters": {"config": "{}", "file:0/a": ""}}, 400, "invalid_version", "0"),
    "upwards": ("/new/load", {"parameters": {"config": "{}", "file:1/../a": "AA=="}}, 422, "unsafe_path", "../a"),
    "absolute": ("/new/load", {"parameters": {"config": "{}", "file:1//a": "AA=="}}, 422, "unsafe_path", "/a"),
    "no graph": ("/new/load", {"parameters": {"config": "{}", "file:1/a": "AA=="}}, 422, "missing_saved_model", "a"),
}


@pytest.mark.parametrize("row", BAD)
def test_what_cannot_be_loaded(client, models, row):
    """Each mistake has its status, its code, and a text that Triton's clients know."""
    path, body, status, code, fragment = BAD[row]
    content = body.encode() if isinstance(body, str) else b"" if body is None else json.dumps(body).encode()
    answer = client.post(f"/v2/repository/models{path}", content=content)
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    assert fragment in answer.json().get("error", "")
    assert not (models / "new").exists()
    assert client.post("/v1/models/affine:predict", json=ROW).json() == FIRST


@pytest.mark.parametrize(
    "name", ["..", "%2e%2e", ".", "a/b", "a%2Fb", "..%2F..%2Fetc", "%2Fetc", "a%00b", "", "a" * 129]
)
@pytest.mark.parametrize("verb", ["load", "unload"])
def test_a_name_that_is_none(server, name, verb):
    """400 as it stands in the path, which no client's library has made better."""
    head = f"POST /v2/repository/models/{name}/{verb} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n"
    head += f"Authorization: Bearer {processes.MANAGE_KEY}\r\n\r\n"
    answer = processes.exchange(server.port, head.encode())
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    document = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert document["code"] == "invalid_name"
    assert "model name must not contain path traversal characters" in document["error"]


def test_tritonclient(server, client, savedmodels, model):
    """Triton's own client lists, unloads and loads, and sends files with a load."""
    triton = pytest.importorskip("tritonclient.http")
    headers = {"Authorization": f"Bearer {processes.MANAGE_KEY}"}
    with triton.InferenceServerClient(f"127.0.0.1:{server.port}") as own:
        index = own.get_model_repository_index(headers=headers)
        assert {"name": model, "version": "1", "state": "READY"} in index
        own.unload_model(model, headers=headers)
        assert rows(client, model)[0]["reason"] == "unloaded"
        own.load_model(model, headers=headers)
        folder = savedmodels / "other" / "1"
        files = {
            f"file:2/{path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*") if path.is_file()
        }
        own.load_model(model, headers=headers, config="{}", files=files)
        assert [row["version"] for row in rows(client, model)] == ["2", "1"]
        with pytest.raises(Exception, match="failed to poll from model repository"):
            own.load_model("nobody", headers=headers)
