"""Usage: what the quotas count, with one more version."""

from service.store.fingerprints import fingerprint
from service.store.manifest import describe, write_manifest
from service.store.usage import usage_with


def stored(root, name, number, uploader, size):
    """A stored version whose graph has so many bytes."""
    directory = root / name / str(number)
    directory.mkdir(parents=True)
    (directory / "saved_model.pb").write_bytes(b"x" * size)
    manifest = describe(directory, uploader)
    write_manifest(directory, manifest)
    return directory, manifest


def test_nothing_yet(tmp_path):
    """The first version is all there would be."""
    _, manifest = stored(tmp_path, "m", 1, "ann", 10)
    found = usage_with(manifest, tmp_path / "m", {}, [])
    assert (found.models, found.versions, found.stored_bytes, found.key_bytes) == (1, 1, 10, 10)


def test_what_is_counted(tmp_path):
    """Versions of all, those in the trash too; of a key only its own."""
    versions = [stored(tmp_path, name, number, who, 100) for name, number, who in (("m", 1, "ann"), ("n", 1, "bob"))]
    deleted, _ = stored(tmp_path, "gone", 1, "ann", 1000)
    _, manifest = stored(tmp_path, "new", 1, "ann", 10)
    fingerprints = {directory: fingerprint(directory) for directory, _ in versions}
    on_disk = sum(path.stat().st_size for directory in (*fingerprints, deleted) for path in directory.iterdir())
    found = usage_with(manifest, tmp_path / "m", fingerprints, [deleted])
    assert (found.models, found.versions) == (2, 2)
    assert found.stored_bytes == on_disk + 10
    assert found.key_bytes == 100 + 1000 + 10


def test_a_manifest_that_cannot_be_read(tmp_path):
    """It is nobody's, and hides nothing else."""
    directory, manifest = stored(tmp_path, "m", 1, "ann", 10)
    (directory / "manifest.json").write_text("{")
    found = usage_with(manifest, tmp_path / "m", {directory: fingerprint(directory)}, [])
    assert found.key_bytes == 10
