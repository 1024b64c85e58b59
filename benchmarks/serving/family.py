"""A server's processes: found by a mark in their environment, and by who started whom."""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path

_STATE, _PARENT, _BEGIN = 0, 1, 19  # the fields of /proc/PID/stat behind the command's name


@dataclass(frozen=True)
class Identity:
    """A process: its id alone may be another's later.

    Args:
        pid: its id.
        begin: when it began, in the kernel's ticks.
    """

    pid: int
    begin: int

    def runs(self) -> bool:
        """Whether it has not ended."""
        fields = _fields_of(self.pid)
        return bool(fields) and int(fields[_BEGIN]) == self.begin and fields[_STATE] != "Z"

    def kill(self) -> None:
        """End it, if it still runs."""
        if self.runs():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


def family(mark: str) -> set[Identity]:
    """Processes started with a line in their environment, and their children, who may have cleared it.

    Args:
        mark: the line, as NAME=value.
    """
    fields = {pid: found for path in Path("/proc").glob("[0-9]*") if (found := _fields_of(pid := int(path.name)))}
    members = {pid for pid in fields if mark.encode() in _environment_of(pid)}
    while children := {pid for pid, of in fields.items() if int(of[_PARENT]) in members} - members:
        members |= children
    return {Identity(pid, int(fields[pid][_BEGIN])) for pid in members if fields[pid][_STATE] != "Z"}


def _fields_of(pid: int) -> list[str]:
    """The fields of a process's status behind its name; none of one that has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _environment_of(pid: int) -> list[bytes]:
    """The variables a process was started with; none of one that has ended or is another user's."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []
