"""Deadlines: how long a client waits for its prediction, as the header X-Request-Timeout-Ms says."""

from __future__ import annotations

import re

from service.errors import InvalidHeader

HEADER = "X-Request-Timeout-Ms"
NAME = HEADER.lower().encode()
"""As it stands among the headers of a request."""

MS_MAX = 10**15 - 1
"""Exact as a number of JSON in every language."""

_MILLISECONDS = re.compile(rb"[1-9][0-9]{0,14}")


def timeout_s_of(given: bytes) -> float:
    """The seconds that a header's value gives.

    Raises:
        InvalidHeader: it is no whole number of milliseconds above 0.
    """
    if not _MILLISECONDS.fullmatch(given):
        found = given.decode("latin-1")[:80]
        raise InvalidHeader(f"{HEADER}: a whole number of milliseconds, 1 or more, was expected, found {found!r}")
    return int(given) / 1000
