"""Inferences that come and go compressed."""

import gzip
import json
import zlib

import numpy as np
import pytest
from oip_requests import AFFINE, BINARY_X, EXPECTED, IDENTITY, JSON_X, LENGTH, ROWS, post, tensors


@pytest.mark.parametrize("coding", ["gzip", "deflate", "identity", "GZIP"])
def test_compressed_requests(client, coding):
    """The whole body is compressed, the length of the document counts its bytes before that."""
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "identity": bytes}[coding.lower()]
    text = json.dumps({"inputs": [BINARY_X]}).encode()
    headers = {LENGTH: str(len(text)), "content-encoding": coding}
    answer = client.post(AFFINE, content=pack(text + ROWS.tobytes()), headers=headers)
    assert tensors(answer)["y"][2] == EXPECTED


def test_other_codings_are_not_taken(client):
    """501, and a header that says which are."""
    answer = client.post(AFFINE, content=b"x", headers={"content-encoding": "br"})
    assert (answer.status_code, answer.json()["code"]) == (501, "unsupported_coding")
    assert answer.headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_bodies_that_are_not_what_they_claim(client, coding):
    """Neither garbage nor half a stream is taken, and a bomb does not get far."""
    pack = {"gzip": gzip.compress, "deflate": zlib.compress}[coding]
    headers = {"content-encoding": coding}
    garbage = client.post(AFFINE, content=b"garbage", headers=headers)
    cut = client.post(AFFINE, content=pack(b"[" * 1000)[:-6], headers=headers)
    bomb = client.post(AFFINE, content=pack(b" " * (17 * 2**20)), headers=headers)
    assert (garbage.status_code, cut.status_code, bomb.status_code) == (400, 400, 413)
    assert "cut off" in cut.json()["error"]


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip", "gzip"),
        ("deflate;q=0.9, gzip;q=0.1", "deflate"),
        ("gzip, deflate, br", "gzip"),
        ("br", None),
        ("gzip;q=0", None),
        ("identity, gzip;q=0.5", None),
        ("*", "gzip"),
    ],
)
def test_compressed_replies(client, accepted, coding):
    """The coding that the client likes best, among those there are; the document's length is that before it."""
    rows = np.zeros([500, 2], np.float32)
    tensor = {"name": "x", "shape": [500, 2], "datatype": "FP32", "parameters": {"binary_data_size": rows.nbytes}}
    body = {"inputs": [tensor], "parameters": {"binary_data_output": True}}
    answer = post(client, IDENTITY, body, rows.tobytes(), **{"accept-encoding": accepted})
    assert answer.headers.get("content-encoding") == coding
    assert tensors(answer)["y"][2] == rows.tobytes()
    assert (int(answer.headers["content-length"]) < rows.nbytes) == (coding is not None)


def test_small_replies_are_sent_as_they_are(client):
    """What fits into one packet is compressed only for those who take nothing else."""
    answer = post(client, AFFINE, {"inputs": [JSON_X]}, **{"accept-encoding": "gzip"})
    assert "content-encoding" not in answer.headers
    forced = post(client, AFFINE, {"inputs": [JSON_X]}, **{"accept-encoding": "gzip, identity;q=0"})
    assert forced.headers["content-encoding"] == "gzip"
    assert tensors(forced)["y"][2] == EXPECTED
