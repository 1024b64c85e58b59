"""Inference by the Open Inference Protocol, byte by byte, as any HTTP client may send it."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import processes
import pytest
from oip_requests import AFFINE, EXPECTED, IDENTITY, JSON_X, LENGTH, ROWS, ZOO, X, post, tensors


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
    answer = post(client, "/v2/models/affine/versions/1/infer", {"inputs": [{**X, "data": ROWS.tolist()}]})
    assert tensors(answer) == {"y": ("FP32", [2, 2], EXPECTED)}


def test_a_length_that_is_the_whole_body_is_no_raw_request(client):
    """perf_analyzer always says how long the document is, also where nothing stands behind it."""
    text = json.dumps({"inputs": [JSON_X]})
    answer = client.post(AFFINE, content=text, headers={LENGTH.title(): str(len(text))})
    assert tensors(answer)["y"][2] == EXPECTED


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
    answer = post(client, ZOO, body, b.tobytes())
    assert answer.headers["content-type"] == "application/octet-stream"
    assert tensors(answer) == {
        "sum": ("FP32", [2], np.float32([13, 27]).tobytes()),
        "count": ("INT32", [2], [11, 21]),
    }


def test_only_the_outputs_asked_for_come(client):
    """In the order they are asked for; different callers get their own."""
    inputs = [{"name": "a", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]
    inputs += [{"name": "b", "shape": [1], "datatype": "INT32", "data": [1]}]
    for names in (["count"], ["sum"], ["sum", "count"], []):
        body = {"parameters": {"signature_name": "pair"}, "inputs": inputs, "outputs": [{"name": n} for n in names]}
        assert list(tensors(post(client, ZOO, body))) == (names or ["count", "sum"])


@pytest.mark.parametrize("binary", [True, False])
def test_no_rows(client, binary):
    """No rows in, no rows out, and the model is not asked; nothing stands behind the document then."""
    before = client.get("/v2/models/affine/stats").json()["model_stats"][0]["execution_count"]
    tensor = {**X, "shape": [0, 4], **({"parameters": {"binary_data_size": 0}} if binary else {"data": []})}
    answer = post(client, AFFINE, {"inputs": [tensor], "parameters": {"binary_data_output": binary}})
    assert tensors(answer) == {"y": ("FP32", [0, 2], b"" if binary else [])}
    assert (LENGTH in answer.headers, answer.headers["content-type"]) == (False, "application/json")
    assert client.get("/v2/models/affine/stats").json()["model_stats"][0]["execution_count"] == before


def test_no_rows_of_a_width_that_only_shape_inference_knows(client):
    """A free inner dimension of the output follows from that of the input."""
    tensor = {"name": "x", "shape": [0, 7], "datatype": "FP32", "data": []}
    answer = post(client, IDENTITY, {"inputs": [tensor], "parameters": {"signature_name": "rows"}})
    assert tensors(answer) == {"y": ("FP32", [0, 7], [])}


def test_no_rows_of_a_signature_without_rows_are_computed(client):
    """The sum of nothing is 0, as the model says itself."""
    body = {"inputs": [{**X, "shape": [0, 4], "data": []}], "parameters": {"signature_name": "total"}}
    assert tensors(post(client, AFFINE, body)) == {"total": ("FP32", [], [0.0])}


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
    as_json = post(client, IDENTITY, {"parameters": parameters, "inputs": [{**tensor, "data": [1, 2]}]})
    assert (as_json.status_code, as_json.json()["code"]) == (400, "invalid_value")
    assert "use the binary data format" in as_json.json()["error"]
    as_bytes = {**tensor, "parameters": {"binary_data_size": 4}}
    answer = post(client, IDENTITY, {"parameters": parameters, "inputs": [as_bytes]}, np.float16([1.5, -2]).tobytes())
    assert tensors(answer) == {"y": ("FP16", [2], [1.5, -2.0])}


def test_complex_numbers_are_pairs(client):
    """A trailing dimension of 2 holds real and imaginary part; another one is refused."""
    tensor = {"name": "z", "shape": [1, 2], "datatype": "FP32", "data": [3, 4]}
    body = {"parameters": {"signature_name": "complex_numbers"}, "inputs": [tensor]}
    assert tensors(post(client, ZOO, body)) == {"conjugate": ("FP32", [1, 2], [3.0, -4.0])}
    body["inputs"] = [{**tensor, "shape": [2]}]
    assert "Expected [-1,2], got [2]" in post(client, ZOO, body).json()["error"]


def test_strings_that_are_no_text_need_the_binary_format(client):
    """JSON cannot carry bytes that are not UTF-8; the binary format can."""
    tail = b"\x02\0\0\0\xff\xfe"
    tensor = {"name": "x", "shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": len(tail)}}
    body = {"parameters": {"signature_name": "string"}, "inputs": [tensor]}
    refused = post(client, IDENTITY, body, tail)
    assert (refused.status_code, "not UTF-8" in refused.json()["error"]) == (400, True)
    body["parameters"]["binary_data_output"] = True
    assert tensors(post(client, IDENTITY, body, tail)) == {"y": ("BYTES", [1], tail)}


def test_seed_and_shots(client):
    """A model whose results are drawn is told from what and how often, beside its inputs; no rows need no drawing."""
    tensor = {"name": "x", "shape": [2], "datatype": "FP32", "data": [0.5, 0.25]}
    body = {"inputs": [tensor], "parameters": {"seed": 7, "shots": 100}}
    assert tensors(post(client, "/v2/models/drawn/infer", body)) == {"y": ("FP32", [2], [107.5, 107.25])}
    body["inputs"] = [{**tensor, "shape": [0], "data": []}]
    assert tensors(post(client, "/v2/models/drawn/infer", body)) == {"y": ("FP32", [0], [])}
    body["parameters"] = {"seed": 2**63}
    assert "parameter 'seed'" in post(client, "/v2/models/drawn/infer", body).json()["error"]


def test_classes(client):
    """The largest values of each row with their index, six decimals, as strings."""
    tensor = {"name": "x", "shape": [2, 3], "datatype": "FP32", "data": [0.25, 0.75, 0.5, 1, 3, 3]}
    outputs = [{"name": "y", "parameters": {"classification": 2}}]
    body = {"parameters": {"signature_name": "rows"}, "inputs": [tensor], "outputs": outputs}
    found = ["0.750000:1", "0.500000:2", "3.000000:1", "3.000000:2"]
    assert tensors(post(client, IDENTITY, body)) == {"y": ("BYTES", [2, 2], found)}
    outputs[0]["parameters"] = {"classification": 9, "binary_data": True}
    datatype, shape, tail = tensors(post(client, IDENTITY, body))["y"]
    assert (datatype, shape, len(tail)) == ("BYTES", [2, 3], 6 * 14)
    outputs[0]["parameters"] = {"classification": 10**6 + 1}
    assert post(client, IDENTITY, body).status_code == 400


def test_raw_requests(client):
    """A body of nothing but the one input's bytes; the rows follow from its length, all outputs are bytes."""
    answer = client.post(AFFINE, content=ROWS.tobytes(), headers={LENGTH: "0"})
    assert tensors(answer) == {"y": ("FP32", [2, 2], np.float32(EXPECTED).tobytes())}
    short = client.post(AFFINE, content=ROWS.tobytes()[:-1], headers={LENGTH: "0"})
    assert (short.status_code, "input byte size mismatch" in short.json()["error"]) == (400, True)


def test_a_timeout_shortens_the_servers(client):
    """A request that may wait for a millisecond is not computed behind one that takes long."""

    def ask(rounds, timeout_us):
        tensor = {"name": "rounds", "shape": [1], "datatype": "FP32", "data": [rounds]}
        return post(client, "/v2/models/slow/infer", {"inputs": [tensor], "parameters": {"timeout": timeout_us}})

    with ThreadPoolExecutor() as pool:
        for _ in range(20):  # until the second comes while the first is computed
            long = pool.submit(ask, 20, 60_000_000)
            time.sleep(0.02)
            short = ask(1, 1000)
            assert long.result().status_code == 200
            if short.status_code != 200:
                break
    assert (short.status_code, short.json()["code"]) == (504, "deadline_exceeded")


def test_a_lower_priority_number_goes_first(savedmodels, tmp_path):
    """Where a call takes one row, the request that came last and is urgent is the first of those that wait."""
    (tmp_path / "slow").symlink_to(savedmodels / "slow")
    ended = []

    def ask(rounds, priority):
        tensor = {"name": "rounds", "shape": [1], "datatype": "FP32", "data": [rounds]}
        body = {"inputs": [tensor], "parameters": {"priority": priority}}
        assert httpx.post(f"{server.url}/v2/models/slow/infer", json=body, timeout=60).status_code == 200
        ended.append(priority)

    def waiting():
        lines = httpx.get(f"{server.url}/metrics").text.splitlines()
        return [float(line.split()[-1]) for line in lines if line.startswith("qlayer_queue_requests{")]

    with processes.Server(tmp_path, "--batch-max-rows", "1") as server, ThreadPoolExecutor() as pool:
        server.wait_until("/readyz")
        asked = [pool.submit(ask, 1500, 1)]
        time.sleep(0.2)
        for count, priority in enumerate((3, 3, 0, 1), start=1):
            asked.append(pool.submit(ask, 100, priority))  # long enough for the clients to see which ended first
            processes.wait_for(lambda count=count: waiting() == [count])
        for each in asked:
            each.result()
    assert ended == [1, 1, 0, 3, 3]


def test_callers_of_one_batch_get_their_own(client):
    """Different rows, outputs, formats and ids at the same time: nothing is mixed up."""

    def ask(number):
        inputs = [{"name": "a", "shape": [1, 2], "datatype": "FP32", "data": [number, number]}]
        inputs += [{"name": "b", "shape": [1], "datatype": "INT32", "data": [number]}]
        wanted = [{"name": ["sum", "count"][number % 2], "parameters": {"binary_data": number % 3 == 0}}]
        body = {"parameters": {"signature_name": "pair"}, "inputs": inputs, "outputs": wanted}
        return tensors(post(client, ZOO, body))

    with ThreadPoolExecutor(16) as pool:
        for number, found in enumerate(pool.map(ask, range(200))):
            expected = np.int32([number + 1]) if number % 2 else np.float32([3 * number])
            [(_, shape, value)] = found.values()
            assert shape == [1]
            assert value == (expected.tobytes() if number % 3 == 0 else expected.tolist())
