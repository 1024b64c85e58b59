"""Manifests: what they say, and whether it is still so."""

import json

import pytest

from service.errors import UploadRejected
from service.store.manifest import Manifest, describe, read_manifest, verify, write_manifest


@pytest.fixture
def folder(tmp_path):
    """A model."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "saved_model.pb").write_text("graph")
    (tmp_path / "assets" / "words.txt").write_text("words")
    return tmp_path


def test_a_manifest_names_each_file(folder):
    """With its size and hash; it comes back as it was written."""
    manifest = describe(folder, "ab12")
    assert sorted(manifest.files) == ["assets/words.txt", "saved_model.pb"]
    assert manifest.files["saved_model.pb"].size == 5
    write_manifest(folder, manifest)
    assert read_manifest(folder) == manifest
    verify(folder, manifest)


def test_what_a_newer_service_wrote_can_be_read(folder):
    """Keys that are not known are left alone, those that are missing have their defaults."""
    (folder / "manifest.json").write_text('{"digest": "sha256:00", "bytes": 5, "created": "", "colour": "red"}')
    assert read_manifest(folder) == Manifest("sha256:00", 5, "")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"digest": 1}', '{"files": 3}', '{"files": {"a": {"b": 1}}}'])
def test_a_manifest_that_is_none(folder, text):
    """It is an error: the version was uploaded once, and nobody knows whether it is whole."""
    (folder / "manifest.json").write_text(text)
    with pytest.raises(UploadRejected, match=r"manifest\.json cannot be read") as refusal:
        read_manifest(folder)
    assert refusal.value.code == "digest_mismatch"


@pytest.mark.parametrize(
    ("name", "content"), [("saved_model.pb", "other"), ("assets/words.txt", None), ("assets/more.txt", "x")]
)
def test_a_changed_model_is_refused(folder, name, content):
    """A file that is another, missing or new is named."""
    manifest = describe(folder)
    path = folder / name
    path.write_text(content) if content else path.unlink()
    with pytest.raises(UploadRejected, match=name):
        verify(folder, manifest)


def test_a_manifest_without_files_is_checked_by_its_digest(folder):
    """As the first ones were written."""
    manifest = describe(folder)
    (folder / "manifest.json").write_text(
        json.dumps({"digest": manifest.digest, "bytes": manifest.bytes, "created": manifest.created})
    )
    verify(folder, read_manifest(folder))
    (folder / "saved_model.pb").write_text("other")
    with pytest.raises(UploadRejected, match="their digest differs"):
        verify(folder, read_manifest(folder))
