"""The whole way with our own contestant: a real process, its numbers, its times, the page and the figure."""

import io
import json

import numpy as np
import pytest

from benchmarks.agreement import disagreement
from benchmarks.child import Child, ChildError
from benchmarks.command import ask
from benchmarks.contenders import US, Contender
from benchmarks.contestants.worker import RefusedError, serve
from benchmarks.report import report
from benchmarks.results import read_results
from benchmarks.task import Task
from benchmarks.training import QUESTION

TASK = Task("training", "a", 2, 3, 4)


class Squares:
    """A contestant that squares its inputs, and answers nothing else."""

    packages = ("numpy",)

    def prepare(self, task, arrays):
        """Square the inputs."""
        if task.question == "never":
            raise RefusedError("it does not")
        if task.question == "broken":
            raise ValueError("no such state")
        return lambda: [arrays.inputs**2]


def converse(*requests):
    """The replies of a worker to some requests."""
    replies = io.StringIO()
    serve(Squares(), io.StringIO("".join(json.dumps(request) + "\n" for request in requests)), replies)
    return [json.loads(line) for line in replies.getvalue().splitlines()]


def test_protocol_line_by_line():
    """Each request has its reply, in order."""
    measure = {"do": "measure", "at_least": 4, "budget_s": 0, "limit_s": 10}
    prepared, measured, outputs, memory, released = converse(
        {"do": "prepare", "task": TASK.to_json()}, measure, {"do": "outputs"}, {"do": "memory"}, {"do": "release"}
    )
    assert prepared["first_call_s"] > 0
    assert len(measured["seconds"]) == 4
    assert outputs["arrays"][0]["shape"] == [4, 2]
    assert min(outputs["arrays"][0]["values"]) >= 0
    assert memory["peak_bytes"] >= memory["before_bytes"] > 0
    assert released == {}


def test_refusals_and_failures_are_replies():
    """A contestant that cannot, and one that breaks, say so, and go on."""
    refused, broken, versions = converse(
        {"do": "prepare", "task": TASK.asking("never").to_json()},
        {"do": "prepare", "task": TASK.asking("broken").to_json()},
        {"do": "versions"},
    )
    assert refused == {"refused": "it does not"}
    assert broken == {"error": "ValueError: no such state"}
    assert versions["versions"]["numpy"] == np.__version__


def test_a_limit_on_a_turn_is_kept():
    """However many calls are asked for, the turn ends; it has one call at least."""
    _, measured = converse(
        {"do": "prepare", "task": TASK.to_json()},
        {"do": "measure", "at_least": 10**9, "budget_s": 10**9, "limit_s": 0},
    )
    assert len(measured["seconds"]) == 1


def test_disagreement_is_found():
    """Other numbers, other shapes and other counts differ; an axis of one does not."""
    ours = [{"shape": [2], "values": [1.0, 2.0]}]
    assert disagreement(ours, [{"shape": [2, 1], "values": [1.0, 2.0001]}]) is None
    assert disagreement(ours, [{"shape": [2], "values": [1.0, 2.1]}]) == "numbers up to 2 differ from ours by 0.1"
    assert disagreement(ours, [{"shape": [3], "values": [1.0] * 3}]) == "an array of shape [3] where ours has [2]"
    assert disagreement(ours, []) == "0 arrays where we have 1"


@pytest.fixture(scope="module")
def us():
    """Our contestant in its process."""
    with Child(US) as child:
        yield child


def test_our_contestant_computes_and_answers_slow_requests_no_more(us):
    """A child that takes too long is ended, and started anew at the next request."""
    us.ask("prepare", task=TASK.to_json(), timeout_s=120)
    assert us.ask("outputs", timeout_s=60)["arrays"][0]["shape"] == [4, 2]
    with pytest.raises(ChildError, match="no answer within 0 s"):
        us.ask("measure", at_least=1, budget_s=60, limit_s=60, timeout_s=0)
    assert "tensorflow" in us.ask("versions", timeout_s=120)["versions"]


def test_child_that_dies_says_how():
    """A process that ends without an answer is a failure of that contestant, with its exit code."""
    nobody = Contender("nobody", US.environment, "nobody")
    with Child(nobody) as child, pytest.raises(ChildError, match="the process ended with code 1"):
        child.ask("versions", timeout_s=60)


def test_from_measuring_to_the_page(tmp_path):
    """A question asked of us alone becomes a file of results, a page and a figure."""
    ask(QUESTION, ["--only", "qlayer", "--wires", "2", "--full", "--minutes", "0.02", "--results", str(tmp_path)])
    run = read_results("training", tmp_path)
    first, *_, last = run["points"]
    assert first["task"].wires == 2
    assert first["results"]["qlayer"]["median_s"] > 0
    assert last["results"]["qlayer"]["skipped"] == "not reached within the time of this run"
    (page,) = report(["training"], results=tmp_path, pages=tmp_path / "pages")
    text = page.read_text()
    assert "| training | a | 2 | 3 | 1 |" in text
    assert "- qlayer: not reached within the time of this run: " in text
    assert (tmp_path / "pages" / "training.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "pages" / "training.svg").read_text()
