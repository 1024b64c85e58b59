"""Medians, ratios and means."""

import pytest

from benchmarks.summary import best_rival, geometric_mean, ratio, summarize

RESULTS = {
    "qlayer": {"median_s": 0.002},
    "pennylane-jax": {"median_s": 0.006},
    "tfq": {"median_s": 0.004},
    "upstream": {"skipped": "too slow"},
}
RIVALS = ("pennylane-jax", "tfq", "upstream", "lightning")


def test_summary_of_turns():
    """The median of all calls, not of the turns' medians, and those as well."""
    summary = summarize([[1.0, 2.0, 9.0], [3.0], [5.0, 4.0]])
    assert summary == {"median_s": 3.5, "turns_s": [2.0, 3.0, 4.5], "shortest_s": 1.0, "calls": 6}


def test_ratio_is_of_the_best_rival():
    """Two milliseconds against the best rival's four: twice as fast."""
    assert best_rival(RESULTS, RIVALS, "median_s") == "tfq"
    assert ratio(RESULTS, "qlayer", RIVALS, "median_s") == 2.0


@pytest.mark.parametrize("missing", ["qlayer", "pennylane-jax tfq"])
def test_no_ratio_where_a_side_is_missing(missing):
    """Without our time, or without any rival's, there is nothing to compare."""
    results = {name: result for name, result in RESULTS.items() if name not in missing.split()}
    assert ratio(results, "qlayer", RIVALS, "median_s") is None


def test_geometric_mean_of_what_is_known():
    """Twice and eight times as fast is four times as fast; unknown ratios do not count."""
    assert geometric_mean([2.0, None, 8.0]) == pytest.approx(4.0)
    assert geometric_mean([None]) is None
