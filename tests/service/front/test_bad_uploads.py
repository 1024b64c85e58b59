"""Uploads that must be refused: each with its status and code, and without a trace."""

import base64
import contextlib
import hashlib
import io
import socket
import subprocess
import tarfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import archives
import bad_archives
import httpx
import processes
import pytest
import standing

HEADERS = {"Authorization": f"Bearer {processes.MANAGE_KEY}"}
LIMITS = ["--upload-max-bytes", "16000000", "--unpacked-max-bytes", "20000000", "--file-max-bytes", "2000000"]
TINY_MODEL = [("saved_model.pb", b"graph" * 100), ("variables/variables.index", b"index")]
ARCHIVES = bad_archives.refused(TINY_MODEL)
PATH = "/v1/models/refused/versions/1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the store in it, to see that nothing appears beside it."""
    return tmp_path_factory.mktemp("world")


@pytest.fixture(scope="module")
def strict(folder, savedmodels):
    """A client of a server with low limits that serves one good model."""
    models = folder / "models"
    models.mkdir()
    with processes.Server(models, *LIMITS, "--body-timeout-s", "5", "--upload-timeout-s", "2") as server:
        server.wait_until("/readyz")
        with httpx.Client(base_url=server.url, headers=HEADERS, timeout=60) as client:
            good = archives.zip_of(savedmodels / "affine" / "1")
            assert client.put("/v1/models/control/versions/1", content=good).status_code == 201
            yield client


@pytest.fixture
def untouched(strict, folder):
    """After the test: alive, the good model answers as ever, staging is empty, nothing new lies anywhere."""
    with standing.unharmed(strict, folder / "models", "control", folder):
        yield
    assert strict.get("/v1/models").json() == {"models": ["control"]}


def refused(answer, status, code):
    """Check an error and that its text tells nothing of the server."""
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert len(answer.json()["error"]) < 400
    standing.check_silent(answer.text)
    return answer


@pytest.mark.parametrize("name", ARCHIVES)
@pytest.mark.usefixtures("untouched")
def test_archives_that_are_refused(strict, name):
    """Each trick, sent as `curl -T` sends it."""
    data, status, code = ARCHIVES[name]
    refused(strict.put(PATH, content=data), status, code)


def _good():
    return bad_archives.zipped(TINY_MODEL)


def _sha256(data):
    return hashlib.sha256(data).digest()


HEADER_ROWS = {
    "text": ({"content-type": "text/plain"}, 415, "unsupported_media_type"),
    "json": ({"content-type": "application/json"}, 415, "unsupported_media_type"),
    "bz2": ({"content-type": "application/x-bzip2"}, 415, "unsupported_media_type"),
    "zip as tar": ({"content-type": "application/x-tar"}, 415, "unsupported_media_type"),
    "zip as gzip": ({"content-type": "application/gzip; a=b"}, 415, "unsupported_media_type"),
    "encoding": ({"content-encoding": "gzip"}, 415, "unsupported_media_type"),
    "encodings": ({"content-encoding": "identity, br"}, 415, "unsupported_media_type"),
    "other digest": ({"x-content-sha256": "0" * 64}, 422, "digest_mismatch"),
    "digest of something": ({"x-content-sha256": "xyz"}, 400, "invalid_header"),
    "other content digest": (
        {"content-digest": f"sha-256=:{base64.b64encode(bytes(32)).decode()}:"},
        422,
        "digest_mismatch",
    ),
    "short content digest": ({"content-digest": "sha-256=:AAAA:"}, 400, "invalid_header"),
    "bad content digest": ({"content-digest": "sha-256=abc"}, 400, "invalid_header"),
    "unknown content digest": ({"content-digest": "md5=:AAAA:"}, 400, "invalid_header"),
    "form without a boundary": ({"content-type": "multipart/form-data"}, 400, "invalid_request"),
    "form that is none": ({"content-type": "multipart/form-data; boundary=x"}, 400, "invalid_request"),
}


@pytest.mark.parametrize("name", HEADER_ROWS)
@pytest.mark.usefixtures("untouched")
def test_headers_that_are_refused(strict, name):
    """What is declared must be known and must be so."""
    headers, status, code = HEADER_ROWS[name]
    refused(strict.put(PATH, content=_good(), headers=headers), status, code)


@pytest.mark.parametrize("media_type", ["application/zip", "application/x-zip-compressed", "Application/ZIP; a=b", ""])
@pytest.mark.usefixtures("untouched")
def test_headers_that_are_taken(strict, media_type):
    """With a right digest and type the archive is read: what is refused then is the graph in it."""
    data = _good()
    digests = {
        "x-content-sha256": _sha256(data).hex().upper(),
        "content-digest": f"md5=:AA==:, sha-256=:{base64.b64encode(_sha256(data)).decode()}:",
    }
    answer = strict.put(PATH, content=data, headers={"content-type": media_type, **digests})
    refused(answer, 422, "malformed_graph")


def _form(*files, fields=()):
    """A multipart body of (filename, content, type) and (name, value)."""
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode() for name, value in fields]
    for filename, content, media_type in files:
        head = (
            f'Content-Disposition: form-data; name="file"; filename="{filename}"\r\nContent-Type: {media_type}\r\n\r\n'
        )
        parts.append(head.encode() + content)
    body = b"".join(b"--x\r\n" + part + b"\r\n" for part in parts) + b"--x--\r\n"
    return {"content": body, "headers": {"content-type": 'multipart/form-data; boundary="x"'}}


FORM_ROWS = {
    "no file": (_form(fields=[("a", "b")]), 400, "invalid_request"),
    "two files": (_form(("a", b"x", "application/zip"), ("b", b"x", "application/zip")), 400, "invalid_request"),
    "empty file": (_form(("a", b"", "application/zip")), 400, "empty_body"),
    "text": (_form(("a", _good(), "text/plain")), 415, "unsupported_media_type"),
    "zip as tar": (_form(("a", _good(), "application/x-tar")), 415, "unsupported_media_type"),
    "large field": (_form(fields=[("a", "b" * 100_000)]), 400, "invalid_request"),
    "many fields": (_form(fields=[("a", "b")] * 50), 400, "invalid_request"),
    "cut off": (
        {**_form(("a", _good(), "")), "content": _form(("a", _good(), ""))["content"][:-30]},
        400,
        "invalid_request",
    ),
    "traversal": (_form(("../../x", b"text", "application/octet-stream")), 422, "bad_archive"),
    "good but for its graph": (
        _form(("m.zip", _good(), "application/zip"), fields=[("a", "b")]),
        422,
        "malformed_graph",
    ),
}


@pytest.mark.parametrize("name", FORM_ROWS)
@pytest.mark.usefixtures("untouched")
def test_forms_that_are_refused(strict, name):
    """A form brings one file, and little beside it."""
    options, status, code = FORM_ROWS[name]
    refused(strict.put(PATH, **options), status, code)


@pytest.mark.parametrize("name", ["..", "%2e%2e", "a%2fb", "%20", "a" * 300, "a%0a", ".hidden", "-a"])
@pytest.mark.usefixtures("untouched")
def test_bad_names(strict, name):
    """No name that could be a path is one; some never reach a route."""
    answer = strict.put(f"/v1/models/{name}/versions/1", content=_good())
    assert (answer.status_code, answer.json()["code"]) in {
        (400, "invalid_name"),
        (400, "malformed_request"),
        (404, "not_found"),
        (405, "method_not_allowed"),
    }


@pytest.mark.parametrize("version", ["0", "-1", "01", "1.5", "abc", str(2**70), "%D9%A1"])
@pytest.mark.usefixtures("untouched")
def test_bad_versions(strict, version):
    """A version is a plain whole number from 1 to 2^63 - 1."""
    refused(strict.put(f"/v1/models/refused/versions/{version}", content=_good()), 400, "invalid_version")


@pytest.mark.usefixtures("untouched")
def test_too_large_bodies(strict):
    """413 by the declared length before anything is sent, and by counting where none is declared."""
    refused(strict.put(PATH, content=iter([b"x" * 1_000_000] * 17)), 413, "payload_too_large")
    with _sent(strict, [b"Content-Length: 16000001"]) as connection:
        assert b" 413 " in connection.recv(1000)


@pytest.mark.usefixtures("untouched")
def test_a_client_that_leaves(strict):
    """Half of a body and then nothing: nothing is stored, and nothing is left."""
    with _sent(strict, [b"Content-Length: 1000"], b"x" * 500):
        time.sleep(0.2)


@pytest.mark.usefixtures("untouched")
def test_a_slow_upload(strict):
    """A byte now and then is not enough: 408 when the time for the whole upload is over."""
    with _sent(strict, [b"Content-Length: 1000"]) as connection:
        for _ in range(40):
            with contextlib.suppress(OSError):
                connection.send(b"x")
            time.sleep(0.1)
        answer = connection.recv(4000)
    assert b" 408 " in answer
    assert b"upload_timeout" in answer


@contextlib.contextmanager
def _sent(client, headers, body=b""):
    """A connection on which the beginning of an upload was sent."""
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=30) as connection:
        head = [b"PUT %s HTTP/1.1" % PATH.encode(), b"Host: x", b"Authorization: " + HEADERS["Authorization"].encode()]
        connection.sendall(b"\r\n".join([*head, *headers, b"", b""]) + body)
        yield connection


def test_more_uploads_than_are_taken_at_once(savedmodels, tmp_path):
    """One more is told so at once, and may try again; the one that was there first is stored."""
    data = archives.zip_of(savedmodels / "affine" / "1")
    goes_on = threading.Event()

    def slowly():
        yield data[:1000]
        goes_on.wait(30)
        yield data[1000:]

    with processes.Server(tmp_path, "--uploads-max", "1") as server, ThreadPoolExecutor() as pool:
        server.wait_until("/readyz")
        first = pool.submit(httpx.put, server.url + PATH, content=slowly(), headers=HEADERS, timeout=60)
        processes.wait_for(lambda: list(tmp_path.glob(".staging/*")))
        second = httpx.put(server.url + PATH, content=data, headers=HEADERS)
        goes_on.set()
        refused(second, 503, "too_many_uploads")
        assert second.headers["retry-after"] == "5"
        assert first.result().status_code == 201


def test_an_archive_that_takes_too_long_to_unpack(savedmodels, tmp_path):
    """It is refused, and nothing of it is left."""
    data = archives.zip_of(savedmodels / "affine" / "1")
    with processes.Server(tmp_path, "--unpack-timeout-s", "1e-9") as server:
        server.wait_until("/readyz")
        refused(httpx.put(server.url + PATH, content=data, headers=HEADERS), 422, "unpack_timeout")
        processes.wait_for(lambda: not list((tmp_path / ".staging").iterdir()))
        assert httpx.get(f"{server.url}/v1/models", headers=HEADERS).json() == {"models": []}


def test_a_version_that_is_there(strict, savedmodels):
    """The same content is 200, however it is packed; other content is 409."""
    folder = savedmodels / "affine" / "1"
    path = "/v1/models/control/versions/1"
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        archive.add(folder, "top")
    packed = [
        archives.zip_of(folder),
        archives.tar_gz_of(folder),
        plain.getvalue(),
        bad_archives.zstd.compress(plain.getvalue()),
    ]
    assert [strict.put(path, content=data).status_code for data in packed] == [200] * 4
    refused(strict.put(path, content=archives.zip_of(savedmodels / "other" / "1")), 409, "version_exists")


def test_curl_sends_a_form(strict, savedmodels, tmp_path, folder):
    """`curl -F` uploads the next version; what is no part of a SavedModel is not stored."""
    model = tmp_path / "model"
    subprocess.run(["cp", "-r", savedmodels / "mlp" / "1", model], check=True)
    (model / ".DS_Store").write_text("not part of it")
    (model / "assets.extra").mkdir()
    (model / "assets.extra" / "circuit.json").write_text("{}")
    (model / "keras_metadata.pb").write_text("not part of it")
    file = tmp_path / "model.zip"
    file.write_bytes(archives.zip_of(model))
    command = ["curl", "-sS", "-F", f"file=@{file}", "-H", f"Authorization: {HEADERS['Authorization']}"]
    url = f"{strict.base_url}/v1/models/formed/versions".replace("//v1", "/v1")
    answer = subprocess.run([*command, url], capture_output=True, text=True, check=True)
    assert '"state":"AVAILABLE"' in answer.stdout, answer.stdout
    stored = {path.name for path in (folder / "models" / "formed" / "1").rglob("*") if path.is_file()}
    assert {"saved_model.pb", "circuit.json", "manifest.json"} <= stored
    assert not {".DS_Store", "keras_metadata.pb"} & stored
    assert strict.delete("/v1/models/formed").status_code == 200
