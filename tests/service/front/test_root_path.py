"""A root path: everything is below it, its links too, and is still there without it."""

import re
import shutil
import subprocess
import sys

import archives
import httpx
import numpy as np
import processes
import pytest
from tritonclient import http as triton

ROOT = "/team-a/quantum"
TENSOR = {"name": "x", "shape": [1, 4], "datatype": "FP32", "data": [0, 0, 0, 1]}
QUESTIONS = [
    ("POST", "/v1/models/affine:predict", {"instances": [[0, 0, 0, 1]]}),
    ("POST", "/V1/Models/affine/Versions/1:Predict", {"instances": [[0, 0, 0, 1]]}),
    ("POST", "/v2/models/affine/infer", {"inputs": [TENSOR]}),
    ("GET", "/v1/models/affine/metadata", None),
    ("GET", "/v2", None),
    ("GET", "/v2/", None),
    ("GET", "/readyz", None),
    ("GET", "/docs", None),
    ("GET", "/openapi.json", None),
    ("GET", "/", None),
]


@pytest.fixture(scope="module")
def rooted(savedmodels, tmp_path_factory):
    """A server below a root path."""
    folder = tmp_path_factory.mktemp("rooted")
    shutil.copytree(savedmodels / "affine", folder / "affine")
    with processes.Server(folder, "--root-path", ROOT) as server:
        server.wait_until(f"{ROOT}/readyz")
        yield server


@pytest.mark.parametrize(("method", "path", "body"), QUESTIONS)
def test_everything_is_there_with_it_and_without(rooted, method, path, body):
    """The hot path and the framework's routes answer the same below it and where a proxy took it away."""
    answers = [httpx.request(method, rooted.url + root + path, json=body) for root in (ROOT, "")]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize("root", [f"{ROOT}s", "/team-a", ROOT.upper()])
def test_other_paths_are_not_there(rooted, root):
    """What only looks like it is 404."""
    assert httpx.get(f"{rooted.url}{root}/livez").status_code == 404


def test_curl(rooted):
    """The command of the documentation, with the root path in its URL."""
    url = f"{rooted.url}{ROOT}/v1/models/affine:predict"
    command = ["curl", "-sS", "-d", '{"instances": [[0, 0, 0, 1]]}', url]
    assert b'"predictions"' in subprocess.run(command, capture_output=True, check=True).stdout


def test_tritonclient(rooted):
    """Triton's client takes an address with a path."""
    x = triton.InferInput("x", [1, 4], "FP32")
    x.set_data_from_numpy(np.float32([[0, 0, 0, 1]]))
    with triton.InferenceServerClient(f"127.0.0.1:{rooted.port}{ROOT}") as client:
        assert client.is_server_live()
        assert client.is_model_ready("affine")
        assert client.get_model_metadata("affine")["name"] == "affine"
        assert client.infer("affine", [x]).as_numpy("y").tolist() == [[6.5, 6.5]]


def test_links_are_below_it(rooted, savedmodels):
    """The place of an upload, and the paths in a model's metadata, work as they are given."""
    data = archives.zip_of(savedmodels / "other" / "1")
    headers = {"Authorization": f"Bearer {processes.MANAGE_KEY}"}
    put = httpx.put(f"{rooted.url}{ROOT}/v1/models/other/versions/1", content=data, headers=headers, timeout=60)
    assert put.headers["location"] == f"{ROOT}/v1/models/other/versions/1"
    assert httpx.get(rooted.url + put.headers["location"]).status_code == 200
    shape = httpx.get(f"{rooted.url}{ROOT}/v2/models/affine").json()["properties"]["shape"]
    assert shape == f"{ROOT}/v1/models/affine/versions/1:shape"
    assert httpx.post(rooted.url + shape, json={"input_shape": [3, 4]}).status_code == 200


def test_the_documentation_is_below_it(rooted):
    """The page asks for its files there, and the document says that the server is there."""
    page = httpx.get(f"{rooted.url}{ROOT}/docs").text
    paths = [*re.findall(r"(?:src|href)=\"(/[^\"]+)\"", page), *re.findall(r"url: '(/[^']+)'", page)]
    assert len(paths) == 4
    for path in paths:
        assert path.startswith(f"{ROOT}/")
        assert httpx.get(rooted.url + path).status_code == 200
    assert httpx.get(f"{rooted.url}{ROOT}/openapi.json").json()["servers"] == [{"url": ROOT}]


def test_our_own_commands(rooted):
    """`list` asks below the path of its URL."""
    command = [sys.executable, "-m", "service", "list", "--url", rooted.url + ROOT]
    assert "affine" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
