"""Which files are a SavedModel."""

import pytest

from service.errors import UploadRejected
from service.store.contents import find_model, keep_needed

KEPT = {
    "saved_model.pb",
    "fingerprint.pb",
    "variables/variables.index",
    "variables/variables.data-00000-of-00002",
    "variables/variables.data-00001-of-00002",
    "assets/words.txt",
    "assets/deep/er/archive.zip",
    "assets.extra/circuit.json",
    "assets.extra/tf_serving_warmup_requests",
}
LEFT = {
    ".DS_Store",
    "keras_metadata.pb",
    "manifest.json",
    "notes/readme",
    "variables/notes",
    "variables/deep/variables.index",
    "assets.extra/other.json",
    "saved_model.pbtxt",
    "code.py",
}


def test_only_what_is_needed_is_kept(tmp_path):
    """Everything else is removed, and the folders that are empty then."""
    for name in KEPT | LEFT:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "empty").mkdir()
    keep_needed(tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()} == KEPT
    assert not {"empty", "notes"} & {path.name for path in tmp_path.iterdir()}


def test_an_archive_in_an_archive(tmp_path):
    """It is named, whatever its name is; as an asset it is an asset."""
    (tmp_path / "saved_model.pb").write_text("graph")
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "words.gz").write_bytes(b"\x1f\x8b")
    assert find_model(tmp_path) == tmp_path
    (tmp_path / "old").write_bytes(b"PK\x03\x04")
    with pytest.raises(UploadRejected, match="'old' is an archive inside") as refusal:
        find_model(tmp_path)
    assert refusal.value.code == "unexpected_file"
