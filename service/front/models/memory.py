"""Memory of processes, as the kernel counts it in /proc/<pid>/statm."""

from __future__ import annotations

import os
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def resident_bytes(pid: int) -> int:
    """What a process has in memory; 0 for one that has just ended."""
    resident, _ = _pages(pid)
    return resident * _PAGE_BYTES


def private_bytes(pid: int) -> int:
    """What of it a process shares with nobody; 0 for one that has just ended."""
    resident, shared = _pages(pid)
    return (resident - shared) * _PAGE_BYTES


def _pages(pid: int) -> tuple[int, int]:
    """Resident pages, and those of them that are shared."""
    try:
        _, resident, shared = Path(f"/proc/{pid}/statm").read_text().split()[:3]
    except OSError:
        return 0, 0
    return int(resident), int(shared)
