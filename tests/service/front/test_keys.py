"""The file of keys: what is kept, who may read it, and that writers and readers do not get into each other's way."""

import concurrent.futures
import json
import os
import signal
import subprocess
import sys

import processes
import pytest

from service.front.access.keys import KeyFile, UnknownKey


def test_a_key_is_kept_as_a_hash_with_all_that_was_said_of_it(tmp_path):
    """The file holds scope, model, name and end, in a file of its owner's only, and no part of the secret."""
    file = KeyFile(tmp_path)
    key, secret = file.create("infer", who="me", name="a phone", model="moons*", expires_days=30)
    kept = json.loads(file.path.read_text())["keys"]
    assert [(entry["id"], entry["scope"], entry["model"], entry["name"]) for entry in kept] == [
        (key.id, "infer", "moons*", "a phone")
    ]
    assert file.read() == {key.id: key}
    assert secret.split("_", 2)[2] not in file.path.read_text()
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob(".keys.json.*"))


def test_every_change_is_in_the_audit_log_without_the_secret(tmp_path):
    """Creating, rotating and revoking leave a line each, with who and which key."""
    file = KeyFile(tmp_path)
    first, secret = file.create("manage", who="me")
    second, _ = file.rotate(first.id, who="you")
    file.revoke(second.id, who="she")
    lines = [json.loads(line) for line in (tmp_path / ".audit.jsonl").read_text().splitlines()]
    assert [(line["what"], line["who"]) for line in lines] == [
        ("key-create", "me"),
        ("key-rotate", "you"),
        ("key-revoke", "she"),
    ]
    assert first.id in lines[1]["note"]
    assert second.id in lines[1]["note"]
    assert secret not in (tmp_path / ".audit.jsonl").read_text()


def test_rotation_keeps_the_rights_and_ends_the_old_key(tmp_path):
    """The new key may what the old one may; the old one is revoked, or with a grace ends after it."""
    file = KeyFile(tmp_path)
    old, _ = file.create("read", who="me", model="a", name="n", expires_days=3)
    new, _ = file.rotate(old.id, who="me")
    newer, _ = file.rotate(new.id, who="me", grace_hours=1)
    kept = file.read()
    assert kept[old.id].revoked
    assert not kept[new.id].revoked
    assert kept[new.id].expires < old.expires
    assert (newer.scope, newer.model, newer.name, newer.expires) == ("read", "a", "n", old.expires)
    with pytest.raises(UnknownKey, match="revoked at"):
        file.rotate(old.id, who="me")


def test_an_unknown_id_is_told_with_those_that_there_are(tmp_path):
    """A mistyped id names the ids that exist, and changes nothing."""
    file = KeyFile(tmp_path)
    key, _ = file.create("read", who="me")
    with pytest.raises(UnknownKey, match=f"nobody: no key has this id; there are: {key.id}"):
        file.revoke("nobody", who="me")
    assert file.read() == {key.id: key}


def test_the_first_key_is_made_once(tmp_path):
    """Of several servers that start at once on one folder, one makes the key."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: KeyFile(tmp_path).create_first(), range(8)))
    assert len([key for key in made if key]) == 1
    assert len(KeyFile(tmp_path).read()) == 1


def test_no_writer_loses_the_key_of_another(tmp_path):
    """Processes that create keys at the same time all find theirs in the file."""
    command = [sys.executable, "-m", "service", "key", "create", "--scope", "read", "--models", str(tmp_path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    made = [process.communicate(timeout=60)[0].split("_")[1] for process in running]
    assert set(made) == set(KeyFile(tmp_path).read())
    assert len(made) == 4


_KILLED = """
import os, signal, sys
from pathlib import Path
from service.front.access.keys import KeyFile

sys.addaudithook(lambda event, _: os.kill(os.getpid(), signal.SIGKILL) if event == "os.rename" else None)
KeyFile(Path(sys.argv[1])).create("read", who="me")
"""


def test_what_a_killed_writer_left_is_cleared_at_the_next_start(tmp_path):
    """The keys are as they were, fsck names the file and removes it, and so does a server before it serves."""
    file = KeyFile(tmp_path)
    key, _ = file.create("read", who="me")
    fsck = [sys.executable, "-m", "service", "fsck", "--models", str(tmp_path)]
    for clear_up in ("fsck", "start"):
        killed = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path)], check=False)
        assert killed.returncode == -signal.SIGKILL
        assert file.read() == {key.id: key}
        [left] = file.partial_files()
        found = subprocess.run(fsck, capture_output=True, text=True, check=False)
        assert found.stdout.startswith(f"found partial_file {left.name}: left by a process")
        if clear_up == "fsck":
            assert subprocess.run([*fsck, "--repair"], capture_output=True, check=False).returncode == 0
        else:
            with processes.Server(tmp_path) as server:
                server.wait_until("/livez")
        assert not list(tmp_path.glob(".keys.json.*"))
        assert file.read() == {key.id: key}


def test_a_sweep_takes_nothing_from_a_writer(tmp_path):
    """While keys are made elsewhere, sweeping again and again, no key is lost and none fails to be made."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        made = [pool.submit(KeyFile(tmp_path).create, "read", who="me") for _ in range(40)]
        while not all(future.done() for future in made):
            KeyFile(tmp_path).sweep()
    assert {future.result()[0].id for future in made} == set(KeyFile(tmp_path).read())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write for others")
def test_what_root_writes_belongs_to_the_folders_owner(tmp_path):
    """A key made by root, as in a container, can be read by the server that runs as the folder's owner."""
    os.chown(tmp_path, 10001, 10001)
    file = KeyFile(tmp_path)
    file.create("read", who="me")
    assert {path.stat().st_uid for path in (file.path, tmp_path / ".keys.lock")} == {10001}


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"keys": 1}',
        '{"keys": [{"id": "a"}]}',
        '{"keys": [{"id": "a", "scope": "fly", "sha256": "", "created": ""}]}',
    ],
)
def test_a_file_that_is_none_of_ours_is_an_error(tmp_path, content):
    """Nothing is guessed from a file that was damaged: reading it raises, and so keys are never taken for fewer."""
    file = KeyFile(tmp_path)
    file.path.write_text(content)
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        file.read()
