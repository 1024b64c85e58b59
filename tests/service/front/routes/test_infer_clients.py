"""Inference by the clients that people have, unmodified, against a real server."""

import asyncio

import numpy as np
import processes
import pytest
import tritonclient.http as triton
import tritonclient.http.aio as triton_aio

ROWS = np.float32([[1, 2, 3, 4], [0, 0, 0, 1]])
WEIGHTS = np.arange(8, dtype=np.float32).reshape(4, 2)
EXPECTED = ROWS @ WEIGHTS + np.float32([0.5, -0.5])


@pytest.fixture(scope="module")
def address(server):
    """As tritonclient takes it: without a scheme."""
    return server.url.removeprefix("http://")


@pytest.fixture
def tritonclient(address):
    """The synchronous client."""
    with triton.InferenceServerClient(address) as client:
        yield client


def _tensor(name, array, datatype, *, binary=True):
    tensor = triton.InferInput(name, list(array.shape), datatype)
    tensor.set_data_from_numpy(array, binary_data=binary)
    return tensor


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False, None])
@pytest.mark.parametrize("coding", [None, "gzip", "deflate"])
def test_every_form_of_an_inference(tritonclient, binary_in, binary_out, coding):
    """Bytes or JSON in and out, outputs named or not, compressed or not: the same numbers."""
    outputs = None if binary_out is None else [triton.InferRequestedOutput("y", binary_data=binary_out)]
    result = tritonclient.infer(
        "affine",
        [_tensor("x", ROWS, "FP32", binary=binary_in)],
        model_version="1",
        outputs=outputs,
        request_id="seven",
        request_compression_algorithm=coding,
        response_compression_algorithm=coding,
    )
    np.testing.assert_array_equal(result.as_numpy("y"), EXPECTED)
    document = result.get_response()
    assert (document["model_name"], document["model_version"], document["id"]) == ("affine", "1", "seven")
    assert ("data" in document["outputs"][0]) == (binary_out is False)


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False])
def test_every_form_of_an_inference_with_the_asynchronous_client(address, binary_in, binary_out):
    """The asynchronous client, which offers gzip of itself."""
    outputs = [triton_aio.InferRequestedOutput("y", binary_data=binary_out)]

    async def ask():
        async with triton_aio.InferenceServerClient(address) as client:
            return await client.infer("affine", [_tensor("x", ROWS, "FP32", binary=binary_in)], outputs=outputs)

    np.testing.assert_array_equal(asyncio.run(ask()).as_numpy("y"), EXPECTED)


@pytest.mark.parametrize("binary", [True, False])
def test_strings_booleans_and_no_rows(tritonclient, binary):
    """BYTES and BOOL both ways, and tensors without rows, in bytes and in JSON."""

    def ask(model, signature, tensor, output):
        outputs = [triton.InferRequestedOutput(output, binary_data=binary)]
        parameters = {"signature_name": signature}
        return tritonclient.infer(model, [tensor], outputs=outputs, parameters=parameters).as_numpy(output).tolist()

    words = _tensor("words", np.array([b"ab", "\u00e4 long".encode()], object), "BYTES", binary=binary)
    found = ask("zoo", "strings", words, "upper")
    assert [item if binary else item.encode() for item in found] == [b"AB", "\u00e4 LONG".encode()]
    assert ask("zoo", "strings", words, "is_long") == [False, True]
    flags = _tensor("flag", np.array([True, False]), "BOOL", binary=binary)
    assert ask("zoo", "booleans", flags, "not") == [False, True]
    nothing = _tensor("x", np.zeros([0, 4], np.float32), "FP32", binary=binary)
    assert ask("affine", "doubled", nothing, "y") == []


def test_special_numbers_in_json(tritonclient):
    """The client writes NaN and infinities as bare tokens, and reads them so."""
    values = np.float32([[np.nan, np.inf], [-np.inf, 0]])
    outputs = [triton.InferRequestedOutput("y", binary_data=False)]
    result = tritonclient.infer("identity", [_tensor("x", values, "FP32", binary=False)], outputs=outputs)
    np.testing.assert_array_equal(result.as_numpy("y"), values)


def test_classes(tritonclient):
    """`class_count` gives strings of value and index."""
    outputs = [triton.InferRequestedOutput("y", class_count=1)]
    result = tritonclient.infer("affine", [_tensor("x", ROWS, "FP32")], outputs=outputs)
    assert result.as_numpy("y").tolist() == [[b"49.500000:1"], [b"6.500000:0"]]


def test_options(tritonclient):
    """Priority, a timeout in microseconds and other parameters are taken."""
    result = tritonclient.infer(
        "affine", [_tensor("x", ROWS, "FP32")], priority=1, timeout=10_000_000, parameters={"anything": "goes"}
    )
    np.testing.assert_array_equal(result.as_numpy("y"), EXPECTED)


def test_every_question(tritonclient):
    """Health, metadata, configuration, statistics and logging."""
    assert tritonclient.is_server_live()
    assert tritonclient.is_server_ready()
    assert tritonclient.is_model_ready("affine")
    assert tritonclient.is_model_ready("affine", "1")
    assert not tritonclient.is_model_ready("broken")
    assert not tritonclient.is_model_ready("nobody")
    assert "binary_tensor_data" in tritonclient.get_server_metadata()["extensions"]
    assert tritonclient.get_model_metadata("affine", "1")["inputs"][0]["name"] == "x"
    assert tritonclient.get_model_config("affine")["max_batch_size"] == 64
    for arguments in ((), ("affine",), ("affine", "1")):
        names = [item["name"] for item in tritonclient.get_inference_statistics(*arguments)["model_stats"]]
        assert "affine" in names
    assert tritonclient.get_log_settings()["log_info"] is True


def test_changing_what_is_logged(tritonclient):
    """The client's own way to change settings, with a key as a header."""
    headers = {"authorization": f"Bearer {processes.MANAGE_KEY}"}
    assert tritonclient.update_log_settings({"log_verbose_level": 1}, headers=headers)["log_verbose_level"] == 1
    assert tritonclient.update_log_settings({"log_verbose_level": 0}, headers=headers)["log_verbose_level"] == 0


def test_every_question_of_the_asynchronous_client(address):
    """It offers gzip for everything and inflates only inferences: nothing else may be compressed."""

    async def ask():
        async with triton_aio.InferenceServerClient(address) as client:
            assert await client.is_server_live()
            assert await client.is_server_ready()
            assert await client.is_model_ready("affine")
            return (
                await client.get_server_metadata(),
                await client.get_model_metadata("identity"),
                await client.get_model_config("affine", "1"),
                await client.get_inference_statistics(),
                await client.get_log_settings(),
            )

    answers = asyncio.run(ask())
    assert [type(answer) for answer in answers] == [dict] * 5


@pytest.mark.parametrize("coding", ["gzip", "deflate", None])
def test_large_arrays_with_the_asynchronous_client(address, coding):
    """Replies that are worth it come compressed, and are read."""
    rows = np.random.default_rng(1).normal(size=(5000, 2)).astype(np.float32)

    async def ask():
        async with triton_aio.InferenceServerClient(address) as client:
            return await client.infer(
                "identity",
                [_tensor("x", rows, "FP32")],
                request_compression_algorithm=coding,
                response_compression_algorithm=coding,
            )

    np.testing.assert_array_equal(asyncio.run(ask()).as_numpy("y"), rows)


def test_half_precision(tritonclient):
    """FP16 in bytes, both ways."""
    values = np.float16([1.5, -0.1])
    parameters = {"signature_name": "float16"}
    result = tritonclient.infer("identity", [_tensor("x", values, "FP16")], parameters=parameters)
    np.testing.assert_array_equal(result.as_numpy("y"), values)


def test_errors_have_status_and_text(tritonclient):
    """What the client's users see of an error."""
    for model, status, text in (("affine", "400", "data-type is 'FP64'"), ("nobody", "404", "'nobody' is not found")):
        with pytest.raises(triton.InferenceServerException) as caught:
            tritonclient.infer(model, [_tensor("x", ROWS.astype(np.float64), "FP64")])
        assert caught.value.status() == status
        assert text in caught.value.message()
    for question in (tritonclient.get_trace_settings, tritonclient.get_system_shared_memory_status):
        with pytest.raises(triton.InferenceServerException, match="not supported"):
            question()


def test_many_inferences_on_one_connection(tritonclient):
    """Keep-alive holds through every kind of answer, errors too."""
    for number in range(30):
        if number % 3 == 0:
            with pytest.raises(triton.InferenceServerException):
                tritonclient.infer("affine", [_tensor("z", ROWS, "FP32")])
        pending = tritonclient.async_infer("affine", [_tensor("x", ROWS, "FP32")])
        np.testing.assert_array_equal(pending.get_result().as_numpy("y"), EXPECTED)
