"""Tests for service.front.models.memory."""

import os
import subprocess
import sys

from service.front.models.memory import private_bytes, resident_bytes

_MB = 1 << 20


def test_memory_that_is_written_to_counts_in_full():
    """It is resident and private; what Python itself has is partly shared."""
    before = private_bytes(os.getpid())
    block = b"\1" * (64 * _MB)
    grown = private_bytes(os.getpid()) - before
    assert 0.9 * len(block) < grown < 1.2 * len(block)
    assert resident_bytes(os.getpid()) > private_bytes(os.getpid())


def test_a_process_that_has_ended_has_none():
    """A worker may end between the list of workers and the look at it."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert (resident_bytes(process.pid), private_bytes(process.pid)) == (0, 0)
