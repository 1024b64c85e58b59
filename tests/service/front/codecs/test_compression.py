"""Which coding a reply gets."""

import gzip
import zlib

import pytest

from service.front.codecs.compression import best_coding, compress

LARGE, SMALL = 10_000, 100


@pytest.mark.parametrize(
    ("accepted", "size", "coding"),
    [
        ("gzip", LARGE, "gzip"),
        ("GZIP ; Q=0.8", LARGE, "gzip"),
        ("deflate", LARGE, "deflate"),
        ("gzip;q=0.5,deflate;q=0.6", LARGE, "deflate"),
        ("gzip, deflate", LARGE, "gzip"),
        ("gzip;q=0, *;q=0.5", LARGE, "deflate"),
        ("gzip;q=0.3, identity;q=0.4", LARGE, None),
        ("gzip;q=high", LARGE, None),
        ("gzip;q=nan", LARGE, None),
        ("br, zstd", LARGE, None),
        ("", LARGE, None),
        (",;,", LARGE, None),
        ("gzip", SMALL, None),
        ("gzip, identity;q=0", SMALL, "gzip"),
        ("deflate, *;q=0", SMALL, "deflate"),
    ],
)
def test_the_best_coding(accepted, size, coding):
    """The heaviest weight wins; small replies and unreadable weights stay plain."""
    assert best_coding(accepted, size) == coding


def test_codings():
    """Gzip is gzip, and deflate is the zlib format that the protocol's clients read."""
    assert gzip.decompress(compress(b"text", "gzip")) == zlib.decompress(compress(b"text", "deflate")) == b"text"
