"""A turn of the race, with our own server: started, compared, asked for a second, ended."""

import sys

import numpy as np
import processes
import pytest

from benchmarks.serving import wrk
from benchmarks.serving.agreement import DisagreementError, check
from benchmarks.serving.contenders import US
from benchmarks.serving.models import Reference
from benchmarks.serving.process import Running, ServerError, free_port
from benchmarks.serving.race import Turns, load
from benchmarks.serving.scenarios import Scenario
from benchmarks.serving.served import Served

SCENARIO = Scenario("line", 4, 1, "json")


def _save(folder):
    """Export y = 2 x + 1; runs in a child process, so it brings its imports."""
    import tensorflow as tf

    module = tf.Module()
    spec = tf.TensorSpec([None, 2], tf.float32, "x")
    module.f = tf.function(lambda x: {"y": 2.0 * x + 1.0}, input_signature=[spec])
    tf.saved_model.save(module, folder, signatures={"serving_default": module.f})


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """A small model, with its rows and outputs."""
    folder = tmp_path_factory.mktemp("models") / "line" / "1"
    processes.run_blocked(_save, str(folder))
    rows = np.random.default_rng(3).uniform(-1, 1, (64, 2)).astype(np.float32)
    return Reference(folder, "x", "y", rows, 2 * rows + 1)


@pytest.fixture(scope="module")
def served(known):
    """Our server with that model."""
    port = free_port()
    with Running("test", US.argv(known.folder, port), port, US.ready) as running:
        yield Served(US, running, "line", known)


def test_right_answers_agree_and_wrong_ones_do_not(served):
    """The comparison passes for TensorFlow's outputs and names the difference to others."""
    check(served, SCENARIO)
    wrong = Reference(served.known.folder, "x", "y", served.known.rows, served.known.outputs + 1)
    with pytest.raises(DisagreementError, match=r"differ from TensorFlow's by 1\.0e\+00"):
        check(Served(served.server, served.running, served.model, wrong), SCENARIO)
    with pytest.raises(DisagreementError, match="it answered 404"):
        check(Served(served.server, served.running, "nobody", served.known), SCENARIO)


@pytest.mark.skipif(not wrk.has_wrk(), reason=wrk.MISSING)
def test_load_is_answered(served):
    """A second of load is answered without an error, and gives numbers that make sense."""
    turns = Turns([load(served, SCENARIO, 1)])
    seen = turns.result(rows=1)
    assert seen["answers_per_s"] == seen["rows_per_s"] > 50
    assert seen["refusals_per_s"] == seen["failed"] == 0
    assert 0 < seen["p50_ms"] <= seen["p99_ms"]


def test_all_processes_of_a_server_end_with_its_block():
    """A server that leaves children behind does not survive the block."""
    port = free_port()
    child = "import subprocess,sys; subprocess.Popen([sys.executable,'-c','import time; time.sleep(60)']);"
    serve = f"import http.server as h; h.test(h.SimpleHTTPRequestHandler, port={port}, bind='127.0.0.1')"
    with Running("test-children", [sys.executable, "-c", child + serve], port, "/") as running:
        assert len(running.processes()) == 2
    assert running.processes() == set()


def test_server_that_ends_is_told_with_its_last_words():
    """A server that cannot start is reported with its exit code and what it said."""
    argv = [sys.executable, "-c", "import sys; sys.exit('no such model')"]
    with pytest.raises(ServerError, match=r"code 1 .*no such model"), Running("test-end", argv, free_port(), "/"):
        pass


def test_reason_takes_the_place_of_numbers():
    """What could not be measured says why."""
    assert Turns(reason="it does not speak binary").result(rows=1) == {"skipped": "it does not speak binary"}
