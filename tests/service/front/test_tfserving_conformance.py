"""Conformance with TensorFlow Serving's REST API: a row for each sentence of its rules, asked of a real server."""

import gzip
import json
import subprocess

import httpx
import processes
import pytest

M = "/v1/models"
ONE = '{"instances": [[0, 0, 0, 1]]}'
ANSWER = {"predictions": [[6.5, 6.5]]}


def ask(client, method, path, body=None, **headers):
    """The answer to a body that is sent as it is."""
    content = body.encode() if isinstance(body, str) else body
    return client.request(method, path, content=content, headers=headers)


# ---------------------------------------------------------------------------------------------------------- requests


def test_unknown_keys_and_text_behind_are_ignored(client):
    """Other keys at the top, and whatever follows the closing brace."""
    body = '{"instances": [[0, 0, 0, 1]], "id": "x", "parameters": null} and so on }'
    assert ask(client, "POST", f"{M}/affine:predict", body).json() == ANSWER


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "application/json", "nonsense"])
def test_the_content_type_is_not_looked_at(client, kind):
    """Whatever a client says that it sends."""
    assert ask(client, "POST", f"{M}/affine:predict", ONE, **{"content-type": kind}).json() == ANSWER


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "gzip, identity"])
def test_compressed_bodies(client, coding):
    """A Content-Encoding that names gzip anywhere; the answer is not compressed."""
    answer = ask(client, "POST", f"{M}/affine:predict", gzip.compress(ONE.encode()), **{"content-encoding": coding})
    assert answer.json() == ANSWER
    assert "content-encoding" not in answer.headers


def predicted(client, signature, **body):
    """The answer of the model of kinds."""
    return client.post(f"{M}/kinds:predict", json={"signature_name": signature, **body})


ROWS = [
    ("sums", [[1, 2], [3, 4]], [3.0, 7.0]),
    ("sums", [{"x": [1, 2, 3]}], [6.0]),
    ("bytes", [0, 255], [0, 255]),
    ("large", [2**64 - 1], [2**64 - 1]),
    ("doubles", [0.1, 1e300, 5e-324], [0.1, 1e300, 5e-324]),
    ("halves", [0.1, 65504, 6e-8], [0.1, 65500.0, 6e-8]),
    ("amplitudes", [1.5], [[1.5, -1.5]]),
    (
        "several",
        [{"a": 1, "z": "x", "m": 2}, {"m": 3, "z": {"b64": "eQ=="}, "a": 0.5}],
        [{"a": 1.0, "m": 4, "words": "xx"}, {"a": 0.5, "m": 9, "words": "yy"}],
    ),
]


@pytest.mark.parametrize(("signature", "rows", "predictions"), ROWS)
def test_rows(client, signature, rows, predictions):
    """Row format: the batch is the number of elements, and each row of the outputs is an element of the answer."""
    assert predicted(client, signature, instances=rows).json() == {"predictions": predictions}


COLUMNS = [
    ("sums", [[1, 2], [3, 4]], [3.0, 7.0]),
    ("sums", {"x": [[1, 2, 3]], "unknown": 1}, [6.0]),
    ("any_rank", 3.5, {"same": 3.5, "y": 3.5}),
    ("any_rank", [[[1], [2]]], {"same": [[[1.0], [2.0]]], "y": 3.0}),
    ("uneven", {"a": [1, 2, 3], "b": 2}, {"first": [2.0, 4.0, 6.0], "second": [2.0]}),
    ("scaled", {"x": [[1, 2], [3, 4]], "scale": 2}, [[2.0, 4.0], [6.0, 8.0]]),
    ("scaled", {"x": [[1, 2], [3, 4]]}, [[10.0, 20.0], [30.0, 40.0]]),
]


@pytest.mark.parametrize(("signature", "inputs", "outputs"), COLUMNS)
def test_columns(client, signature, inputs, outputs):
    """Column format: extra names are ignored, first dimensions may differ, defaults stand in, scalars are allowed."""
    assert predicted(client, signature, inputs=inputs).json() == {"outputs": outputs}


REFUSED = [
    ("sums", {"instances": [[1, 2], [3]]}, "Expecting tensor size: 2 but got: 1"),
    ("sums", {"instances": [[1, 2], [[3], [4]]]}, "Expecting shape [2] but got: [2,1]"),
    ("sums", {"inputs": [[[1, 2, 3], [1, 2]]]}, "unexpected size: 2 at level: 2 expected size: 3"),
    ("sums", {"inputs": [[1, [2]]]}, "expected a single value"),
    ("sums", {"instances": [{"foo": [1]}]}, "Failed to process element: 0 key: foo of 'instances' list. Error: "),
    ("sums", {"instances": [{"foo": [1]}]}, "JSON object: does not have named input: foo"),
    ("several", {"instances": [{"a": 1, "z": "x"}]}, "keys must be equal to: a,m,z"),
    ("several", {"instances": [1]}, "keys must be equal to: a,m,z"),
    ("sums", {"instances": [[1], {"x": [1]}]}, "keys must be equal to: x"),
    ("several", {"inputs": {"a": [1], "z": ["x"]}}, "Missing named input: m in 'inputs' object."),
    ("scaled", {"inputs": {"scale": 2}}, "Missing named input: x in 'inputs' object."),
    ("scaled", {"instances": [{"x": [1, 2]}]}, "keys must be equal to: scale,x"),
    ("sums", {"inputs": {"wrong": [[1]]}}, "Missing named input: x in 'inputs' object."),
    ("several", {"inputs": [1]}, "'inputs' must be an object"),
    ("sums", {"inputs": [[None]]}, "JSON Value: null Type: Null is not of expected type: float"),
    ("sums", {"inputs": [[True]]}, "JSON Value: true Type: Bool is not of expected type: float"),
    ("sums", {"inputs": [["1"]]}, 'JSON Value: "1" Type: String is not of expected type: float'),
    ("sums", {"inputs": [[1e39]]}, "to float without loss of precision"),
    ("bytes", {"inputs": [1.0]}, "JSON Value: 1.0 Type: Number is not of expected type: uint8"),
    ("bytes", {"inputs": [256]}, "out of range for type: uint8"),
    ("bytes", {"inputs": [-1]}, "out of range for type: uint8"),
    ("large", {"inputs": [2**64]}, "Type: Number is not of expected type: uint64"),
    ("uneven", {"instances": [{"a": 1, "b": 2}]}, "input 'b' has shape [1], expected []"),
    ("any_rank", {"instances": [1, 2]}, "has no shape information"),
]


@pytest.mark.parametrize(("signature", "body", "fragment"), REFUSED)
def test_values_that_are_refused(client, signature, body, fragment):
    """Names, shapes and types that do not fit are 400, with what was found and what was expected."""
    answer = predicted(client, signature, **body)
    assert answer.status_code == 400
    assert fragment in answer.json()["error"]


def test_outputs_that_differ_in_their_rows_need_columns(client):
    """Outputs with other numbers of rows than each other are refused in row format only."""
    error = predicted(client, "halved", instances=[1, 2, 3, 4])
    assert error.status_code == 400
    assert "Tensor name: half has inconsistent batch size: 2 expecting: 4; ask with 'inputs' instead" in error.text
    columns = predicted(client, "halved", inputs=[1, 2, 3, 4]).json()
    assert columns == {"outputs": {"all": [1.0, 2.0, 3.0, 4.0], "half": [1.0, 2.0]}}


def test_outputs_are_in_the_order_of_their_names(client):
    """An answer is the same text whichever worker gave it."""
    body = {"signature_name": "several", "instances": [{"a": 1, "z": "x", "m": 2}]}
    text = client.post(f"{M}/kinds:predict", json=body).text
    assert text == '{"predictions":[{"a":1.0,"m":4,"words":"xx"}]}'


@pytest.mark.parametrize(("signature", "dtype"), [("of_halves", "half"), ("of_complex", "complex128")])
def test_dtypes_that_json_cannot_carry(client, signature, dtype):
    """Halves and complex numbers as inputs are 501."""
    for body in ({"instances": [1]}, {"inputs": [1]}):
        answer = predicted(client, signature, **body)
        assert (answer.status_code, answer.json()["code"]) == (501, "unsupported_dtype")
        assert f"Conversion of JSON Value: [1] to type: {dtype} " in answer.json()["error"]


# ----------------------------------------------------------------------------------------------------------- answers

NUMBERS = [
    ("sums", "[[3]]", "[3.0]"),
    ("sums", "[[0.2]]", "[0.2]"),
    ("sums", "[[1e-8]]", "[1e-8]"),
    ("sums", "[[NaN], [Infinity], [-Infinity]]", "[NaN,Infinity,-Infinity]"),
    ("sums", "[[Inf], [-Inf]]", "[Infinity,-Infinity]"),
    ("sums", "[[16777216]]", "[16777216.0]"),
    ("halves", "[0.1, 3, NaN]", "[0.1,3.0,NaN]"),
    ("doubles", "[0.1, 3, -Infinity]", "[0.1,3.0,-Infinity]"),
    ("doubles", "[0.30000000000000004]", "[0.30000000000000004]"),
    ("bytes", "[3]", "[3]"),
]


@pytest.mark.parametrize(("signature", "rows", "text"), NUMBERS)
def test_how_numbers_are_written(client, signature, rows, text):
    """Floats have a point and as few digits as give them back in their own dtype; NaN and infinities are bare."""
    body = f'{{"signature_name": "{signature}", "instances": {rows}}}'
    assert ask(client, "POST", f"{M}/kinds:predict", body).text == f'{{"predictions":{text}}}'


def test_inf_within_text_stays(client):
    """`Inf` is a number outside of strings only, also behind escaped quotes."""
    body = r'{"signature_name": "strings", "instances": ["a\"Inf", "Inf"], "other": [NaN, Inf]}'
    answer = ask(client, "POST", f"{M}/zoo:predict", body).json()
    assert [row["upper"] for row in answer["predictions"]] == ['A"INF', "INF"]


def test_strings_and_bytes(client):
    """Outputs whose names end in _bytes are base64, other strings are text."""
    body = {"signature_name": "strings", "inputs": ["ab", {"b64": "bG9uZ2Vy"}]}
    assert client.post(f"{M}/zoo:predict", json=body).json()["outputs"] == {
        "is_long": [False, True],
        "raw_bytes": [{"b64": "QUI="}, {"b64": "TE9OR0VS"}],
        "upper": ["AB", "LONGER"],
    }


# ------------------------------------------------------------------------------------------------- status, metadata


def test_status(client):
    """Versions as text, newest first, states and codes by their names; also for a model that failed."""
    state = client.get(f"{M}/affine/versions/1").json()["model_version_status"]
    assert state == [{"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}]
    [broken] = client.get(f"{M}/broken").json()["model_version_status"]
    assert (broken["state"], broken["status"]["error_code"]) == ("END", "INVALID_ARGUMENT")


def test_metadata(client):
    """Signatures nested twice; sizes and versions as text; methods, unknown ranks and defaults as they are."""
    found = client.get(f"{M}/kinds/metadata").json()
    assert found["model_spec"] == {"name": "kinds", "signature_name": "", "version": "1"}
    signatures = found["metadata"]["signature_def"]["signature_def"]
    assert signatures["any_rank"]["inputs"]["x"]["tensor_shape"] == {"dim": [], "unknown_rank": True}
    assert signatures["sums"]["inputs"]["x"]["tensor_shape"]["dim"] == [{"size": "-1", "name": ""}] * 2
    assert signatures["of_halves"]["inputs"]["x"]["dtype"] == "DT_HALF"
    assert signatures["amplitudes"]["outputs"]["y"]["dtype"] == "DT_COMPLEX64"
    assert signatures["sums"]["defaults"] == {}
    default = signatures["scaled"]["defaults"]["scale"]
    assert (default["dtype"], default["float_val"]) == ("DT_FLOAT", [10.0])
    assert default["tensor_shape"] == {"dim": [], "unknown_rank": False}
    methods = {name: spec["method_name"] for name, spec in _signatures(client, "scoring").items()}
    assert methods["regress"] == "tensorflow/serving/regress"
    assert methods["serving_default"] == "tensorflow/serving/predict"


def _signatures(client, model):
    return client.get(f"{M}/{model}/metadata").json()["metadata"]["signature_def"]["signature_def"]


def test_a_label_names_a_version_everywhere(client):
    """A version is asked by a label that was set for it, as it is by its number."""
    assert client.put(f"{M}/affine/labels/stable", json={"version": 1}).status_code == 200
    try:
        assert ask(client, "POST", f"{M}/affine/labels/stable:predict", ONE).json() == ANSWER
        [status] = client.get(f"{M}/affine/labels/stable").json()["model_version_status"]
        assert status["version"] == "1"
        assert client.get(f"{M}/affine/labels/stable/metadata").json() == client.get(f"{M}/affine/metadata").json()
        shape = client.post(f"{M}/affine/labels/stable:shape", json={"input_shape": [3, 4]})
        assert shape.json() == {"outputs": {"y": {"shape": [3, 2], "dtype": "DT_FLOAT"}}}
    finally:
        client.delete(f"{M}/affine/labels/stable")


# -------------------------------------------------------------------------------------------------------------- curl


def curl(*arguments):
    """What curl prints."""
    return subprocess.run(["curl", "-sS", *arguments], capture_output=True, check=True, timeout=60).stdout


def test_curl_without_any_header(server):
    """What a person types: -d and nothing else."""
    assert json.loads(curl("-d", ONE, f"{server.url}{M}/affine:predict")) == ANSWER


def test_curl_with_a_compressed_file(server, tmp_path):
    """A gzip file, sent as it is."""
    (tmp_path / "x.gz").write_bytes(gzip.compress(ONE.encode()))
    coding = ("-H", "Content-Encoding: gzip", "--data-binary", f"@{tmp_path / 'x.gz'}")
    assert json.loads(curl(*coding, f"{server.url}{M}/affine:predict")) == ANSWER


def test_curl_with_a_large_file(server, tmp_path):
    """A body in many pieces, for which curl asks with Expect whether it may send it."""
    (tmp_path / "rows.json").write_text(json.dumps({"instances": [[0.5, 0.25, 0.125, 1.0]] * 16_000}))
    answer = json.loads(curl("-d", f"@{tmp_path / 'rows.json'}", f"{server.url}{M}/affine:predict"))
    assert len(answer["predictions"]) == 16_000


def test_a_key_may_be_sent_along(server):
    """On loopback everybody may ask, and a known key does no harm."""
    headers = {"Authorization": f"Bearer {processes.MANAGE_KEY}"}
    assert httpx.post(f"{server.url}{M}/affine:predict", content=ONE, headers=headers, timeout=30).json() == ANSWER
