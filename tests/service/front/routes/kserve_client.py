"""What KServe's client makes of a server; run by an interpreter that has it, with the server's address."""

import asyncio
import json
import sys

import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

ROWS = np.array([[1, 2, 3, 4], [0, 0, 0, 1]], np.float32)


async def _inferred(client, url, *, binary_in, binary_out):
    tensor = InferInput("x", [2, 4], "FP32")
    tensor.set_data_from_numpy(ROWS, binary_data=binary_in)
    parameters = {"binary_data_output": binary_out}
    request = InferRequest("affine", [tensor], request_id="seven", parameters=parameters)
    answer = await client.infer(url, request, model_name="affine")
    return {
        "id": answer.id,
        "model": answer.model_name,
        "y": answer.outputs[0].as_numpy().tolist(),
    }


async def _words(client, url):
    tensor = InferInput("words", [2], "BYTES")
    tensor.set_data_from_numpy(np.array([b"a", b"long"], object), binary_data=True)
    request = InferRequest("zoo", [tensor], parameters={"signature_name": "strings", "binary_data_output": True})
    answer = await client.infer(url, request, model_name="zoo")
    return {output.name: output.as_numpy().tolist() for output in answer.outputs if output.name != "raw_bytes"}


async def _refused(client, url):
    try:
        await client.infer(url, {"inputs": []}, model_name="affine")
    except Exception as exc:  # noqa: BLE001 -- what the user of the client sees
        return str(exc)
    return None


async def _report(url):
    async with (
        InferenceRESTClient(RESTConfig(protocol="v2")) as client,
        InferenceRESTClient(RESTConfig(protocol="v1")) as old,
    ):
        return {
            "live": [await client.is_server_live(url), await old.is_server_live(url)],
            "ready": await client.is_server_ready(url),
            "models": {
                name: [await client.is_model_ready(url, name), await old.is_model_ready(url, name)]
                for name in ("affine", "broken")
            },
            "inferred": [
                await _inferred(client, url, binary_in=binary_in, binary_out=binary_out)
                for binary_in in (True, False)
                for binary_out in (True, False)
            ],
            "words": await _words(client, url),
            "predicted": await old.infer(url, {"instances": [[0, 0, 0, 1]]}, model_name="affine"),
            "refused": await _refused(client, url),
        }


if __name__ == "__main__":
    text = json.dumps(asyncio.run(_report(sys.argv[1])), default=bytes.decode)
    sys.stdout.write(text.splitlines()[-1])
