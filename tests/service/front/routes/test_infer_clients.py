"""Inference by the clients that people have, unmodified, against a real server."""

import asyncio

import numpy as np
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
