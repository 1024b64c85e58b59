"""The folder of models: what counts as a version, and how one gets there."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from service.errors import InvalidName, UploadRejected, VersionExists
from service.store import names
from service.store.contents import find_model
from service.store.manifest import Manifest, describe, read_manifest
from service.store.store import Store, VersionId

FIRST = VersionId("model", 1)
MANIFEST = Manifest("sha256:00", 5, "2026-01-01T00:00:00+00:00")


def stage(folder, content=b"graph"):
    """A staged model."""
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(content)
    (folder / "variables" / "variables.index").write_bytes(b"index")
    return folder


def test_what_lies_in_the_wrong_place_is_told(store):
    """A model without a version, and names and numbers that are none; what is right, and what is hidden, is not."""
    places = ["m", "my model/1", "n/0", "n/01", "n/latest", "right/1", ".staging/x", "right/1/assets"]
    for place in places:
        (store.root / place).mkdir(parents=True, exist_ok=True)
        (store.root / place / "saved_model.pb").touch()
    assert store.misplaced() == ["m", "my model/1", "n/0", "n/01", "n/latest"]


def test_an_installed_version_is_found_with_its_manifest(store):
    """A version appears whole, under its name, and staging is empty afterwards."""
    with store.staging() as folder:
        directory = store.install(stage(folder / "m"), FIRST, MANIFEST)
    assert directory == store.root / "model" / "1"
    assert list(store.scan()) == [FIRST]
    assert read_manifest(directory) == MANIFEST
    assert not list((store.root / ".staging").iterdir())


@pytest.fixture
def without_rights():
    """An empty folder, and a block of a user who may enter it and no folder that is closed."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)

    @contextlib.contextmanager
    def block():
        is_root = os.geteuid() == 0
        os.seteuid(65534 if is_root else os.geteuid())
        try:
            yield
        finally:
            os.seteuid(0 if is_root else os.geteuid())

    yield folder, block
    for path in folder.glob("*/*"):
        path.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize("mode", [0o000, 0o444])
def test_a_version_that_cannot_be_entered_hides_no_other(without_rights, mode):
    """It is there, and says what is wrong as soon as it is to be loaded."""
    folder, block = without_rights
    for number in "123":
        stage(folder / "model" / number)
    (folder / "model" / "2").chmod(mode)
    with block():
        store = Store(folder)
        found = store.scan()
        assert [id_.number for id_ in found] == [1, 2, 3]
        assert [len(files) for files in found.values()] == [2, 0, 2]
        assert store.uploaded("model") == []
        with pytest.raises(UploadRejected, match="let the server's user read them"):
            read_manifest(store.directory(VersionId("model", 2)))


def test_a_root_that_is_gone_is_an_error_and_not_empty(tmp_path):
    """Nobody takes a folder that cannot be read for one without models."""
    with pytest.raises(FileNotFoundError):
        Store(tmp_path / "gone").scan()


def test_nobody_installs_over_a_version(store):
    """The loser of a race is told, and the version of the winner is as it was."""
    with store.staging() as folder:
        store.install(stage(folder / "m"), FIRST, MANIFEST)
        with pytest.raises(VersionExists, match="version 1 of model was stored by somebody else"):
            store.install(stage(folder / "n", b"other"), FIRST, MANIFEST)
    assert (store.directory(FIRST) / "saved_model.pb").read_bytes() == b"graph"


def test_staging_is_empty_afterwards_and_swept_at_a_start(store):
    """What was not installed is removed, at the end of the block or by the next process."""
    with store.staging() as folder:
        stage(folder / "m")
    assert not list((store.root / ".staging").iterdir())
    stage(store.root / ".staging" / "left-by-a-crash")
    store.sweep()
    assert not list((store.root / ".staging").iterdir())


def test_the_digest_is_that_of_the_content(tmp_path):
    """Times, places and the manifest do not matter; names and bytes do."""
    one, two = stage(tmp_path / "one"), stage(tmp_path / "elsewhere" / "two")
    os.utime(two / "saved_model.pb", (0, 0))
    (two / "manifest.json").write_text("{}")
    assert describe(one).digest == describe(two).digest
    assert describe(one).bytes == len(b"graphindex")
    (two / "saved_model.pb").rename(two / "other.pb")
    assert describe(one).digest != describe(two).digest


def test_the_model_in_an_archive(tmp_path):
    """It lies at the top, or in the only folder there; what a Mac adds does not count."""
    stage(tmp_path / "top")
    stage(tmp_path / "nested" / "model")
    (tmp_path / "nested" / "__MACOSX").mkdir()
    assert find_model(tmp_path / "top") == tmp_path / "top"
    assert find_model(tmp_path / "nested") == tmp_path / "nested" / "model"
    shutil.copytree(tmp_path / "top", tmp_path / "nested" / "second")
    with pytest.raises(UploadRejected, match="there is: __MACOSX, model, second"):
        find_model(tmp_path / "nested")


@pytest.mark.parametrize("name", ["a", "A-b_c.d", "9", "x" * 128])
def test_good_names(name):
    """What can name a model."""
    assert names.checked_name(name) == name


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a.", ".a", "-a", " a", "a\n", "ä", "x" * 129, "a\0"])
def test_bad_names(name):
    """What cannot."""
    with pytest.raises(InvalidName, match="cannot name a model"):
        names.checked_name(name)
