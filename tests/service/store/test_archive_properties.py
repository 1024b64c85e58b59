"""Archives, by random: what is plain survives, and whatever else comes never leaves its folder or its limits."""

import contextlib
import gzip
import io
import tarfile
import tempfile
import zipfile
from pathlib import Path

import bad_archives
from backports import zstd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.errors import UploadRejected
from service.store.archive import unpack
from service.store.extraction import ArchiveLimits

LIMITS = ArchiveLimits(unpacked_max_bytes=100_000, files_max=40, file_max_bytes=60_000)
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

_parts = st.text(st.sampled_from("abcXYZ019._- äñ\u4e2d"), min_size=1, max_size=12).filter(
    lambda part: part not in {".", ".."}
)
_paths = st.lists(_parts, min_size=1, max_size=4).map("/".join)


def _has_no_clash(tree):
    folded = [path.casefold() for path in tree]
    return len(set(folded)) == len(folded) and not any(
        one != other and other.startswith(f"{one}/") for one in folded for other in folded
    )


_trees = st.dictionaries(_paths, st.binary(max_size=2000), min_size=1, max_size=12).filter(_has_no_clash)


class _Stream(io.RawIOBase):
    """A file that cannot seek: sizes are written behind the data then."""

    def __init__(self):
        super().__init__()
        self.data = bytearray()

    def writable(self):
        return True

    def write(self, data):
        self.data += data
        return len(data)


def _streamed_zip(members):
    stream = _Stream()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return bytes(stream.data)


def _tar(members, form):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


PACKERS = {
    "zip": bad_archives.zipped,
    "stored zip": lambda members: bad_archives.zipped(members, zipfile.ZIP_STORED),
    "streamed zip": _streamed_zip,
    "tar": bad_archives.tarred,
    "gnu tar": lambda members: _tar(members, tarfile.GNU_FORMAT),
    "ustar": lambda members: _tar(members, tarfile.USTAR_FORMAT),
    "tar.gz": lambda members: gzip.compress(bad_archives.tarred(members)),
    "tar.zst": lambda members: zstd.compress(bad_archives.tarred(members)),
}


def _unpacked(data, world):
    """The files that come out of an archive, by path; `world` is an empty folder that the target lies in."""
    archive, target = world / "archive", world / "target"
    archive.write_bytes(data)
    target.mkdir()
    try:
        unpack(archive, target, LIMITS)
    finally:
        _check_contained(world, target)
    return {path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*") if path.is_file()}


def _check_contained(world, target):
    """Nothing lies outside the target, nothing in it is a link or executable, and it is within its limits."""
    assert {path.name for path in world.iterdir()} == {"archive", "target"}
    files = [path for path in target.rglob("*") if not path.is_dir()]
    assert all(path.is_file() and not path.is_symlink() and path.stat().st_mode & 0o7111 == 0 for path in files)
    assert len(files) <= LIMITS.files_max
    assert sum(path.stat().st_size for path in files) <= LIMITS.unpacked_max_bytes
    assert all(path.stat().st_size <= LIMITS.file_max_bytes for path in files)


@QUICK
@given(tree=_trees, form=st.sampled_from(sorted(PACKERS)))
def test_any_tree_of_plain_files_survives(tree, form):
    """Packed in whatever format and unpacked again it is the same."""
    with tempfile.TemporaryDirectory() as world:
        assert _unpacked(PACKERS[form](tree.items()), Path(world)) == tree


_seeds = [
    *(pack([("saved_model.pb", b"graph" * 200), ("variables/variables.index", b"index")]) for pack in PACKERS.values()),
    bad_archives.overlapping(20),
    bad_archives.sparse(),
    bad_archives.with_negative_size(),
]
_mutations = st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=8)


@QUICK
@given(seed=st.sampled_from(_seeds), mutations=_mutations, cut=st.integers(0, 200), tail=st.binary(max_size=20))
def test_mutated_archives_are_plain_or_refused(seed, mutations, cut, tail):
    """Changed bytes, a lost end, a new one: an error that is ours, or files within the limits."""
    data = bytearray(seed)
    for place, value in mutations:
        data[place % len(data)] = value
    _check_refused_or_contained(bytes(data[: max(1, len(data) - cut)]) + tail)


@QUICK
@given(data=st.binary(max_size=4000), magic=st.sampled_from([b"", b"PK\3\4", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"]))
def test_random_bytes_are_refused(data, magic):
    """Whatever they begin with."""
    _check_refused_or_contained(magic + data)


def _check_refused_or_contained(data):
    """An error of another class would fail the test."""
    with tempfile.TemporaryDirectory() as world, contextlib.suppress(UploadRejected):
        _unpacked(data, Path(world))
