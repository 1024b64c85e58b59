"""The scripts' tables of points."""

import pytest

from benchmarks.contenders import CONTENDERS, US
from benchmarks.effort import FULL, QUICK
from benchmarks.kinds import KINDS
from benchmarks.plots import STYLES
from benchmarks.race import MODES
from benchmarks.report import SCRIPTS, question_of
from benchmarks.tables import COMPARISONS
from benchmarks.units import UNITS

BENCH_MINUTES_MAX = 40  # of the 45 that are promised: what has begun is finished


@pytest.mark.parametrize("script", SCRIPTS)
def test_question_names_what_exists(script):
    """Every name in a question is a row of the table it belongs to, and we are the first contestant."""
    question, docstring = question_of(script)
    assert question.name == script
    assert docstring
    assert question.contenders[0] == question.quick_contenders[0] == US.name
    assert set(question.contenders) >= set(question.quick_contenders)
    assert set(question.contenders) <= set(CONTENDERS) <= set(STYLES)
    assert question.mode in MODES
    assert question.unit in UNITS
    assert question.comparison in COMPARISONS


@pytest.mark.parametrize("script", SCRIPTS)
def test_points_are_of_known_circuits_and_none_stands_twice(script):
    """All points, quick and full, can be built, and each is measured once."""
    question, _ = question_of(script)
    for tasks in (question.full, question.quick):
        assert len(set(tasks)) == len(tasks) > 0
        assert {task.circuit for task in tasks} <= set(KINDS)
        assert all(task.wires >= 2 and task.layers >= 1 and task.batch >= 1 for task in tasks)


def test_quick_run_fits_into_its_time():
    """`make bench` keeps its word: all questions together begin nothing after 40 minutes."""
    assert sum(question_of(script)[0].quick_minutes for script in SCRIPTS) <= BENCH_MINUTES_MAX
    assert QUICK.prepare_limit_s < FULL.prepare_limit_s
