"""Archives that must be refused, each built from the members of a good one; a row is a name and how to build it."""

import bz2
import gzip
import io
import random
import struct
import tarfile
import warnings
import zipfile

from backports import zstd

SYMLINK_MODE = 0o120777 << 16
FIVE_GB = 5 << 30


def zipped(members, method=zipfile.ZIP_DEFLATED, **attributes):
    """A zip of names and contents; attributes are set on every member."""
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", method) as archive:
        warnings.simplefilter("ignore")  # of duplicate names
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            for attribute, value in attributes.items():
                setattr(info, attribute, value)
            archive.writestr(info, content)
    return file.getvalue()


def tarred(members, mode="w", **attributes):
    """A tar of names and contents; attributes are set on every member."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for attribute, value in attributes.items():
                setattr(info, attribute, value)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def patched(data, signature, offset, value):
    """An archive with some bytes behind each occurrence of a signature replaced."""
    data, start = bytearray(data), data.find(signature)
    while start >= 0:
        data[start + offset : start + offset + len(value)] = value
        start = data.find(signature, start + 1)
    return bytes(data)


def overlapping(count=200):
    """A zip whose many directory entries all point to one member."""
    data = zipped([("aaaa", b"x" * 1000)])
    directory, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    entry = data[directory:end]
    entries = b"".join(patched(entry, b"PK\x01\x02", 46, b"%04d" % number) for number in range(count))
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(entries), directory, 0)
    return data[:directory] + entries + tail


def sparse():
    """A tar with a member that claims to be five gigabytes of nothing."""
    headers = {
        f"GNU.sparse.{name}": text
        for name, text in (("major", "1"), ("minor", "0"), ("name", "a"), ("realsize", str(FIVE_GB)))
    }
    return tarred([("a", b"0\n".ljust(512, b"\0"))], pax_headers=headers)


def with_negative_size():
    """A tar whose member claims less than nothing."""
    data = bytearray(tarred([("a", b"x" * 600)]))
    data[124:136] = b"\xff" * 12
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    return bytes(data)


def many_in_a_small_end():
    """A zip of many members that admits to only one at its end."""
    data = bytearray(zipped([(f"f{number}", b"") for number in range(60_000)]))
    struct.pack_into("<2H", data, len(data) - 22 + 8, 1, 1)
    return bytes(data)


def refused(model):
    """Name -> what is sent, the status and the code; `model` are the (name, content) of a good SavedModel."""
    plain_zip, plain_tar = zipped(model), tarred(model)
    noise = random.Random(0).randbytes(1024)
    big = b"\0" * 30_000_000
    rows = {}

    def row(name, data, code, status=422):
        rows[name] = (data, status, code)

    row("empty body", b"", "empty_body", 400)
    row("not an archive", noise, "bad_archive")
    row("bz2", bz2.compress(plain_tar), "bad_archive")
    row("truncated zip", plain_zip[:-30], "bad_archive")
    row("truncated tar", plain_tar[:700], "bad_archive")
    row("truncated tar.gz", gzip.compress(plain_tar)[:-30], "bad_archive")
    for pack, kind in ((zipped, "zip"), (tarred, "tar")):
        for name, path in {
            "upwards": "../saved_model.pb",
            "upwards inside": "a/../../b",
            "absolute": "/etc/x",
            "backslash": "..\\x",
            "drive": "c:x",
            "newline": "a\nb",
            "long part": "a" * 300,
            "long path": "/".join(["b" * 200] * 7),
            "deep": "a/" * 1500 + "b",
            "not normal": "e\u0301",
        }.items():
            row(f"{kind} {name}", pack([*model, (path, b"x")]), "unsafe_path")
        row(f"{kind} duplicate", pack([*model, model[0]]), "duplicate_member")
        row(f"{kind} differing in case", pack([*model, (model[0][0].upper(), b"x")]), "duplicate_member")
        row(f"{kind} file and folder", pack([("variables", b"x"), *model]), "duplicate_member")
        row(f"{kind} too many", pack([(f"f{number}", b"") for number in range(1_001)]), "archive_too_large")
        row(f"{kind} nested", pack([("model.zip", plain_zip)]), "unexpected_file")
        row(f"{kind} nested beside a model", pack([*model, ("copy.tgz", gzip.compress(b"x"))]), "unexpected_file")
        row(f"{kind} without a model", pack([("readme", b"x")]), "missing_saved_model")
    row("zip nul", zipped([("aXb", b"x")]).replace(b"aXb", b"a\0b"), "unsafe_path")
    row("zip symlink", zipped([*model, ("link", b"/etc/passwd")], external_attr=SYMLINK_MODE), "unsupported_member")
    for name, kind, target in (
        ("symlink out", tarfile.SYMTYPE, "/etc/passwd"),
        ("symlink in", tarfile.SYMTYPE, "saved_model.pb"),
        ("hard link", tarfile.LNKTYPE, "saved_model.pb"),
        ("device", tarfile.CHRTYPE, ""),
        ("fifo", tarfile.FIFOTYPE, ""),
    ):
        row(f"tar {name}", tarred([("a", b"")], type=kind, linkname=target), "unsupported_member")
    row("tar sparse", sparse(), "unsupported_member")
    row("tar negative size", with_negative_size(), "bad_archive")
    row("zip bomb", zipped([*model, ("assets/zeros", big)]), "archive_too_large")
    row("zip overlap", overlapping(), "bad_archive")
    row("zip lying", patched(zipped([("a", big)]), b"PK\x01\x02", 24, b"\x0a\0\0\0"), "bad_archive")
    row("tar.gz bomb", gzip.compress(tarred([*model, ("assets/zeros", big)])), "archive_too_large")
    row("tar.gz header bomb", tarred([("a", b"")], "w:gz", pax_headers={"x": "y" * 30_000_000}), "archive_too_large")
    row("60000 files", zipped([(f"f{number}", b"") for number in range(60_000)]), "archive_too_large")
    row("60000 files, one admitted", many_in_a_small_end(), "archive_too_large")
    row("encrypted", patched(patched(plain_zip, b"PK\x01\x02", 8, b"\x01"), b"PK\x03\x04", 6, b"\x01"), "bad_archive")
    row("method 99", patched(patched(plain_zip, b"PK\x01\x02", 10, b"\x63"), b"PK\x03\x04", 8, b"\x63"), "bad_archive")
    stored = zipped([("saved_model.pb", b"graph" * 100)], zipfile.ZIP_STORED)
    row("bad crc", stored.replace(b"graphgraph", b"graphXraph", 1), "bad_archive")
    row("polyglot", b"PK\x03\x04" + plain_tar[4:], "bad_archive")
    row("prefix", b"junk" + plain_zip, "bad_archive")
    row("prefix that looks like a zip", b"PK\x03\x04" + plain_zip, "bad_archive")
    row("trailing", plain_zip + b"tail", "bad_archive")
    row("tar trailing", plain_tar + b"tail", "bad_archive")
    row("tar.gz trailing", gzip.compress(plain_tar) + b"tail", "bad_archive")
    row("tar.zst bomb", zstd.compress(tarred([*model, ("assets/zeros", big)])), "archive_too_large")
    row("tar.zst truncated", zstd.compress(plain_tar)[:-5], "bad_archive")
    row("tar.zst trailing", zstd.compress(plain_tar) + b"tail", "bad_archive")
    row("large file", zipped([*model, ("assets/ones", b"\1" * 3_000_000)]), "archive_too_large")
    return rows
