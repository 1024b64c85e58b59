"""How much time is spent on a point, and how long a slow contestant is waited for."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """Settings of a run.

    Args:
        name: "quick" or "full"; it stands in the results.
        rounds: turns of each contestant at each point.
        turn_calls: calls of a turn, at least.
        turn_s: and at least for so long,
        turn_limit_s: but no longer than this, were it one call.
        call_limit_s: a contestant whose call is sure to take longer is left out.
        prepare_limit_s: the same for building and the first call.
        hopeless_ratio: a rival that took so many times as long as the fastest one is left out at larger points of the
            same circuit.
        repeat_limit_s: a first call that took longer is not repeated.
    """

    name: str
    rounds: int
    turn_calls: int
    turn_s: float
    turn_limit_s: float
    call_limit_s: float
    prepare_limit_s: float
    hopeless_ratio: float
    repeat_limit_s: float


QUICK = Effort(
    "quick",
    rounds=3,
    turn_calls=5,
    turn_s=0.2,
    turn_limit_s=2,
    call_limit_s=4,
    prepare_limit_s=60,
    hopeless_ratio=10,
    repeat_limit_s=5,
)
FULL = Effort(
    "full",
    rounds=5,
    turn_calls=5,
    turn_s=0.5,
    turn_limit_s=20,
    call_limit_s=20,
    prepare_limit_s=300,
    hopeless_ratio=math.inf,
    repeat_limit_s=60,
)
