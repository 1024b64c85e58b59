"""Requests and answers of the Open Inference Protocol, byte by byte."""

import base64
import json

import numpy as np

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


def post(client, path, document, tail=b"", **headers):
    """Send a document and the bytes behind it; `length` replaces what the header says of the document."""
    text = json.dumps(document).encode()
    if tail or "length" in headers:
        headers = {LENGTH: headers.pop("length", str(len(text))), **headers}
    return client.post(path, content=text + tail, headers=headers)


def overrides(folder, number=1, config="{}"):
    """The parameters of a load request that bring a model's files."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    parameters = {f"file:{number}/{path}": base64.b64encode(data).decode() for path, data in files.items()}
    return {"parameters": parameters | ({"config": config} if config is not None else {})}


def tensors(answer):
    """The outputs of an answer by name: datatype, shape, and data or bytes."""
    assert answer.status_code == 200, answer.text
    length = int(answer.headers.get(LENGTH, len(answer.content)))
    found, offset = {}, length
    for tensor in json.loads(answer.content[:length])["outputs"]:
        size = tensor.get("parameters", {}).get("binary_data_size")
        value = tensor.get("data") if size is None else answer.content[offset : offset + size]
        offset += size or 0
        found[tensor["name"]] = (tensor["datatype"], tensor["shape"], value)
    assert offset == len(answer.content)
    return found
