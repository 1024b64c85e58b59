"""The helper that other tests stand on."""

import processes
import pytest


def _blocked_and_loaded():
    import sys

    try:
        import pennylane  # noqa: F401
    except ImportError:
        return "tensorflow" in sys.modules
    return None


def _fail():
    raise ValueError("on purpose")


def test_a_blocked_module_cannot_be_imported_and_tensorflow_is_there_already():
    """The child has TensorFlow before it starts and cannot import what is blocked."""
    assert processes.run_blocked(_blocked_and_loaded, blocked=("pennylane",)) is True


def test_the_childs_traceback_reaches_the_caller():
    """An exception in the child is raised here with the child's own traceback."""
    with pytest.raises(processes.ChildError, match=r"(?s)_fail failed.*ValueError: on purpose"):
        processes.run_blocked(_fail)


def test_arguments_go_in_and_results_come_back():
    """Arguments and results cross the process border unchanged."""
    assert processes.run_blocked(lambda left, right: {"sum": left + right}, 2, 3) == {"sum": 5}


def test_a_dead_child_is_reported_with_its_exit_code():
    """A child that dies without a word is an error that names its exit code."""

    def die():
        import os

        os._exit(7)

    with pytest.raises(processes.ChildError, match="exit code 7"):
        processes.run_blocked(die)
