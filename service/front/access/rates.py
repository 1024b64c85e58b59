"""Rate: how often each caller may do something; a token bucket for each."""

from __future__ import annotations

import math
import time

from service.errors import RateLimited

_BUCKETS_MAX = 4096


class Rate:
    """A limit that each caller has for itself.

    The mutable state is a bucket for each caller: its tokens, and when they were counted.

    Args:
        per_s: how fast tokens come back; 0 for no limit.
        burst: how many a bucket holds.
        what: is limited, in words.
    """

    def __init__(self, per_s: float, burst: float, what: str) -> None:
        self._per_s = per_s
        self._burst = max(1.0, burst)
        self._what = what
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, who: str, tokens: int = 1) -> None:
        """Take tokens from a caller's bucket; with 0 tokens, only see that there is one.

        Raises:
            RateLimited: there is none; it says when there will be.
        """
        if not self._per_s:
            return
        now = time.monotonic()
        kept, since = self._buckets.get(who, (self._burst, now))
        kept = min(self._burst, kept + (now - since) * self._per_s)
        if kept < 1:
            wait_s = math.ceil((1 - kept) / self._per_s)
            raise RateLimited(f"too many {self._what}: try again in {wait_s} s", wait_s)
        if tokens:
            self._buckets[who] = (kept - tokens, now)
            if len(self._buckets) > _BUCKETS_MAX:
                self._forget(now)

    def _forget(self, now: float) -> None:
        """Drop the buckets that are full again, and of the others the half that was used longest ago."""
        refill_s = self._burst / self._per_s
        used = [(since, who) for who, (_, since) in self._buckets.items() if now - since < refill_s]
        recent = sorted(used)[-_BUCKETS_MAX // 2 :]
        self._buckets = {who: self._buckets[who] for _, who in recent}
