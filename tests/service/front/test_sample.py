"""The sample request: a command line that the model takes."""

import json
import shlex

from service.engine.specs import SignatureSpec, TensorSpec
from service.front.documentation.sample import curl_line

ROWS = TensorSpec("DT_FLOAT", (None, 2), "x:0")


def body_of(inputs):
    """The JSON body of the curl line for some inputs."""
    line = curl_line("http://127.0.0.1:8000", "m", SignatureSpec(inputs, {"y": ROWS}, "predict"))
    command, flag, body, url = shlex.split(line)
    assert (command, flag, url) == ("curl", "-d", "http://127.0.0.1:8000/v1/models/m:predict")
    return json.loads(body)


def test_one_input_is_a_bare_row():
    """A single input is a row of zeros of its inner shape, free dimensions being 1."""
    assert body_of({"x": ROWS}) == {"instances": [[0.0, 0.0]]}
    assert body_of({"x": TensorSpec("DT_FLOAT", (None, None, 3), "x:0")}) == {"instances": [[[0.0, 0.0, 0.0]]]}


def test_several_inputs_are_named():
    """Several inputs are an object, each with a zero of its own type."""
    flag, name = TensorSpec("DT_BOOL", (None,), "f:0"), TensorSpec("DT_STRING", (None,), "n:0")
    count = TensorSpec("DT_INT32", (None, 1), "c:0")
    assert body_of({"f": flag, "n": name, "c": count}) == {"instances": [{"f": False, "n": "", "c": [0]}]}


def test_what_a_command_line_cannot_hold_has_none():
    """There is no line for a signature without rows, or with what JSON cannot carry."""
    scalar, half = TensorSpec("DT_FLOAT", (), "x:0"), TensorSpec("DT_HALF", (None,), "x:0")
    for spec in (scalar, half):
        assert curl_line("http://host", "m", SignatureSpec({"x": spec}, {"y": ROWS}, "predict")) is None
