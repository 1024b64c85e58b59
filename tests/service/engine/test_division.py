"""Batches that are computed in parts, with functions in place of models."""

import threading
import time

import numpy as np
import pytest

from service.engine.division import Division

LONG_S = 0.004


class Squares:
    """Squares its rows, takes its time, and notes how many rows each call had and how many ran at once."""

    def __init__(self, pause_s=LONG_S):
        self.pause_s = pause_s
        self.rows = []
        self.running = self.most_running = 0
        self.lock = threading.Lock()

    def __call__(self, arrays):
        """Square."""
        with self.lock:
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            self.rows.append(len(arrays["x"]))
        time.sleep(self.pause_s)
        with self.lock:
            self.running -= 1
        if (arrays["x"] < 0).any():
            raise ValueError("negative")
        return {"y": arrays["x"] ** 2}


def rows(count):
    """Rows with their numbers."""
    return {"x": np.arange(count)}


def test_long_batches_are_computed_in_parts_at_once():
    """Three whole calls show that a size takes long; from then on its batches are divided, and come back in order."""
    model = Squares()
    division = Division(model, 3)
    for _ in range(5):
        np.testing.assert_array_equal(division(rows(100))["y"], np.arange(100) ** 2)
    assert model.rows[:3] == [100, 100, 100]
    assert sorted(model.rows[3:]) == [33, 33, 33, 33, 34, 34]
    assert model.most_running == 3


@pytest.mark.parametrize("count", [31, 0])
def test_what_has_few_rows_stays_whole(count):
    """However long it takes."""
    model = Squares()
    division = Division(model, 2)
    for _ in range(5):
        division(rows(count))
    assert model.rows == [count] * 5


@pytest.mark.parametrize("quick", range(3))
def test_one_quick_call_keeps_a_size_whole(quick):
    """Calls that only waited for a core do not have later ones divided; the clock tells which they are."""
    model = Squares(pause_s=0)
    took_ns = [0 if number == quick else int(LONG_S * 1e9) for number in range(5)]
    division = Division(model, 2, clock=iter(np.cumsum([(0, ns) for ns in took_ns]).tolist()).__next__)
    for _ in took_ns:
        division(rows(100))
    assert model.rows == [100] * 5


def test_a_part_that_fails_fails_the_batch():
    """The error is the part's own, and no part goes on computing behind it."""
    model = Squares()
    division = Division(model, 2)
    for _ in range(3):
        division(rows(100))
    for bad in (0, 99):
        batch = rows(100)["x"]
        batch[bad] = -1
        with pytest.raises(ValueError, match="negative"):
            division({"x": batch})
        assert model.running == 0


def test_outputs_without_rows_are_computed_whole():
    """A model whose outputs turn out to have no rows is called whole, then and from then on."""
    counts = []

    def total(arrays):
        counts.append(len(arrays["x"]))
        time.sleep(LONG_S)
        return {"total": arrays["x"].sum(keepdims=True)}

    division = Division(total, 2)
    assert [division(rows(100))["total"].tolist() for _ in range(5)] == [[4950]] * 5
    assert sorted(counts) == [50, 50, 100, 100, 100, 100, 100]


def test_inputs_that_share_no_rows_stay_whole():
    """Nothing is divided where the inputs have different numbers of rows."""
    model = Squares()
    division = Division(model, 2)
    for _ in range(5):
        division({"x": np.arange(100), "z": np.arange(2)})
    assert model.rows == [100] * 5
