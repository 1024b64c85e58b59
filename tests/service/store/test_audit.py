"""The audit log: a line for each change, whoever writes at the same time."""

import json
import threading

import pytest

from service.store.audit import Change, audit, audited


def lines(root):
    """The entries of the log."""
    return [json.loads(line) for line in (root / ".audit.jsonl").read_text().splitlines()]


def test_a_change_is_logged_before_it_is_made(tmp_path):
    """With who, what, which and when, and what is not known left out."""
    with audited(tmp_path, Change("upload", "ab12", "m", 3, "sha256:00")):
        [entry] = lines(tmp_path)
    assert entry.pop("when").endswith("+00:00")
    assert entry == {"what": "upload", "who": "ab12", "model": "m", "version": 3, "digest": "sha256:00"}
    assert len(lines(tmp_path)) == 1


def test_a_change_that_fails_is_logged_again(tmp_path):
    """With the kind of its error."""
    with pytest.raises(OSError, match="no"), audited(tmp_path, Change("delete", "ab12", "m", 3)):
        raise OSError("no")
    assert [(entry["what"], entry.get("note")) for entry in lines(tmp_path)] == [
        ("delete", None),
        ("delete-failed", "OSError"),
    ]


def test_lines_of_many_writers_stay_whole(tmp_path):
    """Each write is one line."""

    def write(number):
        for _ in range(50):
            audit(tmp_path, Change("upload", str(number), "m" * 100))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lines(tmp_path)) == 200
