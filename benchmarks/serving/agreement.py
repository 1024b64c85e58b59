"""Whether a server answers what TensorFlow answers, also when many ask at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import numpy as np

from benchmarks.serving.scenarios import Scenario
from benchmarks.serving.served import Served

_TOLERANCE = 2e-5  # of probabilities in float32, which depend a little on who shares a batch
_ROUNDS = 4  # of as many requests as there are connections


class DisagreementError(Exception):
    """A server's answer is no answer, or not TensorFlow's; the text says what it is."""


def check(served: Served, scenario: Scenario) -> None:
    """Ask as many at once as the scenario does, and compare each answer with TensorFlow's for the same rows.

    Raises:
        DisagreementError: one differs.
    """
    known = served.known
    count = min(_ROUNDS * scenario.connections, len(known.rows) // scenario.rows)
    rows, outputs = (np.split(array[: count * scenario.rows], count) for array in (known.rows, known.outputs))
    with ThreadPoolExecutor(scenario.connections) as pool:
        answers = list(pool.map(lambda piece: _outputs(served, scenario.encoding, piece), rows))
    for answer, expected in zip(answers, outputs, strict=True):
        _compare(answer, expected)


def _outputs(served: Served, encoding: str, rows: np.ndarray) -> np.ndarray:
    answer = served.ask(encoding, rows)
    if answer.status != HTTPStatus.OK:
        raise DisagreementError(f"it answered {answer.status}: {answer.body.decode(errors='replace')[:200]}")
    try:
        return served.protocol(encoding).read(answer.headers, answer.body)
    except (ValueError, KeyError, TypeError) as error:
        raise DisagreementError(f"its answer cannot be read ({error!r}): {answer.body[:200]!r}") from error


def _compare(answer: np.ndarray, expected: np.ndarray) -> None:
    if answer.shape != expected.shape:
        raise DisagreementError(f"outputs of shape {answer.shape} where TensorFlow's is {expected.shape}")
    difference = float(np.abs(answer - expected).max())
    if not difference <= _TOLERANCE:
        raise DisagreementError(f"its outputs differ from TensorFlow's by {difference:.1e}, more than {_TOLERANCE:.0e}")
