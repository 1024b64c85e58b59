"""Tests for service.store.fingerprints."""

import os

from service.store.fingerprints import fingerprint, size_bytes


def test_a_fingerprint_changes_with_the_files(tmp_path):
    """Growing, new and touched files are seen; looking is not."""
    folder = tmp_path
    (folder / "saved_model.pb").write_bytes(b"graph")
    seen = [fingerprint(folder), fingerprint(folder)]
    (folder / "saved_model.pb").write_bytes(b"graph and more")
    seen.append(fingerprint(folder))
    (folder / "new").touch()
    seen.append(fingerprint(folder))
    os.utime(folder / "new", (0, 0))
    seen.append(fingerprint(folder))
    assert seen[0] == seen[1]
    assert len(set(seen)) == 4


def test_the_size_is_that_of_all_files(tmp_path):
    """Folders have none."""
    (tmp_path / "below").mkdir()
    (tmp_path / "one").write_bytes(b"123")
    (tmp_path / "below" / "two").write_bytes(b"4567")
    assert size_bytes(fingerprint(tmp_path)) == 7
