"""Fronts: several HTTP processes on one address, each with workers of its own, over one folder of models.

The kernel spreads connections over them (SO_REUSEPORT). The process that starts them serves nothing: it passes signals
on, starts a front again that died, and ends when all have ended. They are passed on as others: a terminal or a control
group sends them to all processes, and a front that takes a second of the same kind ends at once.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import time
from collections.abc import Callable
from types import FrameType

_RESTART_PAUSE_S = 1.0
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
PASSED_ON = {signal.SIGTERM: signal.SIGUSR1, signal.SIGINT: signal.SIGUSR2}
"""The signals that end the server, and as what a front is told of them."""

_log = logging.getLogger(__name__)


class Fronts:
    """The fronts that run; the mutable state is their process ids and whether they were asked to end.

    Args:
        count: how many.
        serve: body of each, given its number and whether one of that number died before; returns when it was
            asked to end.
        on_end: called here as soon as they are asked to end.
    """

    def __init__(self, count: int, serve: Callable[[int, bool], None], on_end: Callable[[], None]) -> None:
        self._count = count
        self._serve = serve
        self._on_end = on_end
        self._numbers: dict[int, int] = {}
        self._is_ending = False

    def run(self) -> None:
        """Start them, and return when all have ended."""
        previous = {number: signal.signal(number, self._pass_on) for number in PASSED_ON}
        try:
            for number in range(self._count):
                self._start(number, is_again=False)
            while self._numbers:
                self._wait()
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _start(self, number: int, *, is_again: bool) -> None:
        pid = os.fork()  # nothing runs here yet that a fork could break: no thread, no event loop
        if pid:
            self._numbers[pid] = number
            return
        status = 1
        try:
            for passed_on in PASSED_ON:
                signal.signal(passed_on, signal.SIG_DFL)
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)  # a front without its parent drains and ends
            self._serve(number, is_again)
            status = 0
        finally:
            os._exit(status)  # the parent's clean-up is the parent's

    def _wait(self) -> None:
        """Wait until one has ended; start another in its place, unless that was asked for."""
        pid, status = os.wait()
        number = self._numbers.pop(pid, None)
        if number is None or self._is_ending:
            return
        _log.warning("front %d died with status %d and is started again", number, os.waitstatus_to_exitcode(status))
        time.sleep(_RESTART_PAUSE_S)
        if not self._is_ending:
            self._start(number, is_again=True)

    def _pass_on(self, number: int, _: FrameType | None) -> None:
        self._is_ending = True
        self._on_end()
        for pid in self._numbers:
            os.kill(pid, PASSED_ON[signal.Signals(number)])
