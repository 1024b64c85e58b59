"""`python -m service trash`: what was deleted is listed, and removed now if an operator wants it so."""

import json
import os
import re
import subprocess
import sys

import archives
import httpx
import processes
import pytest

from service.__main__ import main
from service.store.store import Store

HEADERS = {"Authorization": f"Bearer {processes.MANAGE_KEY}"}
NAMED = [
    ([], {"a/1", "a/2", "b/1"}),
    (["a"], {"a/1", "a/2"}),
    (["a/2"], {"a/2"}),
]


@pytest.fixture
def filled(tmp_path):
    """A folder of models with three versions in its trash, and a fourth that is none of them."""
    for name in ("a/1", "a/2", "b/1"):
        model, number = name.split("/")
        deleted = tmp_path / ".trash" / model / f"{number}-1700000000"
        deleted.mkdir(parents=True)
        (deleted / "saved_model.pb").write_text("graph")
    (tmp_path / "c" / "1").mkdir(parents=True)
    (tmp_path / "c" / "1" / "saved_model.pb").write_text("graph")
    return tmp_path


def kept(folder):
    """What is in the trash."""
    return {f"{entry.name}/{entry.number}" for entry in Store(folder).trash.entries()}


def test_the_list_has_a_line_for_each_deleted_version(filled, capsys):
    """Name and number, when it was deleted, and its size."""
    assert main(["trash", "list", "--models", str(filled)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [
        ["VERSION", "DELETED", "BYTES"],
        *([name, "2023-11-14T22:13:20+00:00", "5"] for name in ("a/1", "a/2", "b/1")),
    ]


@pytest.mark.parametrize(("words", "gone"), NAMED, ids=["all", "model", "version"])
def test_what_is_named_is_removed(filled, capsys, words, gone):
    """That and no more, each with a line here and in the audit log; a second time there is nothing to remove."""
    before, others = kept(filled), (filled / "c" / "1" / "saved_model.pb").read_text()
    assert main(["trash", "empty", *words, "--models", str(filled)]) == 0
    assert set(re.findall(r"(\S+) is removed for good\n", capsys.readouterr().out)) == gone
    assert kept(filled) == before - gone
    assert not list((filled / ".staging").iterdir())
    assert (filled / "c" / "1" / "saved_model.pb").read_text() == others
    lines = [json.loads(line) for line in (filled / ".audit.jsonl").read_text().splitlines()]
    assert {f"{line['model']}/{line['version']}" for line in lines} == gone
    assert {(line["what"], line["who"]) for line in lines} == {("purge", "operator")}
    assert main(["trash", "empty", *words, "--models", str(filled)]) == (1 if words else 0)


@pytest.mark.parametrize(
    ("what", "fragment"),
    [
        ("a/3", "a/3 is not in the trash; there is: "),
        ("c/1", "c/1 is not in the trash; there is: "),
        ("../a", "'..' cannot name a model"),
        ("a/x", "'x' is no version"),
        ("a/", "'' is no version"),
    ],
)
def test_what_is_not_in_the_trash(filled, capsys, what, fragment):
    """The command says what there is, or what a name is, and removes nothing."""
    assert main(["trash", "empty", what, "--models", str(filled)]) == 1
    assert fragment in capsys.readouterr().err
    assert len(kept(filled)) == 3


def test_a_full_store_has_room_again_while_it_is_served(savedmodels, tmp_path):
    """The refusal names the command; after it the upload is taken, and who uses the server notices nothing."""
    data = {name: archives.zip_of(savedmodels / name / "1") for name in ("affine", "other")}
    models = tmp_path / "models"
    models.mkdir()
    with (
        processes.Server(models, "--stored-max-bytes", "20000") as server,
        httpx.Client(base_url=server.url, headers=HEADERS, timeout=60) as client,
    ):
        server.wait_until("/readyz")
        assert client.put("/v1/models/m/versions/1", content=data["affine"]).status_code == 201
        assert client.delete("/v1/models/m").status_code == 200
        refused = client.put("/v1/models/m/versions/2", content=data["other"])
        assert (refused.status_code, refused.json()["code"]) == (507, "store_full")
        [command] = re.findall("python -m (service trash empty)", refused.json()["error"])
        words = [sys.executable, "-W", "error", "-m", *command.split()]
        own = {**os.environ, "SERVICE_MODELS": str(models)}
        done = subprocess.run(words, env=own, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "m/1 is removed for good\n", "")
        assert client.put("/v1/models/m/versions/2", content=data["other"]).status_code == 201
        assert client.post("/v1/models/m/versions/1:restore").status_code == 404
        assert client.post("/v1/models/m/versions/2:predict", json={"instances": [[0, 0, 0, 1]]}).json() == {
            "predictions": [[18.5, 20.5]]
        }
