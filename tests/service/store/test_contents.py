"""Which files are a SavedModel, and where it is."""

import pytest

from service.errors import UploadRejected
from service.store.contents import find_model, model_files


def test_only_what_is_part_of_the_model_counts(tmp_path):
    """Not what a Mac adds, nor what the store writes beside it."""
    for name in ("saved_model.pb", "variables/variables.index", "manifest.json", ".DS_Store", "variables/._x"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    assert list(model_files(tmp_path)) == ["saved_model.pb", "variables/variables.index"]


def test_an_archive_in_an_archive(tmp_path):
    """It is named, whatever its name is."""
    (tmp_path / "saved_model.pb").write_text("graph")
    assert find_model(tmp_path) == tmp_path
    (tmp_path / "old").write_bytes(b"PK\x03\x04")
    with pytest.raises(UploadRejected, match="'old' is an archive inside") as refusal:
        find_model(tmp_path)
    assert refusal.value.code == "unexpected_file"
