"""Manifests: what they say, and whether it is still so."""

import json
from dataclasses import replace

import pytest

from service.engine.specs import SignatureSpec, TensorSpec
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


def test_a_manifest_keeps_signatures(folder):
    """They come back as they were, and the digest is that of the files alone."""
    manifest = describe(folder)
    inputs = {"x": TensorSpec("DT_FLOAT", (None, 4), "x:0"), "n": TensorSpec("DT_INT64", None, "n:0")}
    spec = SignatureSpec(inputs, {"y": TensorSpec("DT_STRING", (), "y:0")}, "predict", {"n": {"dtype": "DT_INT64"}})
    write_manifest(folder, replace(manifest, signatures={"serving_default": spec}))
    assert read_manifest(folder).signatures == {"serving_default": spec}
    assert describe(folder).digest == manifest.digest
    verify(folder, read_manifest(folder))


def test_what_a_newer_service_wrote_can_be_read(folder):
    """Keys that are not known are left alone, those that are missing have their defaults."""
    (folder / "manifest.json").write_text('{"digest": "sha256:00", "bytes": 5, "created": "", "colour": "red"}')
    assert read_manifest(folder) == Manifest("sha256:00", 5, "", signatures={})


NO_MANIFESTS = ["", "[]", "{}", '{"digest": 1}', '{"files": 3}', '{"files": {"a": {"b": 1}}}']
NO_SIGNATURES = ["3", "[1]", '{"a": 3}', '{"a": {}}', '{"a": {"inputs": {"x": [1]}}}']


@pytest.mark.parametrize("text", NO_MANIFESTS)
def test_a_manifest_that_is_none(folder, text):
    """It is an error: the version was uploaded once, and nobody knows whether it is whole."""
    (folder / "manifest.json").write_text(text)
    with pytest.raises(UploadRejected, match=r"manifest\.json cannot be read") as refusal:
        read_manifest(folder)
    assert refusal.value.code == "digest_mismatch"


@pytest.mark.parametrize("text", NO_SIGNATURES)
def test_signatures_that_cannot_be_read_are_none(folder, text):
    """A newer service may write them otherwise; they are listed before it is loaded, and nothing hangs on them."""
    write_manifest(folder, describe(folder, "ann"))
    document = json.loads((folder / "manifest.json").read_text()) | {"signatures": json.loads(text)}
    (folder / "manifest.json").write_text(json.dumps(document))
    found = read_manifest(folder)
    assert found.signatures == {}
    verify(folder, found)


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
