"""Arrays of every dtype and shape through a real model that gives back what comes in."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from service.engine.specs import DTYPES
from service.front.codecs import binary
from service.front.codecs.tensors import as_pairs

PATH = "/v2/models/identity/infer"
LENGTH = "inference-header-content-length"
NAMES = {row.name: "string" if row.kind == "string" else str(row.numpy) for row in DTYPES.values()}
SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _arrays(row, strings):
    if row.kind == "string":
        return arrays.arrays(object, SHAPES, elements=strings, fill=st.nothing())
    return arrays.arrays(row.numpy, SHAPES)


def _request(row, array, *, as_bytes_out):
    tensor = {"name": "x", "shape": list(as_pairs(array).shape), "datatype": row.oip}
    parameters = {"signature_name": NAMES[row.name], "binary_data_output": as_bytes_out}
    return tensor, {"inputs": [tensor], "parameters": parameters}


@few
@given(data=st.data())
@pytest.mark.parametrize("row", DTYPES.values(), ids=DTYPES)
def test_bytes_come_back_as_they_went_in(client, row, data):
    """Every bit, NaN's too, and the shape; scalars and arrays without elements are no exceptions."""
    array = data.draw(_arrays(row, st.binary(max_size=9)))
    tail = bytes(binary.encode(as_pairs(array)))
    tensor, document = _request(row, array, as_bytes_out=True)
    tensor["parameters"] = {"binary_data_size": len(tail)}
    text = json.dumps(document).encode()
    answer = client.post(PATH, content=text + tail, headers={LENGTH: str(len(text))})
    assert answer.status_code == 200, answer.text
    length = int(answer.headers.get(LENGTH, len(answer.content)))
    [output] = json.loads(answer.content[:length])["outputs"]
    assert (output["datatype"], output["shape"]) == (row.oip, tensor["shape"])
    assert answer.content[length:] == tail
    assert output["parameters"] == {"binary_data_size": len(tail)}


@few
@given(data=st.data())
@pytest.mark.parametrize("row", [row for row in DTYPES.values() if row.kind != "half"], ids=lambda row: row.name)
def test_numbers_in_json_come_back_as_they_went_in(client, row, data):
    """Integers are exact, floats are written with as many digits as they need, text is text; flat or nested."""
    array = data.draw(_arrays(row, st.text(max_size=5).map(str.encode)))
    values = as_pairs(array)
    tensor, document = _request(row, array, as_bytes_out=False)
    plain = [item.decode() for item in values.flat] if row.kind == "string" else values.ravel().tolist()
    is_nested = data.draw(st.booleans()) and row.kind != "string" and values.ndim
    tensor["data"] = values.tolist() if is_nested else plain
    answer = client.post(PATH, content=json.dumps(document))
    assert answer.status_code == 200, answer.text
    [output] = json.loads(answer.content)["outputs"]
    assert (output["datatype"], output["shape"]) == (row.oip, tensor["shape"])
    if row.kind == "string":
        assert output["data"] == plain
    else:
        np.testing.assert_array_equal(np.array(output["data"], values.dtype), values.ravel())
