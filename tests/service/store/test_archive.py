"""Archives: what is plain comes out as it is, everything else is refused with its reason."""

import bz2
import gzip
import io
import tarfile
import zipfile

import bad_archives
import pytest

from service.errors import UploadRejected
from service.store.archive import unpack
from service.store.extraction import ArchiveLimits

LIMITS = ArchiveLimits(unpacked_max_bytes=1_000_000, files_max=50)
CONTENT = {"saved_model.pb": b"graph" * 100, "variables/variables.index": b"index"}
MEMBERS = tuple(CONTENT.items())


def zipped(members=MEMBERS, **options):
    """A zip of names and contents, by default those of a good model."""
    return bad_archives.zipped(members, **options)


def tarred(members=MEMBERS, **options):
    """A tar of them."""
    return bad_archives.tarred(members, **options)


def unpacked(tmp_path, data, limits=LIMITS):
    """The files that come out of an archive: contents by path."""
    archive, target = tmp_path / "archive", tmp_path / "target"
    archive.write_bytes(data)
    target.mkdir()
    unpack(archive, target, limits)
    return {path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*") if path.is_file()}


def with_folders():
    """A zip as a file manager makes it: with members for folders."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.mkdir("variables")
        for name, content in CONTENT.items():
            archive.writestr(name, content)
    return file.getvalue()


def sparse():
    """A tar with a member that claims to be five gigabytes of nothing."""
    headers = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": "a",
        "GNU.sparse.realsize": str(5 << 30),
    }
    return tarred([("a", b"0\n".ljust(512, b"\0"))], pax_headers=headers)


GOOD = {
    "zip": zipped(),
    "stored zip": zipped(method=zipfile.ZIP_STORED),
    "zip with folders": with_folders(),
    "tar": tarred(),
    "tar.gz": tarred(mode="w:gz"),
    "tar with dots": tarred([(f"./{name}", content) for name, content in CONTENT.items()]),
}


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD)
def test_plain_archives_come_out_as_they_are(tmp_path, data):
    """Each supported format gives back its files, readable and not executable."""
    assert unpacked(tmp_path, data) == CONTENT
    assert (tmp_path / "target" / "saved_model.pb").stat().st_mode & 0o777 == 0o644


def tar_with(change):
    """A tar of which a byte string is changed into another."""
    content = tarred()
    return change(content, content.rindex(b"variables/variables.index"))


BAD = [
    (
        "tar damaged header",
        tar_with(lambda data, at: data[: at + 100] + b"9" + data[at + 101 :]),
        "bad_archive",
        "header",
    ),
    ("tar cut between members", tar_with(lambda data, at: data[:at]), "bad_archive", "cut off"),
    ("tar cut in a header", tar_with(lambda data, at: data[: at + 200]), "bad_archive", "cut off"),
    ("tar with a tail in its padding", tarred()[:-512] + b"x" * 512, "bad_archive", "data behind the end"),
    ("nothing", b"", "bad_archive", "this is no archive"),
    ("text", b"this is text" * 100, "bad_archive", "this is no archive"),
    ("bz2", bz2.compress(tarred()), "bad_archive", "this is no archive"),
    ("truncated zip", zipped()[:-30], "bad_archive", "no end of the zip directory"),
    ("zip with a tail", zipped() + b"tail", "bad_archive", "data behind it"),
    ("zip with a head", b"head" + zipped(), "bad_archive", "this is no archive"),
    (
        "zip bad crc",
        zipped(method=zipfile.ZIP_STORED).replace(b"graphgraph", b"graphXraph", 1),
        "bad_archive",
        "Bad CRC",
    ),
    ("zip encrypted", bad_archives.patched(zipped(), b"PK\x01\x02", 8, b"\x01"), "bad_archive", "encrypted"),
    ("zip bz2 inside", zipped(method=zipfile.ZIP_BZIP2), "bad_archive", "compressed otherwise than by deflate"),
    ("zip overlapping", bad_archives.overlapping(20), "bad_archive", "members overlap"),
    ("zip shifted", bad_archives.patched(zipped(), b"PK\x05\x06", 16, b"\xff\xff\x00\x00"), "bad_archive", "damaged"),
    ("zip up", zipped([("../evil", b"x")]), "unsafe_path", "'../evil'"),
    ("zip up inside", zipped([("a/../../evil", b"x")]), "unsafe_path", "evil"),
    ("zip absolute", zipped([("/etc/x", b"x")]), "unsafe_path", "'/etc/x'"),
    ("zip backslash", zipped([("..\\evil", b"x")]), "unsafe_path", "evil"),
    ("zip drive", zipped([("c:evil", b"x")]), "unsafe_path", "evil"),
    ("zip newline", zipped([("a\nb", b"x")]), "unsafe_path", "a"),
    ("zip nul", zipped([("aXb", b"x")]).replace(b"aXb", b"a\0b"), "unsafe_path", "a"),
    ("zip nameless", zipped([("", b"x")]), "unsafe_path", "''"),
    ("zip not normal", zipped([("e\u0301", b"x")]), "unsafe_path", "unsafe path"),
    ("zip long", zipped([("a" * 300, b"x")]), "unsafe_path", "unsafe path"),
    ("zip deep", zipped([("a/" * 1500 + "b", b"x")]), "unsafe_path", "unsafe path"),
    ("zip same but for case", zipped([("a", b"x"), ("A", b"y")]), "duplicate_member", "'A' is in the archive twice"),
    ("zip file and folder", zipped([("a", b"x"), ("a/b", b"y")]), "duplicate_member", "both a file and a directory"),
    ("zip folder and file", zipped([("a/b", b"y"), ("a", b"x")]), "duplicate_member", "twice"),
    (
        "zip symlink",
        zipped([("a", b"/etc")], external_attr=bad_archives.SYMLINK_MODE),
        "unsupported_member",
        "neither a file",
    ),
    ("zip many", zipped([(f"f{n}", b"") for n in range(60)]), "archive_too_large", "more than 50 files"),
    ("zip large", zipped([("a", b"\0" * 2_000_000)]), "archive_too_large", "unpacks to more than 1000000 bytes"),
    (
        "zip that lies",
        bad_archives.patched(zipped([("a", b"\0" * 2_000_000)]), b"PK\x01\x02", 24, b"\x0a\0\0\0"),
        "bad_archive",
        "damaged",
    ),
    ("truncated tar", tarred()[:700], "bad_archive", "damaged"),
    ("truncated tar.gz", tarred(mode="w:gz")[:-20], "bad_archive", "cut off"),
    ("tar.gz with a tail", tarred(mode="w:gz") + b"tail", "bad_archive", "data behind the end"),
    ("tar with a tail", tarred() + b"tail", "bad_archive", "data behind the end"),
    ("tar up", tarred([("../evil", b"x")]), "unsafe_path", "evil"),
    ("tar absolute", tarred([("/etc/x", b"x")]), "unsafe_path", "/etc/x"),
    ("tar twice", tarred([("a", b"x"), ("a", b"y")]), "duplicate_member", "twice"),
    (
        "tar symlink",
        tarred([("a", b"")], type=tarfile.SYMTYPE, linkname="b"),
        "unsupported_member",
        "neither a plain file",
    ),
    ("tar hard link", tarred([("a", b"")], type=tarfile.LNKTYPE, linkname="b"), "unsupported_member", "plain file"),
    ("tar device", tarred([("a", b"")], type=tarfile.CHRTYPE), "unsupported_member", "plain file"),
    ("tar fifo", tarred([("a", b"")], type=tarfile.FIFOTYPE), "unsupported_member", "plain file"),
    ("tar sparse", sparse(), "unsupported_member", "plain file"),
    ("tar.gz bomb", gzip.compress(tarred([("a", b"\0" * 30_000_000)])), "archive_too_large", "unpacks to more"),
    (
        "tar header bomb",
        tarred([("a", b"")], mode="w:gz", pax_headers={"x": "y" * 3_000_000}),
        "archive_too_large",
        "more",
    ),
    ("tar many", tarred([(f"f{n}", b"") for n in range(60)]), "archive_too_large", "more than 50 files"),
    ("polyglot", b"PK\x03\x04" + tarred()[4:], "bad_archive", "zip and tar at once"),
]


@pytest.mark.parametrize(("data", "code", "fragment"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_everything_else_is_refused(tmp_path, data, code, fragment):
    """Each trick is refused with its code and a text that names it, and writes nothing outside its folder."""
    with pytest.raises(UploadRejected) as refusal:
        unpacked(tmp_path, data)
    assert refusal.value.code == code
    assert fragment in refusal.value.message
    assert {path.name for path in tmp_path.iterdir()} == {"archive", "target"}


def test_what_unpacks_to_far_more_than_it_was_is_a_bomb(tmp_path):
    """A ratio is refused beyond a size, even if the size itself would be taken."""
    limits = ArchiveLimits(unpacked_max_bytes=1 << 30, files_max=10, ratio_max=100, ratio_from_bytes=100_000)
    with pytest.raises(UploadRejected, match="unpacks to more than 100 times its own"):
        unpacked(tmp_path, zipped([("a", b"\0" * 500_000)]), limits)
