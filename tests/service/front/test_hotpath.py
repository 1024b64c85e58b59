"""Predictions over HTTP, against models whose answers are known."""

import asyncio
import gzip
import json
import math

import httpx
import numpy as np
import pytest
import standing

AFFINE = "/v1/models/affine:predict"
ZOO = "/v1/models/zoo:predict"
WEIGHTS = np.arange(8, dtype=np.float32).reshape(4, 2)


def _affine(rows):
    return (np.float32(rows) @ WEIGHTS + np.float32([0.5, -0.5])).tolist()


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_rows_are_predicted_as_in_memory(client, savedmodels, rows):
    """A trained model answers 1, 7 and 1,000 rows as it did in the process that trained it."""
    known = np.load(savedmodels / "mlp.npz")
    answer = client.post("/v1/models/mlp:predict", json={"instances": known["inputs"][:rows].tolist()})
    assert answer.status_code == 200
    np.testing.assert_allclose(answer.json()["predictions"], known["outputs"][:rows], atol=1e-5)


def test_columns_answer_outputs(client):
    """The column format answers with the key `outputs` and the same numbers."""
    rows = [[1, 2, 3, 4], [0, 0, 0, 1]]
    assert client.post(AFFINE, json={"inputs": rows}).json() == {"outputs": _affine(rows)}
    assert client.post(AFFINE, json={"inputs": {"x": rows}}).json() == {"outputs": _affine(rows)}


@pytest.mark.parametrize("path", [AFFINE, "/v1/models/affine/versions/1:predict", "/v1/models/affine%3Apredict"])
def test_paths_of_a_prediction(client, path):
    """The newest version, a numbered one, and a colon that a client has percent-encoded."""
    assert client.post(path, json={"instances": [[0, 0, 0, 1]]}).json() == {"predictions": _affine([[0, 0, 0, 1]])}


def test_signatures_by_name(client):
    """`signature_name` chooses; an empty one is the default."""
    body = {"signature_name": "doubled", "instances": [[1, 2, 3, 4]]}
    assert client.post(AFFINE, json=body).json() == {"predictions": [[2.0, 4.0, 6.0, 8.0]]}
    body["signature_name"] = ""
    assert client.post(AFFINE, json=body).json() == {"predictions": _affine([[1, 2, 3, 4]])}


def test_several_inputs_and_outputs(client):
    """Named inputs and outputs, row by row and as columns."""
    rows = {"signature_name": "pair", "instances": [{"a": [1, 2], "b": 3}, {"a": [0.5, 0], "b": -1}]}
    assert client.post(ZOO, json=rows).json() == {"predictions": [{"count": 4, "sum": 6.0}, {"count": 0, "sum": -0.5}]}
    columns = {"signature_name": "pair", "inputs": {"a": [[1, 2]], "b": [3], "extra": "ignored"}}
    assert client.post(ZOO, json=columns).json() == {"outputs": {"count": [4], "sum": [6.0]}}


def test_strings_and_booleans(client):
    """Strings go in as text or base64; outputs named _bytes come out as base64, others as text."""
    body = {"signature_name": "strings", "instances": ["ab", {"b64": "bG9uZ2Vy"}]}
    assert client.post(ZOO, json=body).json()["predictions"] == [
        {"is_long": False, "raw_bytes": {"b64": "QUI="}, "upper": "AB"},
        {"is_long": True, "raw_bytes": {"b64": "TE9OR0VS"}, "upper": "LONGER"},
    ]
    body = {"signature_name": "booleans", "instances": [True, False]}
    assert client.post(ZOO, json=body).json() == {"predictions": [False, True]}


def test_integers_are_exact(client):
    """64-bit integers are neither rounded on the way in nor on the way out."""
    body = {"signature_name": "integers", "instances": [2**62 + 1]}
    assert client.post(ZOO, json=body).json() == {"predictions": [2**62 + 2]}


def test_special_numbers_are_bare_tokens(client):
    """NaN and infinities are read and written as tokens without quotes."""
    body = '{"signature_name": "divided", "instances": [0.0, -0.0, NaN, Infinity, 4]}'
    text = client.post(ZOO, content=body).text
    assert text == '{"predictions":[Infinity,-Infinity,NaN,0.0,0.25]}'
    assert math.isnan(json.loads(text)["predictions"][2])


def test_floats_are_short_and_have_a_point(client):
    """A float32 is written with as few digits as give it back, and never without its point."""
    body = {"signature_name": "doubled", "instances": [[0.1, 1, 1e-8, 3e7]]}
    assert client.post(AFFINE, json=body).text == '{"predictions":[[0.2,2.0,2e-8,60000000.0]]}'


def test_a_scalar_output_needs_columns(client):
    """An output without rows is refused row by row, with what to do, and answered as a column."""
    rows = client.post(AFFINE, json={"signature_name": "total", "instances": [[1, 1, 1, 1]]})
    assert rows.status_code == 400
    assert "Tensor name: total has no shape information" in rows.json()["error"]
    columns = client.post(AFFINE, json={"signature_name": "total", "inputs": [[1, 1, 1, 1], [1, 0, 0, 0]]})
    assert columns.json() == {"outputs": 5.0}


def test_content_type_does_not_matter_and_gzip_is_inflated(client):
    """What curl -d sends by itself works, and so does a compressed body."""
    body = b'{"instances": [[0, 0, 0, 0]]} trailing text'
    form = client.post(AFFINE, content=body, headers={"content-type": "application/x-www-form-urlencoded"})
    zipped = client.post(AFFINE, content=gzip.compress(body), headers={"content-encoding": "gzip"})
    assert form.json() == zipped.json() == {"predictions": [[0.5, -0.5]]}


BAD = [
    ("empty", b"", 400, "invalid_json", "JSON Parse error: The document is empty"),
    ("truncated", b'{"instances": [', 400, "invalid_json", "JSON Parse error: Invalid value. at offset: 15"),
    ("deep", b"[" * 100_000, 400, "invalid_json", "JSON Parse error"),
    ("no object", b"[1]", 400, "invalid_json", "JSON Value: [1] Is not object"),
    ("no key", b"{}", 400, "invalid_request", "Missing 'inputs' or 'instances' key"),
    ("both keys", b'{"inputs": 1, "instances": 1}', 400, "invalid_request", "expecting only one of 'inputs' or"),
    ("name", b'{"signature_name": 1, "inputs": 1}', 400, "invalid_request", "'signature_name' key must be a string"),
    ("signature", b'{"signature_name": "foo", "inputs": 1}', 400, "signature_not_found", 'name: "foo" not found'),
    ("no list", b'{"instances": 3}', 400, "invalid_request", "Expecting 'instances' to be an list/array"),
    ("no rows", b'{"instances": []}', 400, "invalid_shape", "No values in 'instances' array"),
    ("empty row", b'{"instances": [[]]}', 400, "invalid_shape", "input 'x' has shape [1,0], expected [-1,4]"),
    (
        "ragged",
        b'{"instances": [[1, 2], [3]]}',
        400,
        "invalid_shape",
        "unexpected size: 1 at level: 1 expected size: 2",
    ),
    ("width", b'{"instances": [[1, 2, 3]]}', 400, "invalid_shape", "input 'x' has shape [1,3], expected [-1,4]"),
    ("rank", b'{"instances": [1, 2, 3]}', 400, "invalid_shape", "input 'x' has shape [3], expected [-1,4]"),
    (
        "string",
        b'{"instances": [[1, 2, 3, "4"]]}',
        400,
        "invalid_value",
        '"4" Type: String is not of expected type: float',
    ),
    (
        "null",
        b'{"instances": [[1, 2, 3, null]]}',
        400,
        "invalid_value",
        "null Type: Null is not of expected type: float",
    ),
    (
        "bool",
        b'{"instances": [[1, 2, 3, true]]}',
        400,
        "invalid_value",
        "true Type: Bool is not of expected type: float",
    ),
    ("object", b'{"instances": [{"y": [1]}]}', 400, "invalid_request", "does not have named input: y"),
    ("mixed", b'{"instances": [{"x": [1, 2, 3, 4]}, [1]]}', 400, "invalid_request", "keys must be equal to: x"),
    ("rows", b'{"instances": [' + b"[0,0,0,0]," * 20_000 + b"[0,0,0,0]]}", 413, "payload_too_large", "20001 rows"),
]


@pytest.mark.parametrize(("body", "status", "code", "fragment"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
@pytest.mark.usefixtures("unharmed")
def test_bad_requests(client, body, status, code, fragment):
    """Each mistake has its status and code, and a text that names it; the server answers on."""
    answer = client.post(AFFINE, content=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert fragment in answer.json()["error"]
    standing.check_silent(answer.text)


BAD_ZOO = [
    ("decimal", {"signature_name": "integers", "instances": [1.0]}, 400, "Type: Number is not of expected type: int64"),
    ("range", {"signature_name": "integers", "instances": [2**63]}, 400, "out of range for type: int64"),
    ("number for bool", {"signature_name": "booleans", "instances": [1]}, 400, "is not of expected type: bool"),
    ("number for text", {"signature_name": "strings", "instances": [1]}, 400, "is not of expected type: string"),
    ("base64", {"signature_name": "strings", "instances": [{"b64": "!"}]}, 400, "is not valid base64"),
    ("complex", {"signature_name": "complex_numbers", "instances": [1]}, 501, "to type: complex64"),
    (
        "missing",
        {"signature_name": "pair", "inputs": {"a": [[1, 2]]}},
        400,
        "Missing named input: b in 'inputs' object.",
    ),
    ("missing in row", {"signature_name": "pair", "instances": [{"a": [1, 2]}]}, 400, "keys must be equal to: a,b"),
    ("refused", {"signature_name": "positive", "instances": [1, -1]}, 400, "x must not be negative"),
]


@pytest.mark.parametrize(("body", "status", "fragment"), [row[1:] for row in BAD_ZOO], ids=[row[0] for row in BAD_ZOO])
def test_bad_values(client, body, status, fragment):
    """No value is converted that the protocol does not convert, and what the model refuses is the caller's error."""
    answer = client.post(ZOO, json=body)
    assert answer.status_code == status
    assert fragment in answer.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "fragment"),
    [
        ("POST", "/v1/models/nobody:predict", 404, "model_not_found", "Servable not found for request: Latest(nobody)"),
        ("POST", "/v1/models/affine/versions/7:predict", 404, "model_not_found", "Specific(affine, 7)"),
        ("POST", "/v1/models/affine/versions/99999999999999999999:predict", 400, "invalid_version", "is no version"),
        ("POST", f"/v1/models/affine/versions/{'9' * 5000}:predict", 400, "invalid_version", "is no version"),
        ("POST", "/v1/models/affine/versions/01:predict", 400, "invalid_version", "without leading zeros"),
        ("POST", "/v1/models/broken:predict", 503, "model_unavailable", "cannot be loaded"),
        ("GET", "/v1/models/affine:predict", 400, "malformed_request", "by POST"),
        ("POST", "/v1/models/affine/1:predict", 400, "malformed_request", "/v1/models/<name>"),
    ],
)
def test_bad_paths(client, method, path, status, code, fragment):
    """Unknown models are 404, paths and methods that are none are 400, and the texts name what was asked for."""
    answer = client.request(method, path, content=b'{"instances": [1]}' if method == "POST" else None)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert fragment in answer.json()["error"]


def test_two_hundred_callers_get_their_own_answers(server):
    """200 concurrent requests of one row each are batched, and each gets the answer to its own row."""

    async def ask(client, number):
        answer = await client.post(server.url + AFFINE, json={"instances": [[0, 0, 0, number]]})
        return answer.json()["predictions"]

    async def ask_all():
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=200), timeout=60) as client:
            return await asyncio.gather(*(ask(client, number) for number in range(200)))

    assert asyncio.run(ask_all()) == [_affine([[0, 0, 0, number]]) for number in range(200)]


def test_a_poisoned_row_fails_alone(server):
    """A row that the model refuses does not fail the rows of others that came at the same time."""

    async def ask(client, number):
        body = {"signature_name": "positive", "instances": [number]}
        return (await client.post(server.url + ZOO, json=body)).status_code

    async def ask_all():
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=50), timeout=60) as client:
            return await asyncio.gather(*(ask(client, -1 if number == 7 else number) for number in range(50)))

    statuses = asyncio.run(ask_all())
    assert statuses == [400 if number == 7 else 200 for number in range(50)]
