"""Where the disk is full uploads are 507, leave nothing behind, and what is served goes on."""

import contextlib
import os
import resource
import shutil
import subprocess

import archives
import bad_archives
import httpx
import processes
import pytest

HEADERS = {"Authorization": f"Bearer {processes.MANAGE_KEY}"}
ROW = {"instances": [[0, 0, 0, 1]]}
NOISE = bad_archives.zipped([("saved_model.pb", os.urandom(3_000_000))])


@contextlib.contextmanager
def small_disk(folder, megabytes=2):
    """A file system of so many megabytes; the test is skipped where none may be mounted."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextlib.contextmanager
def serving(models, savedmodels, *flags):
    """A server that serves a model that was uploaded, and a client of it."""
    with processes.Server(models, *flags) as server:
        server.wait_until("/readyz")
        with httpx.Client(base_url=server.url, headers=HEADERS, timeout=60) as client:
            good = archives.zip_of(savedmodels / "affine" / "1")
            assert client.put("/v1/models/control/versions/1", content=good).status_code == 201
            yield server, client


def check_refused(models, answer, client):
    """507 and no trace, and the model answers."""
    assert (answer.status_code, answer.json()["code"]) == (507, "insufficient_storage"), answer.text
    assert not list((models / ".staging").iterdir())
    assert sorted(path.name for path in models.iterdir() if path.name[0] != ".") == ["control"]
    assert client.post("/v1/models/control:predict", json=ROW).json() == {"predictions": [[6.5, 6.5]]}


def test_a_file_system_that_is_full(savedmodels, tmp_path):
    """ENOSPC in the middle of a body, and a declared length that cannot fit."""
    with small_disk(tmp_path) as models, serving(models, savedmodels, "--disk-reserve-mb", "0") as (_, client):
        answer = client.put("/v1/models/large/versions/1", content=iter([NOISE]))
        check_refused(models, answer, client)
        answer = client.put("/v1/models/large/versions/1", content=NOISE)
        check_refused(models, answer, client)
        assert "no room on the server's disk for 3" in answer.json()["error"]


LARGE = {
    "a body": lambda: iter([bytes(1 << 20)] * 60),
    "what comes out of it": lambda: bad_archives.zipped([("saved_model.pb", bytes(60 << 20))]),
}
"""Without a declared length; or, unpacked, a thousand times as much as was sent."""


@pytest.mark.parametrize("content", LARGE.values(), ids=LARGE)
def test_the_reserve_stays_free_while_an_upload_is_written(savedmodels, tmp_path, content):
    """What would take more is 507 in the middle, long before the disk is full, and nothing of it is left."""
    flags = ("--disk-reserve-mb", "32")
    with small_disk(tmp_path, 64) as models, serving(models, savedmodels, *flags) as (_, client):
        free = shutil.disk_usage(models).free
        answer = client.put("/v1/models/large/versions/1", content=content())
        check_refused(models, answer, client)
        assert "disk_reserve_mb" in answer.json()["error"]
        assert shutil.disk_usage(models).free > free - (1 << 20)


def test_a_limit_on_files(savedmodels, tmp_path):
    """EFBIG is the same."""
    with serving(tmp_path, savedmodels) as (server, client):
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
        check_refused(tmp_path, client.put("/v1/models/large/versions/1", content=NOISE), client)


QUOTAS = [
    ("--models-max", "1", "/v1/models/another/versions/1", "too_many_models"),
    ("--versions-max", "1", "/v1/models/control/versions/2", "too_many_versions"),
    ("--stored-max-bytes", "20000", "/v1/models/another/versions/1", "store_full"),
    ("--key-max-bytes", "20000", "/v1/models/another/versions/1", "key_quota"),
]


@pytest.mark.parametrize(("flag", "value", "path", "code"), QUOTAS, ids=[row[3] for row in QUOTAS])
def test_quotas(savedmodels, tmp_path, flag, value, path, code):
    """Each is 507 with its code, before the model is loaded; the same version again still is 200."""
    with serving(tmp_path, savedmodels, flag, value) as (_, client):
        other = client.put(path, content=archives.zip_of(savedmodels / "other" / "1"))
        assert (other.status_code, other.json()["code"]) == (507, code), other.text
        same = client.put("/v1/models/control/versions/1", content=archives.zip_of(savedmodels / "affine" / "1"))
        assert same.status_code == 200
        assert not list((tmp_path / ".staging").iterdir())
