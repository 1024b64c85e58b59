"""A process that is killed between any two changes of the disk leaves each version whole or absent.

The interpreter announces each change of the file system before it is made (PEP 578). A child process makes one change
of the store, and is killed at its first announcement, at its second, and so on, until it comes through.
"""

import json
import shutil
import subprocess
import sys

import pytest

from service.store.fsck import check
from service.store.manifest import describe, read_manifest, verify
from service.store.store import Store, VersionId

_CHILD = """
import os, signal, sys
from pathlib import Path

root, action, kill_at = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])

from service.store.manifest import describe
from service.store.store import Store, VersionId

store = Store(root)
first, second = VersionId("model", 1), VersionId("model", 2)

def install(version):
    with store.staging() as folder:
        (folder / "m").mkdir()
        (folder / "m" / "saved_model.pb").write_bytes(b"graph %d" % version.number)
        store.install(folder / "m", version, describe(folder / "m", "somebody"))

actions = {
    "prepare": lambda: (install(first), store.set_label("model", "stable", 1, "somebody")),
    "install": lambda: install(second),
    "label": lambda: store.set_label("model", "stable", 2, "somebody"),
    "unlabel": lambda: store.set_label("model", "stable", None, "somebody"),
    "delete": lambda: store.delete("model", [2], "somebody"),
    "restore": lambda: store.restore(second, "somebody"),
    "purge": lambda: store.empty_trash(-1),
    "sweep": lambda: store.sweep(),
}
changes = {"os.rename", "os.mkdir", "os.rmdir", "os.remove", "shutil.rmtree"}
seen = 0

def watch(event, arguments):
    global seen
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT
    is_write = event == "open" and isinstance(arguments[2], int) and arguments[2] & writing
    if (event in changes or is_write) and str(root) in str(arguments[0]):
        seen += 1
        if seen == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(watch)
actions[action]()
print(seen)
"""

BEFORE = {
    "install": ["prepare"],
    "label": ["prepare", "install"],
    "unlabel": ["prepare", "install"],
    "delete": ["prepare", "install"],
    "restore": ["prepare", "install", "delete"],
    "purge": ["prepare", "install", "delete"],
}
FIRST, SECOND = VersionId("model", 1), VersionId("model", 2)
NEVER = 0


def run(root, action, kill_at=NEVER):
    """Make a change in a child process; returns whether it came through, and how many changes of the disk it made."""
    command = [sys.executable, "-c", _CHILD, str(root), action, str(kill_at)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in {0, -9}, done.stderr
    return int(done.stdout) if done.returncode == 0 else None


def state(root):
    """What counts: the versions that are served, those in the trash, and the labels."""
    store = Store(root)
    return sorted(store.scan()), sorted(entry.number for entry in store.trash.entries()), store.labels("model")


@pytest.mark.parametrize("action", BEFORE)
def test_a_kill_at_any_step_leaves_the_old_or_the_new(tmp_path, action):
    """Before or after, never between; what is there is whole, and the next process clears up and can go on."""
    start = tmp_path / "start"
    start.mkdir()
    for earlier in BEFORE[action]:
        run(start, earlier)
    done = shutil.copytree(start, tmp_path / "done")
    steps = run(done, action)
    assert steps >= 3
    old, new = state(start), state(done)
    assert old != new
    seen = []
    for step in range(1, steps + 1):
        root = shutil.copytree(start, tmp_path / str(step))
        assert run(root, action, step) is None
        seen.append(state(root))
        assert seen[-1] in (old, new)
        _check_whole(root)
        _check_goes_on(root, action, seen[-1] == old, new)
    assert seen[0] == old


def _check_whole(root):
    """Every version is what its manifest says, and every line of the audit log is one."""
    store = Store(root)
    for id_ in store.scan():
        verify(store.directory(id_), read_manifest(store.directory(id_)))
    for line in (root / ".audit.jsonl").read_text().splitlines():
        assert json.loads(line)["who"]


def _check_goes_on(root, action, is_old, new):
    """A sweep clears staging, nothing but removable leftovers remains, and the change can be made after all."""
    store = Store(root)
    store.sweep()
    findings = list(check(store))
    assert all(finding.repair for finding in findings), findings
    for finding in findings:
        finding.repair()
    assert not list(check(store))
    assert not list((root / ".staging").iterdir())
    if is_old:
        run(root, action)
    assert state(root) == new


def test_what_is_removed_for_good_keeps_its_number(tmp_path):
    """The number of a version that is gone from the trash too is not given to the next one."""
    for action in ("prepare", "install", "delete", "purge"):
        run(tmp_path, action)
    store = Store(tmp_path)
    assert (store.numbers("model"), list(store.trash.entries())) == ([1], [])
    assert store.highest("model") == 2


def test_everything_is_on_the_disk_before_the_rename(tmp_path, monkeypatch):
    """A power cut after the rename finds all of the version: what is in it was flushed before, its name after."""
    events = []
    monkeypatch.setattr("service.store.disk.flush", lambda path: events.append(("flush", path.name)))
    rename = type(tmp_path).rename
    monkeypatch.setattr(
        type(tmp_path), "rename", lambda self, target: (events.append(("rename", self.name)), rename(self, target))[1]
    )
    store = Store(tmp_path)
    with store.staging() as folder:
        (folder / "m" / "variables").mkdir(parents=True)
        (folder / "m" / "saved_model.pb").write_bytes(b"graph")
        (folder / "m" / "variables" / "variables.index").write_bytes(b"index")
        store.install(folder / "m", FIRST, describe(folder / "m"))
    at = events.index(("rename", "m"))
    flushed = {name for kind, name in events[:at] if kind == "flush"}
    assert {"saved_model.pb", "variables.index", "variables", "manifest.json", "m", tmp_path.name} <= flushed
    assert ("flush", "model") in events[at:]
