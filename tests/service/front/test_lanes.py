"""Tests for service.front.lanes."""

import asyncio

import numpy as np
import pytest

from service.front.models.lanes import Lanes, Part, lane_of


@pytest.fixture
def loop():
    """Futures need one; nothing runs in it."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def _part(loop, order, *, rows=1, priority=2, signature="f"):
    inputs = {"x": np.zeros((rows, 2))}
    lane = lane_of(signature, inputs)
    return Part(signature, inputs, rows, lane, (priority, order), 0.0, 0, loop.create_future())


def _put(lanes, *parts):
    for part in parts:
        lanes.put([part])


def test_a_batch_is_what_ranks_first_in_one_lane_as_far_as_it_fits(loop):
    """The lane with the earliest part goes first; parts of another lane wait, and so do those that do not fit."""
    lanes = Lanes()
    first, other, second, third = (
        _part(loop, 1, rows=2),
        _part(loop, 2, signature="g"),
        _part(loop, 3, rows=2),
        _part(loop, 4, rows=2),
    )
    _put(lanes, first, other, second, third)
    assert lanes.rows == 7
    assert lanes.take(4) == [first, second]
    assert lanes.take(4) == [other]
    assert lanes.take(4) == [third]
    assert lanes.take(4) == []
    assert (len(lanes), lanes.rows) == (0, 0)


def test_a_part_that_is_larger_than_a_batch_goes_alone(loop):
    """Nothing waits for ever because it does not fit."""
    lanes = Lanes()
    large, small = _part(loop, 1, rows=9), _part(loop, 2)
    _put(lanes, large, small)
    assert lanes.take(4) == [large]
    assert lanes.take(4) == [small]


def test_a_lower_priority_goes_before_what_came_earlier(loop):
    """Among equals the order of arrival holds."""
    lanes = Lanes()
    early, late, urgent = _part(loop, 1), _part(loop, 2), _part(loop, 3, priority=1)
    _put(lanes, early, late, urgent)
    assert lanes.take(9) == [urgent, early, late]


def test_what_is_removed_waits_no_more(loop):
    """Its rows do not count, an empty lane is gone, and removing it again changes nothing."""
    lanes = Lanes()
    part = _part(loop, 1, rows=3)
    _put(lanes, part)
    assert lanes.parts == [part]
    lanes.remove(part)
    lanes.remove(part)
    assert (len(lanes), lanes.rows, lanes.parts, part.is_waiting) == (0, 0, [], False)


def test_a_lane_is_the_signature_the_dtypes_and_the_shape_of_one_row():
    """The number of rows and the order of the names do not matter."""
    one = {"a": np.zeros((1, 2)), "b": np.zeros(1, np.int32)}
    assert lane_of("f", one) == lane_of("f", {"b": np.zeros(5, np.int32), "a": np.zeros((5, 2))})
    assert lane_of("f", one) != lane_of("g", one)
    assert lane_of("f", one) != lane_of("f", {**one, "a": np.zeros((1, 3))})
    assert lane_of("f", one) != lane_of("f", {**one, "b": np.zeros(1, np.int64)})
