"""`python -m service fsck`: what is wrong is found, and what can be is repaired."""

import json
import shutil

import pytest

from service.__main__ import main
from service.store.fsck import check
from service.store.store import Store


@pytest.fixture
def sound(store, install):
    """A store with two models, one deleted version, a label, and a version that an operator put there."""
    for name, number in (("a", 1), ("a", 2), ("b", 1)):
        install(store, name, number)
    store.set_label("a", "stable", 1, "somebody")
    store.delete("a", [2], "somebody")
    shutil.copytree(store.root / "b" / "1", store.root / "b" / "7", ignore=shutil.ignore_patterns("manifest.json"))
    return store


def damage_graph(root):
    """Other content in an installed version."""
    (root / "b" / "1" / "saved_model.pb").write_text("other")


def remove_file(root):
    """A file less in an installed version."""
    (root / "b" / "1" / "variables" / "variables.index").unlink()


def remove_graph(root):
    """The one file that every SavedModel has."""
    (root / "b" / "1" / "saved_model.pb").unlink()


def damage_manifest(root):
    """A manifest that is no JSON."""
    (root / "b" / "1" / "manifest.json").write_text("{")


def damage_trash(root):
    """Other content in a deleted version."""
    [deleted] = (root / ".trash" / "a").iterdir()
    (deleted / "saved_model.pb").write_text("other")


def leave_staging(root):
    """What a process left that was killed."""
    (root / ".staging" / "left" / "unpacked").mkdir(parents=True)
    (root / ".staging" / "left.lock").touch()


def dangle_label(root):
    """A label of a version that is not there."""
    (root / "a" / ".labels.json").write_text('{"stable": 1, "gone": 9}')


def damage_labels(root):
    """Labels that are none."""
    (root / "a" / ".labels.json").write_text("[1]")


def leave_partial_file(root):
    """A file that was not yet renamed."""
    (root / "a" / ".labels.json.0123.partial").write_text("{")


def leave_key_file(root):
    """The same of the file of keys."""
    (root / ".keys.json.0123abcd").write_text("{")


ROWS = [
    (damage_graph, ["damaged_version"], "saved_model.pb", False),
    (remove_file, ["damaged_version"], "variables/variables.index", False),
    (remove_graph, ["damaged_version"], "saved_model.pb", False),
    (damage_manifest, ["damaged_version"], "manifest.json cannot be read", False),
    (damage_trash, ["damaged_trash"], "saved_model.pb", False),
    (leave_staging, ["orphan", "orphan"], "can be removed", True),
    (dangle_label, ["dangling_label"], "version 9", True),
    (damage_labels, ["damaged_labels"], ".labels.json", False),
    (leave_partial_file, ["partial_file"], "can be removed", True),
    (leave_key_file, ["partial_file"], "can be removed", True),
]


def test_a_sound_folder(sound, capsys):
    """Nothing is found, and the exit status is 0."""
    assert not list(check(sound))
    assert main(["fsck", "--models", str(sound.root)]) == 0
    assert capsys.readouterr().out == "0 found, 0 remain\n"


@pytest.mark.parametrize(("damage", "kinds", "fragment", "is_repaired"), ROWS, ids=[row[0].__name__ for row in ROWS])
def test_what_is_wrong_is_found_and_repaired(sound, capsys, damage, kinds, fragment, is_repaired):
    """Each kind has its name and its text; a repair removes what can be removed, and touches no version."""
    damage(sound.root)
    command = ["fsck", "--models", str(sound.root), "--json"]
    assert main(command) == 1
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["kind"] for row in found] == kinds
    assert all(fragment in row["text"] and not row["repaired"] for row in found)
    assert main([*command, "--repair"]) == (0 if is_repaired else 1)
    assert all(json.loads(line)["repaired"] == is_repaired for line in capsys.readouterr().out.splitlines())
    assert main(command) == (0 if is_repaired else 1)
    assert sorted(Store(sound.root).scan()) == sorted(sound.scan())


def test_an_upload_that_goes_on_is_no_orphan(sound):
    """A running server's staging is its own."""
    with sound.staging():
        assert not list(check(sound))
        sound.sweep()
        assert len(list((sound.root / ".staging").iterdir())) == 2


def test_a_folder_that_is_not_there(tmp_path, capsys):
    """Exit status 2, with the reason."""
    assert main(["fsck", "--models", str(tmp_path / "gone")]) == 2
    assert "is not a folder" in capsys.readouterr().err
