"""No request, however strange, is anything but read or refused."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.engine.specs import DTYPES, SignatureSpec, TensorSpec
from service.errors import ServiceError
from service.front.codecs.oip import InferAnswer, encode_infer, parse_infer
from service.front.codecs.oip_inputs import decode_inputs
from service.front.http.replies import Reply, reply_to

SHAPES = [(None, 2), (None,), (), None, (None, None), (2, 0)]
SIGNATURES = {
    f"{row.name}{index}": SignatureSpec(
        {"x": TensorSpec(row.name, shape, "")}, {"y": TensorSpec(row.name, shape, "")}, ""
    )
    for row in DTYPES.values()
    for index, shape in enumerate(SHAPES)
}
TEXT = st.text(st.characters(exclude_categories=()), max_size=3)  # lone halves of surrogate pairs, too
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner))
SIZES = st.integers(-1, 5) | st.sampled_from([2**31, 2**62, 2**64, 10**400])
PARAMETERS = {"binary_data_size": SIZES | JSON, "classification": SIZES | JSON, "binary_data": st.booleans() | JSON}
TENSOR = st.fixed_dictionaries(
    {"name": st.sampled_from(["x", "y"]) | JSON},
    optional={
        "shape": st.lists(SIZES, max_size=3) | JSON,
        "datatype": st.sampled_from([row.oip for row in DTYPES.values()]) | JSON,
        "data": st.lists(SCALARS, max_size=4) | JSON,
        "parameters": st.fixed_dictionaries({}, optional=PARAMETERS) | JSON,
    },
)
OPTIONS = dict.fromkeys(("timeout", "priority", "seed", "shots", "binary_data_output", "signature_name"), SIZES | JSON)
DOCUMENT = st.fixed_dictionaries(
    {"inputs": st.lists(TENSOR, min_size=1, max_size=2) | JSON},
    optional={
        "id": JSON,
        "outputs": st.lists(TENSOR, max_size=2) | JSON,
        "parameters": st.fixed_dictionaries({}, optional=OPTIONS) | JSON,
    },
)
LENGTHS = st.none() | st.integers(-1, 200).map(str) | st.text(max_size=4)


def _answered(body, declared, name):
    """What is done with a request, up to an answer that gives the input back."""
    spec = SIGNATURES[name]
    request = parse_infer(body, declared, "m", {"serving_default": spec})
    request.wanted(spec)
    inputs = decode_inputs(request, spec, 100)
    return encode_infer(request, 1, spec, {"y": np.asarray(inputs["x"])}, has_rows=spec.has_rows)


def _outcome(body, declared, name):
    """The same, or the reply to what was raised."""
    try:
        return _answered(body, None if declared is None else declared.encode(), name)
    except ServiceError as exc:
        return reply_to(exc)


@settings(max_examples=400, deadline=None)
@given(document=DOCUMENT | JSON, tail=st.binary(max_size=40), declared=LENGTHS, name=st.sampled_from([*SIGNATURES]))
def test_strange_requests_are_refused_in_words(document, tail, declared, name):
    """Whatever JSON and bytes come: an answer that is well formed, or an error of ours and none of Python's."""
    outcome = _outcome(json.dumps(document).encode() + tail, declared, name)
    if isinstance(outcome, Reply):
        assert outcome.status in {400, 413, 501}
        assert 0 < len(json.loads(outcome.body)["error"]) < 2000
    else:
        document = json.loads(outcome.body[: outcome.document_bytes])
        assert document["model_name"] == "m"


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=60), declared=LENGTHS, name=st.sampled_from([*SIGNATURES]))
def test_garbage_is_refused_in_words(body, declared, name):
    """Bytes that are nothing at all, and raw requests of any length."""
    outcome = _outcome(body, declared, name)
    assert isinstance(outcome, InferAnswer) or outcome.status in {400, 413, 501}


@pytest.mark.parametrize("key", ["id", "signature_name"])
def test_half_a_surrogate_pair_is_no_text(key):
    """A text that cannot be sent back is refused, and the error can be sent."""
    tensor = {"name": "x", "shape": [1], "datatype": "FP32", "data": [1]}
    half = {"id": "\ud800"} if key == "id" else {"parameters": {key: "\ud800"}}
    outcome = _outcome(json.dumps({"inputs": [tensor], **half}).encode(), None, "DT_FLOAT1")
    assert (outcome.status, f"'{key}'" in json.loads(outcome.body)["error"]) == (400, True)
    tensor["name"] = "\ud800"
    outcome = _outcome(json.dumps({"inputs": [tensor]}).encode(), None, "DT_FLOAT1")
    assert "unexpected inference input '\\ud800'" in json.loads(outcome.body)["error"]


@pytest.mark.parametrize("depth", [50, 1000, 100_000])
def test_deep_nesting_is_refused(depth):
    """Lists in lists in lists: neither the parser nor the walk over the data overflows the stack."""
    data = b"[" * depth + b"1" + b"]" * depth
    body = b'{"inputs": [{"name": "x", "shape": [1], "datatype": "FP32", "data": ' + data + b"}]}"
    with pytest.raises(ServiceError) as caught:
        _answered(body, None, "DT_FLOAT1")
    assert caught.value.status == 400
