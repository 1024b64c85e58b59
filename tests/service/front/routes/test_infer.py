"""Inference by the Open Inference Protocol, byte by byte, as any HTTP client may send it."""

import gzip
import json
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import processes
import pytest

AFFINE = "/v2/models/affine/infer"
ZOO = "/v2/models/zoo/infer"
IDENTITY = "/v2/models/identity/infer"
LENGTH = "inference-header-content-length"
ROWS = np.float32([[1, 2, 3, 4], [0, 0, 0, 1]])
WEIGHTS = np.arange(8, dtype=np.float32).reshape(4, 2)
EXPECTED = (ROWS @ WEIGHTS + np.float32([0.5, -0.5])).ravel().tolist()
X = {"name": "x", "shape": [2, 4], "datatype": "FP32"}
JSON_X = {**X, "data": ROWS.ravel().tolist()}
BINARY_X = {**X, "parameters": {"binary_data_size": 32}}


def _post(client, path, document, tail=b"", **headers):
    text = json.dumps(document).encode()
    if tail or "length" in headers:
        headers = {LENGTH: headers.pop("length", str(len(text))), **headers}
    return client.post(path, content=text + tail, headers=headers)


def _tensors(answer):
    """The outputs of an answer by name: datatype, shape, and data or bytes."""
    assert answer.status_code == 200, answer.text
    length = int(answer.headers.get(LENGTH, len(answer.content)))
    tensors, offset = {}, length
    for tensor in json.loads(answer.content[:length])["outputs"]:
        size = tensor.get("parameters", {}).get("binary_data_size")
        value = tensor.get("data") if size is None else answer.content[offset : offset + size]
        offset += size or 0
        tensors[tensor["name"]] = (tensor["datatype"], tensor["shape"], value)
    assert offset == len(answer.content)
    return tensors


def test_an_inference_with_curl(client):
    """Flat data, no header of any use, an unknown key: the whole answer, byte by byte."""
    body = {"id": "a", "model_name": "ignored", "inputs": [JSON_X]}
    answer = client.post(
        AFFINE, content=json.dumps(body), headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert answer.json() == {
        "model_name": "affine",
        "model_version": "1",
        "id": "a",
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [2, 2], "data": EXPECTED}],
    }
    assert answer.headers["content-type"] == "application/json"
    assert LENGTH not in answer.headers


def test_nested_data_is_the_same(client):
    """Data may be nested as the shape is, and come to a numbered version."""
    answer = _post(client, "/v2/models/affine/versions/1/infer", {"inputs": [{**X, "data": ROWS.tolist()}]})
    assert _tensors(answer) == {"y": ("FP32", [2, 2], EXPECTED)}


def test_a_length_that_is_the_whole_body_is_no_raw_request(client):
    """perf_analyzer always says how long the document is, also where nothing stands behind it."""
    text = json.dumps({"inputs": [JSON_X]})
    answer = client.post(AFFINE, content=text, headers={LENGTH.title(): str(len(text))})
    assert _tensors(answer)["y"][2] == EXPECTED


def test_json_and_bytes_mixed(client):
    """Each tensor where its document says, in the order of the documents; outputs as each is asked for."""
    a, b = np.float32([[1, 2], [3, 4]]), np.int32([10, 20])
    as_bytes = {"name": "b", "shape": [2], "datatype": "INT32", "parameters": {"binary_data_size": 8}}
    as_json = {"name": "a", "shape": [2, 2], "datatype": "FP32", "data": a.tolist()}
    body = {
        "parameters": {"signature_name": "pair", "binary_data_output": True},
        "inputs": [as_bytes, as_json],
        "outputs": [{"name": "sum"}, {"name": "count", "parameters": {"binary_data": False}}],
    }
    answer = _post(client, ZOO, body, b.tobytes())
    assert answer.headers["content-type"] == "application/octet-stream"
    assert _tensors(answer) == {
        "sum": ("FP32", [2], np.float32([13, 27]).tobytes()),
        "count": ("INT32", [2], [11, 21]),
    }


def test_only_the_outputs_asked_for_come(client):
    """In the order they are asked for; different callers get their own."""
    inputs = [{"name": "a", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]
    inputs += [{"name": "b", "shape": [1], "datatype": "INT32", "data": [1]}]
    for names in (["count"], ["sum"], ["sum", "count"], []):
        body = {"parameters": {"signature_name": "pair"}, "inputs": inputs, "outputs": [{"name": n} for n in names]}
        assert list(_tensors(_post(client, ZOO, body))) == (names or ["count", "sum"])


@pytest.mark.parametrize("binary", [True, False])
def test_no_rows(client, binary):
    """No rows in, no rows out, and the model is not asked; nothing stands behind the document then."""
    before = client.get("/v2/models/affine/stats").json()["model_stats"][0]["execution_count"]
    tensor = {**X, "shape": [0, 4], **({"parameters": {"binary_data_size": 0}} if binary else {"data": []})}
    answer = _post(client, AFFINE, {"inputs": [tensor], "parameters": {"binary_data_output": binary}})
    assert _tensors(answer) == {"y": ("FP32", [0, 2], b"" if binary else [])}
    assert (LENGTH in answer.headers, answer.headers["content-type"]) == (False, "application/json")
    assert client.get("/v2/models/affine/stats").json()["model_stats"][0]["execution_count"] == before


def test_no_rows_of_a_width_that_only_shape_inference_knows(client):
    """A free inner dimension of the output follows from that of the input."""
    tensor = {"name": "x", "shape": [0, 7], "datatype": "FP32", "data": []}
    answer = _post(client, IDENTITY, {"inputs": [tensor], "parameters": {"signature_name": "rows"}})
    assert _tensors(answer) == {"y": ("FP32", [0, 7], [])}


def test_no_rows_of_a_signature_without_rows_are_computed(client):
    """The sum of nothing is 0, as the model says itself."""
    body = {"inputs": [{**X, "shape": [0, 4], "data": []}], "parameters": {"signature_name": "total"}}
    assert _tensors(_post(client, AFFINE, body)) == {"total": ("FP32", [], [0.0])}


def test_special_numbers_are_bare_tokens(client):
    """NaN and infinities are read and written as tokens without quotes."""
    body = (
        b'{"parameters": {"signature_name": "float64"},'
        b'"inputs": [{"name": "x", "shape": [3], "datatype": "FP64", "data": [NaN, -Infinity, 1e400]}]}'
    )
    assert b'"data":[NaN,-Infinity,Infinity]' in client.post(IDENTITY, content=body).content


def test_half_precision_comes_as_bytes_and_goes_as_numbers(client):
    """FP16 in JSON is refused with what to do; as bytes it is taken, and written as numbers if so asked."""
    tensor = {"name": "x", "shape": [2], "datatype": "FP16"}
    parameters = {"signature_name": "float16"}
    as_json = _post(client, IDENTITY, {"parameters": parameters, "inputs": [{**tensor, "data": [1, 2]}]})
    assert (as_json.status_code, as_json.json()["code"]) == (400, "invalid_value")
    assert "use the binary data format" in as_json.json()["error"]
    as_bytes = {**tensor, "parameters": {"binary_data_size": 4}}
    answer = _post(client, IDENTITY, {"parameters": parameters, "inputs": [as_bytes]}, np.float16([1.5, -2]).tobytes())
    assert _tensors(answer) == {"y": ("FP16", [2], [1.5, -2.0])}


def test_complex_numbers_are_pairs(client):
    """A trailing dimension of 2 holds real and imaginary part; another one is refused."""
    tensor = {"name": "z", "shape": [1, 2], "datatype": "FP32", "data": [3, 4]}
    body = {"parameters": {"signature_name": "complex_numbers"}, "inputs": [tensor]}
    assert _tensors(_post(client, ZOO, body)) == {"conjugate": ("FP32", [1, 2], [3.0, -4.0])}
    body["inputs"] = [{**tensor, "shape": [2]}]
    assert "Expected [-1,2], got [2]" in _post(client, ZOO, body).json()["error"]


def test_strings_that_are_no_text_need_the_binary_format(client):
    """JSON cannot carry bytes that are not UTF-8; the binary format can."""
    tail = b"\x02\0\0\0\xff\xfe"
    tensor = {"name": "x", "shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": len(tail)}}
    body = {"parameters": {"signature_name": "string"}, "inputs": [tensor]}
    refused = _post(client, IDENTITY, body, tail)
    assert (refused.status_code, "not UTF-8" in refused.json()["error"]) == (400, True)
    body["parameters"]["binary_data_output"] = True
    assert _tensors(_post(client, IDENTITY, body, tail)) == {"y": ("BYTES", [1], tail)}


def test_seed_and_shots(client):
    """A model whose results are drawn is told from what and how often, beside its inputs; no rows need no drawing."""
    tensor = {"name": "x", "shape": [2], "datatype": "FP32", "data": [0.5, 0.25]}
    body = {"inputs": [tensor], "parameters": {"seed": 7, "shots": 100}}
    assert _tensors(_post(client, "/v2/models/drawn/infer", body)) == {"y": ("FP32", [2], [107.5, 107.25])}
    body["inputs"] = [{**tensor, "shape": [0], "data": []}]
    assert _tensors(_post(client, "/v2/models/drawn/infer", body)) == {"y": ("FP32", [0], [])}
    body["parameters"] = {"seed": 2**63}
    assert "parameter 'seed'" in _post(client, "/v2/models/drawn/infer", body).json()["error"]


def test_classes(client):
    """The largest values of each row with their index, six decimals, as strings."""
    tensor = {"name": "x", "shape": [2, 3], "datatype": "FP32", "data": [0.25, 0.75, 0.5, 1, 3, 3]}
    outputs = [{"name": "y", "parameters": {"classification": 2}}]
    body = {"parameters": {"signature_name": "rows"}, "inputs": [tensor], "outputs": outputs}
    found = ["0.750000:1", "0.500000:2", "3.000000:1", "3.000000:2"]
    assert _tensors(_post(client, IDENTITY, body)) == {"y": ("BYTES", [2, 2], found)}
    outputs[0]["parameters"] = {"classification": 9, "binary_data": True}
    datatype, shape, tail = _tensors(_post(client, IDENTITY, body))["y"]
    assert (datatype, shape, len(tail)) == ("BYTES", [2, 3], 6 * 14)
    outputs[0]["parameters"] = {"classification": 10**6 + 1}
    assert _post(client, IDENTITY, body).status_code == 400


def test_raw_requests(client):
    """A body of nothing but the one input's bytes; the rows follow from its length, all outputs are bytes."""
    answer = client.post(AFFINE, content=ROWS.tobytes(), headers={LENGTH: "0"})
    assert _tensors(answer) == {"y": ("FP32", [2, 2], np.float32(EXPECTED).tobytes())}
    short = client.post(AFFINE, content=ROWS.tobytes()[:-1], headers={LENGTH: "0"})
    assert (short.status_code, "input byte size mismatch" in short.json()["error"]) == (400, True)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "identity", "GZIP"])
def test_compressed_requests(client, coding):
    """The whole body is compressed, the length of the document counts its bytes before that."""
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "identity": bytes}[coding.lower()]
    text = json.dumps({"inputs": [BINARY_X]}).encode()
    headers = {LENGTH: str(len(text)), "content-encoding": coding}
    answer = client.post(AFFINE, content=pack(text + ROWS.tobytes()), headers=headers)
    assert _tensors(answer)["y"][2] == EXPECTED


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
    answer = _post(client, IDENTITY, body, rows.tobytes(), **{"accept-encoding": accepted})
    assert answer.headers.get("content-encoding") == coding
    assert _tensors(answer)["y"][2] == rows.tobytes()
    assert (int(answer.headers["content-length"]) < rows.nbytes) == (coding is not None)


def test_small_replies_are_sent_as_they_are(client):
    """What fits into one packet is compressed only for those who take nothing else."""
    answer = _post(client, AFFINE, {"inputs": [JSON_X]}, **{"accept-encoding": "gzip"})
    assert "content-encoding" not in answer.headers
    forced = _post(client, AFFINE, {"inputs": [JSON_X]}, **{"accept-encoding": "gzip, identity;q=0"})
    assert forced.headers["content-encoding"] == "gzip"
    assert _tensors(forced)["y"][2] == EXPECTED


def _infer_x(**changes):
    return {"inputs": [{**JSON_X, **changes}]}


BAD_DOCUMENTS = [
    ("no inputs", {}, "invalid_request", "Unable to parse 'inputs'"),
    ("inputs", {"inputs": {"x": 1}}, "invalid_request", "Unable to parse 'inputs'"),
    ("outputs", {"inputs": [JSON_X], "outputs": "y"}, "invalid_request", "Unable to parse 'outputs'"),
    ("no name", {"inputs": [JSON_X], "outputs": [{}]}, "invalid_request", "Unable to parse 'name' in 'outputs'"),
    ("id", {"inputs": [JSON_X], "id": 7}, "invalid_request", "Unable to parse 'id'"),
    ("parameters", {"inputs": [JSON_X], "parameters": []}, "invalid_request", "Unable to parse 'parameters'"),
    ("flag", {"inputs": [JSON_X], "parameters": {"binary_data_output": 1}}, "invalid_request", "'binary_data_output'"),
    ("timeout", {"inputs": [JSON_X], "parameters": {"timeout": -1}}, "invalid_request", "Unable to parse 'timeout'"),
    ("priority", {"inputs": [JSON_X], "parameters": {"priority": "1"}}, "invalid_request", "'priority'"),
    ("reserved", {"inputs": [JSON_X], "parameters": {"triton_x": 1}}, "invalid_request", "starting with 'triton_'"),
    ("seed", {"inputs": [JSON_X], "parameters": {"seed": 1}}, "invalid_request", "this one has no signature 'sampled'"),
    ("signature", {"inputs": [JSON_X], "parameters": {"signature_name": "z"}}, "signature_not_found", '"z" not found'),
    ("input", _infer_x(name="foo"), "invalid_request", "unexpected inference input 'foo' for model 'affine'"),
    ("twice", {"inputs": [JSON_X, JSON_X]}, "invalid_request", "input 'x' already exists in request"),
    ("output", {"inputs": [JSON_X], "outputs": [{"name": "z"}]}, "invalid_request", "unexpected inference output 'z'"),
    (
        "missing",
        {"inputs": []},
        "invalid_request",
        "expected 1 inputs but got 0 inputs for model 'affine'. Got input(s)",
    ),
    ("dtype", _infer_x(datatype="FP64"), "invalid_value", "data-type is 'FP64', but model 'affine' expects 'FP32'"),
    ("no dtype", _infer_x(datatype=None), "invalid_value", "data-type is 'null'"),
    (
        "rank",
        _infer_x(shape=[8]),
        "invalid_shape",
        "unexpected shape for input 'x' for model 'affine'. Expected [-1,4]",
    ),
    ("width", _infer_x(shape=[1, 5]), "invalid_shape", "Expected [-1,4], got [1,5]"),
    ("negative", _infer_x(shape=[-2, 4]), "invalid_shape", "Unable to parse 'shape'"),
    ("boolean", _infer_x(shape=[True, 4]), "invalid_shape", "Unable to parse 'shape'"),
    ("no shape", _infer_x(shape=None), "invalid_shape", "Unable to parse 'shape'"),
    ("huge", _infer_x(shape=[2**60 + 2, 4]), "invalid_shape", "more than any memory holds"),
    ("wrap", _infer_x(shape=[2**62, 4]), "invalid_shape", "more than any memory holds"),
    ("count", _infer_x(shape=[3, 4]), "invalid_shape", "Shape does not match true shape of 'data' field"),
    ("nesting", _infer_x(data=ROWS.T.tolist()), "invalid_shape", "Shape does not match true shape of 'data' field"),
    ("ragged", _infer_x(data=[[1, 2, 3, 4], [1]]), "invalid_shape", "Unable to parse 'data' of input 'x'"),
    ("text", _infer_x(data=["1"] * 8), "invalid_value", "is not of expected type: float"),
    ("true", _infer_x(data=[True] * 8), "invalid_value", "is not of expected type: float"),
    ("null", _infer_x(data=[None] * 8), "invalid_value", "is not of expected type: float"),
    ("no source", {"inputs": [X]}, "invalid_request", "Input must set only one of the following fields: 'data'"),
    ("two", {"inputs": [{**JSON_X, **BINARY_X}]}, "invalid_request", "But got 2: binary_data_size, data"),
    ("size", {"inputs": [{**X, "parameters": {"binary_data_size": -1}}]}, "invalid_request", "'binary_data_size'"),
]


@pytest.mark.parametrize(
    ("document", "code", "fragment"), [row[1:] for row in BAD_DOCUMENTS], ids=[row[0] for row in BAD_DOCUMENTS]
)
def test_documents_that_are_refused(client, document, code, fragment):
    """Each is 400, with a text in Triton's words that says what was wrong."""
    answer = _post(client, AFFINE, document)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert fragment in answer.json()["error"]
    assert answer.headers["content-type"] == "application/json"


BAD_BYTES = [
    ("no number", "abc", 32, 32, "Unable to parse Inference-Header-Content-Length, got: abc"),
    ("too long", "100000", 32, 32, "inference header size should be in range (0, "),
    ("negative", "-1", 32, 32, "inference header size should be in range (0, "),
    ("unicode", "\u00b2", 32, 32, "Unable to parse Inference-Header-Content-Length"),
    ("too short", "10", 32, 32, "failed to parse the request JSON buffer"),
    ("few", None, 32, 24, "unexpected size for input 'x', expecting 8 additional bytes for model 'affine'"),
    ("many", None, 32, 33, "unexpected additional input data for model 'affine'"),
    ("mismatch", None, 28, 28, "input byte size mismatch for input 'x' for model 'affine'. Expected 32, got 28"),
    ("huge", None, 2**63, 32, "expecting"),
]


@pytest.mark.parametrize(
    ("length", "size", "tail", "fragment"), [row[1:] for row in BAD_BYTES], ids=[row[0] for row in BAD_BYTES]
)
def test_bytes_that_do_not_add_up(client, length, size, tail, fragment):
    """Sizes that contradict each other are 400, with the difference."""
    document = {"inputs": [{**X, "parameters": {"binary_data_size": size}}]}
    headers = {} if length is None else {"length": length.encode()}
    answer = _post(client, AFFINE, document, b"\0" * tail, **headers)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json")
    assert fragment in answer.json()["error"]


def test_a_forgotten_header_is_named(client):
    """Bytes behind a document whose length is not said cannot be JSON; the error names the header."""
    answer = client.post(AFFINE, content=json.dumps({"inputs": [BINARY_X]}).encode() + b"\xff" * 32)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_json")
    assert "Inference-Header-Content-Length" in answer.json()["error"]


@pytest.mark.parametrize(
    ("tail", "shape", "fragment"),
    [
        (b"\x01\0\0", [1], "incomplete string length indicator for inference input 'x', expecting 4 bytes but only 3"),
        (b"\x09\0\0\0abc", [1], "incomplete string data for inference input 'x', expecting string of length 9 but"),
        (b"\x01\0\0\0a", [2], "unexpected number of string elements 1 for inference input 'x', expecting 2"),
        (b"\x01\0\0\0a" * 2, [1], "unexpected number of string elements for inference input 'x', expecting 1"),
        (b"\x01\0\0\0a", [2**40], "unexpected number of string elements 1"),
    ],
)
def test_strings_that_do_not_add_up(client, tail, shape, fragment):
    """The bytes of strings are read to their end, and no further."""
    tensor = {"name": "x", "shape": shape, "datatype": "BYTES", "parameters": {"binary_data_size": len(tail)}}
    answer = _post(client, IDENTITY, {"parameters": {"signature_name": "string"}, "inputs": [tensor]}, tail)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_value")
    assert fragment in answer.json()["error"]


def test_a_boolean_is_0_or_1(client):
    """Another byte is refused before TensorFlow computes with it."""
    tensor = {"name": "flag", "shape": [2], "datatype": "BOOL", "parameters": {"binary_data_size": 2}}
    answer = _post(client, ZOO, {"parameters": {"signature_name": "booleans"}, "inputs": [tensor]}, b"\1\2")
    assert "element 1 of inference input 'flag' is the byte 2" in answer.json()["error"]


def test_inputs_with_different_rows(client):
    """Where rows are batched, all inputs have the same number of them."""
    inputs = [{"name": "a", "shape": [2, 2], "datatype": "FP32", "data": [1, 2, 3, 4]}]
    inputs += [{"name": "b", "shape": [3], "datatype": "INT32", "data": [1, 2, 3]}]
    answer = _post(client, ZOO, {"parameters": {"signature_name": "pair"}, "inputs": inputs})
    assert answer.status_code == 400
    assert "input 'b' batch size does not match other inputs for 'zoo'" in answer.json()["error"]


def test_more_rows_than_a_request_may_have(client):
    """413 with the limit, also where the rows are narrow."""
    rows = 20_000
    tensor = {"name": "x", "shape": [rows], "datatype": "FP32", "parameters": {"binary_data_size": 4 * rows}}
    answer = _post(client, ZOO, {"parameters": {"signature_name": "divided"}, "inputs": [tensor]}, bytes(4 * rows))
    assert answer.status_code == 413
    assert "inference request batch-size must be <= 16384 for 'zoo'" in answer.json()["error"]


def test_a_timeout_shortens_the_servers(client):
    """A request that may wait for a millisecond is not computed behind one that takes long."""

    def ask(rounds, timeout_us):
        tensor = {"name": "rounds", "shape": [1], "datatype": "FP32", "data": [rounds]}
        return _post(client, "/v2/models/slow/infer", {"inputs": [tensor], "parameters": {"timeout": timeout_us}})

    with ThreadPoolExecutor() as pool:
        for _ in range(20):  # until the second comes while the first is computed
            long = pool.submit(ask, 20, 60_000_000)
            time.sleep(0.02)
            short = ask(1, 1000)
            assert long.result().status_code == 200
            if short.status_code != 200:
                break
    assert (short.status_code, short.json()["code"]) == (504, "deadline_exceeded")


def test_callers_of_one_batch_get_their_own(client):
    """Different rows, outputs, formats and ids at the same time: nothing is mixed up."""

    def ask(number):
        inputs = [{"name": "a", "shape": [1, 2], "datatype": "FP32", "data": [number, number]}]
        inputs += [{"name": "b", "shape": [1], "datatype": "INT32", "data": [number]}]
        wanted = [{"name": ["sum", "count"][number % 2], "parameters": {"binary_data": number % 3 == 0}}]
        body = {"parameters": {"signature_name": "pair"}, "inputs": inputs, "outputs": wanted}
        return _tensors(_post(client, ZOO, body))

    with ThreadPoolExecutor(16) as pool:
        for number, tensors in enumerate(pool.map(ask, range(200))):
            expected = np.int32([number + 1]) if number % 2 else np.float32([3 * number])
            [(_, shape, value)] = tensors.values()
            assert shape == [1]
            assert value == (expected.tobytes() if number % 3 == 0 else expected.tolist())


def test_shared_memory_is_refused(client):
    """501 with what to do, for inputs and outputs."""
    shared = {"parameters": {"shared_memory_region": "r", "shared_memory_byte_size": 32}}
    for body in ({"inputs": [{**X, **shared}]}, {"inputs": [JSON_X], "outputs": [{"name": "y", **shared}]}):
        answer = _post(client, AFFINE, body)
        assert (answer.status_code, answer.json()["code"]) == (501, "not_supported")


@pytest.mark.parametrize(
    ("path", "status", "code", "fragment"),
    [
        ("/v2/models/nobody/infer", 404, "model_not_found", "Request for unknown model: 'nobody' is not found"),
        ("/v2/models/affine/versions/9/infer", 404, "model_not_found", "'affine' version 9 is not found"),
        ("/v2/models/affine/versions/x/infer", 400, "invalid_name", "'x' is no version"),
        ("/v2/models/broken/infer", 404, "model_not_found", "has no available versions"),
        ("/v2/models/broken/versions/1/infer", 503, "model_unavailable", "version 1 is not at ready state"),
        ("/v2/models/a/b/infer", 404, "not_found", "there is nothing at this path"),
    ],
)
def test_models_that_do_not_answer(client, path, status, code, fragment):
    """In Triton's words, with the statuses of this service."""
    answer = _post(client, path, {"inputs": [JSON_X]})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert fragment in answer.json()["error"]


def test_an_inference_is_asked_by_post(client):
    """405, in the one form that errors have."""
    answer = client.get(AFFINE)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


def test_a_model_may_be_called_infer(server, client):
    """The hot path's ending does not take what is another path of such a model."""
    assert "'infer' is not found" in client.get("/v2/models/infer").json()["error"]
    assert "Could not find any versions of model infer" in client.get("/v1/models/infer").json()["error"]


def test_an_inference_elsewhere_needs_a_key(models):
    """Bound to another address, nobody infers without a key."""
    with processes.Server(models, "--host", "0.0.0.0") as server:  # noqa: S104 -- what is tested
        server.wait_until("/healthz")
        assert server.wait_until("/v2/health/live").json() == {"live": True}
        assert server.wait_until("/v2", 401).json()["code"] == "unauthorized"
        assert server.wait_until("/v2/models/affine", 401).json()["code"] == "unauthorized"
