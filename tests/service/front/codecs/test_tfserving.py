"""Inputs by name, and base64, which looks like one."""

import json

import pytest

from service.engine.specs import SignatureSpec, TensorSpec
from service.front.codecs.tfserving import decode_inputs, parse_predict

FLOATS = SignatureSpec({"b64": TensorSpec("DT_FLOAT", (None, 2), "")}, {}, "")
TEXTS = SignatureSpec({"b64": TensorSpec("DT_STRING", (None,), "")}, {}, "")


@pytest.mark.parametrize(
    ("body", "spec", "expected"),
    [
        ({"instances": [{"b64": [1, 2]}]}, FLOATS, [[1, 2]]),
        ({"inputs": {"b64": [[1, 2]]}}, FLOATS, [[1, 2]]),
        ({"instances": [{"b64": "aGk="}]}, TEXTS, [b"hi"]),
        ({"inputs": {"b64": [{"b64": "aGk="}]}}, TEXTS, [b"hi"]),
    ],
)
def test_an_input_may_be_called_b64(body, spec, expected):
    """Base64 is what has a text under that key."""
    request = parse_predict(json.dumps(body).encode())
    assert decode_inputs(request, spec)["b64"].tolist() == expected
