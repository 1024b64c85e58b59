"""The program: how it starts, what it prints, whom it lets in, and how it ends."""

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import processes
import pytest

from service.__main__ import main

ROW = {"instances": [[0, 0, 0, 1]]}


def _run(*arguments):
    command = [sys.executable, "-W", "error", "-m", "service", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        ([], "expected a command: serve"),
        (["fly"], "expected a command: serve"),
        (["serve"], "models: Field required (give --models or SERVICE_MODELS)"),
        (["serve", "--models", "/nowhere"], "models: /nowhere is not a folder"),
        (["serve", "--models", ".", "--port", "high"], "port: Input should be a valid integer"),
        (["serve", "--models", ".", "--port", "70000"], "port: Input should be less than or equal to 65535"),
        (
            ["serve", "--models", ".", "--root-path", "a"],
            "root_path: Value error, 'a' is none: expected such as /quantum",
        ),
        (
            ["serve", "--models", ".", "--instances-of", "a=0"],
            "'a=0' is none: expected model=workers, with 1 to 64 workers",
        ),
        (
            ["serve", "--models", ".", "--root-path", "/v1/a"],
            "'/v1/a' begins with a path of the server's own: expected such as /quantum",
        ),
        (["serve", "--models", ".", "--root-path", "/Metrics"], "'/Metrics' begins with a path of the server's own"),
        (["serve", "--models", ".", "--wings", "2"], "unrecognized arguments: --wings 2"),
        (["serve", "--models", ".", "--manage-key-file", "/nowhere"], "manage_key_file: cannot read /nowhere"),
    ],
)
def test_bad_settings_are_one_line_and_status_2(arguments, fragment, capsys):
    """Settings that cannot work end the program with one clear line."""
    status = main(arguments)
    output = capsys.readouterr()
    assert (status, output.out) == (2, "")
    assert fragment in output.err
    assert output.err.count("\n") == 1


def test_a_port_in_use_is_one_line_and_status_2(tmp_path):
    """Somebody else's port is named."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        ended = _run("serve", "--models", str(tmp_path), "--port", port)
    assert ended.returncode == 2
    assert ended.stderr == f"service: port: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_help_tells_every_setting():
    """--help names every flag with its unit and meaning."""
    ended = _run("serve", "--help")
    assert ended.returncode == 0
    assert "--call-timeout-s" in ended.stdout
    assert "seconds one call may compute" in " ".join(ended.stdout.split())


def test_the_front_starts_light_and_says_where(tmp_path):
    """It holds no TensorFlow, and says where it is and when ready."""
    with processes.Server(tmp_path) as server:
        server.wait_until("/readyz")
        assert "tensorflow" not in Path(f"/proc/{server.process.pid}/maps").read_text()
    lines = [line for line in server.output.splitlines() if " INFO workers run with " not in line]
    assert lines == [
        f"listening on {server.url}, loading models from {tmp_path}",
        f"ready on {server.url}, serving no model yet; documentation at {server.url}/docs",
    ]


def test_sigterm_drains_and_leaves_nobody(savedmodels, tmp_path):
    """On SIGTERM it is not ready at once, answers what it was asked, ends with status 0, and leaves no process."""
    shutil.copytree(savedmodels / "slow", tmp_path / "slow")
    with processes.Server(tmp_path, "--drain-wait-s", "3") as server:
        server.wait_until("/readyz")
        family = processes.children(server.process.pid)
        answers = []
        url = f"{server.url}/v1/models/slow:predict"
        asking = threading.Thread(target=lambda: answers.append(httpx.post(url, json={"instances": [300]}, timeout=60)))
        asking.start()
        time.sleep(0.3)
        server.process.terminate()
        body = server.wait_until("/readyz", 503).json()
        assert (body["ready"], body["draining"]) == (False, True)
        assert server.wait() == 0
        asking.join()
    assert [answer.status_code for answer in answers] == [200]
    processes.wait_for(lambda: not processes.running(family))
    assert "Traceback" not in server.output


@pytest.mark.parametrize("when", ["at once", "when ready"])
def test_ctrl_c_ends_the_whole_group_quietly(savedmodels, tmp_path, when):
    """Ctrl-C on a terminal reaches every process of the group; none of them complains, also not while loading."""
    shutil.copytree(savedmodels / "affine", tmp_path / "affine")
    with processes.Server(tmp_path) as server:
        server.wait_until("/healthz")
        if when == "when ready":
            server.wait_until("/readyz")
        family = processes.children(server.process.pid)
        for pid in [server.process.pid, *family]:
            processes.send(pid, signal.SIGINT)
        assert server.wait() == 0
    processes.wait_for(lambda: not processes.running(family))
    assert "Traceback" not in server.output
    assert "Error" not in server.output


def test_the_first_start_makes_a_key_and_keeps_only_its_hash(tmp_path):
    """Without a key one is printed, once; the file beside the models holds no secret, and the key works ever after."""
    nothing = {"SERVICE_MANAGE_KEY": ""}
    with processes.Server(tmp_path, environment=nothing) as server:
        server.wait_until("/healthz")
    [key] = re.findall(r"manage key, shown this once: (\S+)", server.output)
    kept = (tmp_path / ".keys.json").read_text()
    assert key not in kept
    assert json.loads(kept)["keys"][0]["scope"] == "manage"
    assert (tmp_path / ".keys.json").stat().st_mode & 0o777 == 0o600
    with processes.Server(tmp_path, environment=nothing) as server:
        server.wait_until("/healthz")
        url = f"{server.url}/v1/models/m/versions/1"
        assert httpx.put(url, content=b"x", headers={"Authorization": f"Bearer {key}"}).status_code == 422
        assert httpx.put(url, content=b"x", headers={"Authorization": "Bearer qk_0_0"}).status_code == 401
    assert "manage key" not in server.output


def test_a_key_from_a_file(tmp_path):
    """A mounted secret gives the key as the variable does; the line's end does not count."""
    (tmp_path / "secret").write_text("from-a-file\n")
    flags = ("--manage-key-file", str(tmp_path / "secret"))
    with processes.Server(tmp_path, *flags, environment={"SERVICE_MANAGE_KEY": ""}) as server:
        server.wait_until("/healthz")
        headers = {"Authorization": "Bearer from-a-file"}
        assert httpx.put(f"{server.url}/v1/models/m/versions/1", content=b"x", headers=headers).status_code == 422


def test_elsewhere_than_on_loopback_everything_but_health_needs_a_key(tmp_path):
    """Bound to every address, reading and predicting need the key; health does not."""
    key = {"Authorization": f"Bearer {processes.MANAGE_KEY}"}
    with processes.Server(tmp_path, "--host", "0.0.0.0") as server:  # noqa: S104 -- that is what is tested
        server.wait_until("/readyz")
        client = httpx.Client(base_url=server.url, timeout=30)
        for method, path in [
            ("GET", "/v1/models"),
            ("GET", "/v1/models/affine"),
            ("GET", "/v1/models/affine/metadata"),
            ("POST", "/v1/models/affine:shape"),
            ("POST", "/v1/models/affine:predict"),
        ]:
            assert client.request(method, path).json()["code"] == "unauthorized"
        assert client.get("/v1/models", headers=key).json() == {"models": []}
        assert client.post("/v1/models/affine:predict", json=ROW, headers=key).status_code == 404
        assert client.get("/healthz").status_code == 200
        client.close()
    with processes.Server(tmp_path, "--host", "0.0.0.0", "--open-inference") as server:  # noqa: S104
        server.wait_until("/readyz")
        assert httpx.post(f"{server.url}/v1/models/affine:predict", json=ROW).status_code == 404
        assert httpx.put(f"{server.url}/v1/models/m/versions/1", content=b"x").status_code == 401


def test_no_child_is_told_the_key(server):
    """No process that runs models has the key in its environment."""
    family = processes.children(server.process.pid)
    assert len(family) >= 3
    for pid in family:
        assert processes.MANAGE_KEY.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
