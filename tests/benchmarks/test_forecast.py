"""What is not tried."""

from benchmarks.forecast import Forecast
from benchmarks.task import Task

SMALL = Task("gradient", "a", 8, 3, 32)
LARGE = Task("gradient", "a", 10, 3, 1024)


def test_work_grows_with_the_state():
    """Half a second for 2**8 amplitudes and 32 samples is 64 seconds for 2**10 and 1,024."""
    forecast = Forecast(limit_s=20, hopeless_ratio=10)
    forecast.remember(SMALL, 0.5, 1)
    assert forecast.objection(LARGE) == "a call would take 64 s, more than the limit of 20 s"


def test_overhead_does_not_grow():
    """A short call says nothing about a larger one, nor one of another circuit."""
    forecast = Forecast(limit_s=20, hopeless_ratio=10)
    forecast.remember(SMALL, 0.05, 1)
    forecast.remember(Task("gradient", "b", 8, 3, 32), 15.0, 1)
    assert forecast.objection(LARGE) is None


def test_failure_is_not_repeated_at_larger_points():
    """What ran out of memory at a point is not tried at a larger one, but at a smaller one."""
    forecast = Forecast(limit_s=20, hopeless_ratio=10)
    forecast.fail(SMALL, "out of memory")
    assert forecast.objection(LARGE) == f"failed at {SMALL.label}: out of memory"
    assert forecast.objection(Task("gradient", "a", 6, 3, 32)) is None


def test_the_hopeless_are_left_out_at_larger_points():
    """A rival twelve times as slow as the fastest one is not tried at larger points, but at those of other circuits."""
    forecast = Forecast(limit_s=20, hopeless_ratio=10)
    forecast.remember(SMALL, 0.05, 12.4)
    assert forecast.objection(LARGE) == f"it took 12 times as long as the fastest rival at {SMALL.label}"
    assert forecast.objection(Task("gradient", "b", 10, 3, 1024)) is None
    assert forecast.objection(Task("gradient", "a", 6, 3, 32)) is None
