"""What servers are asked, and how their answers are read."""

import json

import numpy as np
import pytest

from benchmarks.environments import OURS, ROOT
from benchmarks.serving.contenders import RIVALS, SERVERS, US
from benchmarks.serving.models import MODELS
from benchmarks.serving.protocols import PROTOCOLS
from benchmarks.serving.scenarios import QUICK_SCENARIOS, SCENARIOS

ROWS = np.array([[0.1, -2.5, 1e-6, 3.0], [1 / 3, 0.0, 7.0, -1.0]], np.float32)


def _values(document):
    """The numbers of a JSON request, whatever its protocol."""
    for key in ("instances", "x"):
        if key in document:
            return document[key]
    (tensor,) = document["inputs"]
    return np.reshape(tensor["data"], tensor["shape"])


@pytest.mark.parametrize("name", [name for name in PROTOCOLS if name != "v2-binary"])
def test_json_carries_every_bit_of_a_float32(name):
    """The numbers in a JSON request are the rows exactly, though written with few digits."""
    request = PROTOCOLS[name].ask("x", "y", ROWS)
    assert (np.asarray(_values(json.loads(request.body)), np.float32) == ROWS).all()
    assert len(request.body) < 200


def test_binary_request_is_a_header_of_the_told_length_and_the_bytes():
    """A binary request tells where its JSON ends, and the rows' bytes follow."""
    request = PROTOCOLS["v2-binary"].ask("x", "y", ROWS)
    length = int(request.headers["inference-header-content-length"])
    (tensor,) = json.loads(request.body[:length])["inputs"]
    assert tensor["parameters"]["binary_data_size"] == ROWS.nbytes
    assert request.body[length:] == ROWS.tobytes()


ANSWERS = {
    "tfserving": json.dumps({"predictions": ROWS.tolist()}).encode(),
    "instances": json.dumps({"predictions": ROWS.tolist()}).encode(),
    "argument": json.dumps(ROWS.tolist()).encode(),
    "v2": json.dumps({"outputs": [{"name": "y", "shape": [2, 4], "data": ROWS.ravel().tolist()}]}).encode(),
    "v2-binary": b'{"outputs":[{"name":"y","shape":[2,4]}]}' + ROWS.tobytes(),
}


@pytest.mark.parametrize("name", PROTOCOLS)
def test_answers_become_outputs(name):
    """Each protocol's answer is read as the array it carries."""
    headers = {"inference-header-content-length": str(ANSWERS[name].find(b"}]}") + 3)}
    assert (PROTOCOLS[name].read(headers, ANSWERS[name]) == ROWS).all()


@pytest.mark.parametrize("name", SERVERS)
def test_servers_name_what_exists(name):
    """Each server speaks known protocols, and each rival has pins and a script of its own."""
    server = SERVERS[name]
    assert set(server.protocols.values()) <= set(PROTOCOLS)
    assert "json" in server.protocols
    assert server.settings
    assert server.is_rival == (name in RIVALS) == (server is not US)
    if server.environment != OURS:
        folder = ROOT / "benchmarks"
        assert (folder / "environments" / f"{server.environment}.txt").exists()
        assert (folder / "servers" / f"serve_{name}.py").exists()


def test_scenarios_are_of_known_models_and_none_stands_twice():
    """Each scenario can be measured, asks for different rows, and is measured once."""
    assert len(set(SCENARIOS)) == len(SCENARIOS)
    assert set(QUICK_SCENARIOS) <= set(SCENARIOS)
    for scenario in SCENARIOS:
        rows = np.arange(8192 * 2).reshape(-1, 2)
        pieces = scenario.pieces(rows)
        assert scenario.model in MODELS
        assert {len(piece) for piece in pieces} == {scenario.rows}
        assert len({piece.tobytes() for piece in pieces}) == len(pieces) > 1
