"""The commands beside serve, as programs against a real server."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import processes
import pytest

from service.front.access.keys import GRANTS, KeyFile


def _run(*words, stdin="", **environment):
    command = [sys.executable, "-W", "error", "-m", "service", *map(str, words)]
    return subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **environment}
    )


def _key(*words, models):
    return _run("key", *words, SERVICE_MODELS=str(models))


@pytest.mark.parametrize("scope", GRANTS)
def test_key_create_prints_the_key_and_nothing_else(tmp_path, scope):
    """What is printed can be taken by a script as it is."""
    made = _key("create", "--scope", scope, "--model", "m*", "--name", "a b", "--expires-days", "2", models=tmp_path)
    assert re.fullmatch(r"qk_[0-9a-f]{8}_[A-Za-z0-9_-]{43}\n", made.stdout)
    [key] = KeyFile(tmp_path).read().values()
    assert (key.scope, key.model, key.name) == (scope, "m*", "a b")


def test_key_list_revoke_and_rotate(tmp_path):
    """The list has a line for each key with its state and no secret; ids come from there."""
    first = _key("create", "--scope", "infer", "--name", "phone", models=tmp_path).stdout
    id_ = first.split("_")[1]
    second = _key("rotate", id_, models=tmp_path).stdout
    listed = _key("list", models=tmp_path).stdout
    assert re.search(rf"^{id_}  infer +\* +revoked .* phone$", listed, re.MULTILINE)
    assert re.search(rf"^{second.split('_')[1]}  infer +\* +valid .* never +phone$", listed, re.MULTILINE)
    assert first.split("_", 2)[2].strip() not in listed
    assert "is revoked" in _key("revoke", second.split("_")[1], models=tmp_path).stdout


@pytest.mark.parametrize(
    ("words", "status", "fragment"),
    [
        (["key", "list"], 1, "models: which folder? give --models or SERVICE_MODELS"),
        (["key", "list", "--models", "/nowhere"], 1, "models: /nowhere is not a folder"),
        (["key", "revoke", "abc", "--models", "."], 1, "abc: no key has this id; there are: none"),
        (["key", "create", "--models", "."], 2, "the following arguments are required: --scope"),
        (["key", "create", "--models", ".", "--scope", "fly"], 2, "invalid choice: 'fly'"),
        (["key", "create", "--models", ".", "--scope", "read", "--expires-days", "-1"], 2, "expected more than 0"),
        (["list", "--url", "http://127.0.0.1:9"], 1, "no answer from http://127.0.0.1:9: Connection refused"),
        (["list", "--url", "nowhere"], 1, "--url: 'nowhere' is no URL of a server"),
        (["push", "/nowhere", "--model", "m"], 1, "/nowhere: cannot be read: No such file or directory"),
        (["predict", "m", "/nowhere"], 1, "/nowhere: neither JSON nor a file that can be read"),
    ],
)
def test_mistakes_are_told_in_one_line(words, status, fragment, tmp_path):
    """What was found, what was expected, what to do; no traceback."""
    command = [sys.executable, "-W", "error", "-m", "service", *words]
    root = str(Path.cwd())
    ended = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert ended.returncode == status
    assert fragment in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("form", ["folder", "archive"])
def test_push_list_and_predict(savedmodels, tmp_path, form):
    """A folder or an archive becomes a version that is listed and predicts; a second push of it changes nothing."""
    models, source = tmp_path / "models", savedmodels / "affine" / "1"
    models.mkdir()
    if form == "archive":
        subprocess.run(["tar", "czf", str(tmp_path / "m.tgz"), "-C", str(source), "."], check=True)
        source = tmp_path / "m.tgz"
    with processes.Server(models) as server:
        server.wait_until("/readyz")
        asked = {"SERVICE_URL": server.url, "SERVICE_KEY": processes.MANAGE_KEY}
        pushed = _run("push", source, "--model", "pushed", "--version", "3", **asked)
        assert re.fullmatch(r"pushed/3: AVAILABLE, sha256:[0-9a-f]{64}\n", pushed.stdout)
        assert (pushed.returncode, pushed.stderr) == (0, "")
        assert _run("push", source, "--model", "pushed", "--version", "3", **asked).stdout == pushed.stdout
        assert _run("list", **asked).stdout == "pushed/3  AVAILABLE\n"
        rows = _run("predict", "pushed", "[[0, 0, 0, 1]]", **asked)
        assert json.loads(rows.stdout) == {"predictions": [[6.5, 6.5]]}
        whole = _run("predict", "pushed/3", "-", stdin='{"inputs": [[0, 0, 0, 1]]}', **asked)
        assert json.loads(whole.stdout) == {"outputs": [[6.5, 6.5]]}


def test_a_refusal_of_the_server_is_told(server, savedmodels):
    """Status, code and text of the server's error are the command's last words."""
    source = savedmodels / "affine" / "1"
    ended = _run("push", source, "--model", "m", "--version", "1", "--key", "wrong", "--url", server.url)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "service: 401 unauthorized: this key is not known here\n"
    ended = _run("predict", "nobody", "[1]", "--url", server.url)
    assert ended.stderr.startswith("service: 404 model_not_found: Servable not found for request: Latest(nobody)")
