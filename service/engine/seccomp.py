"""Seccomp: system calls that a process that calculates never needs are refused, for good, to all its threads to come.

Above all sockets: Landlock knows TCP only, and nothing of UDP or of Unix sockets with a path.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path

from service.engine.landlock import keep_privileges_down

_X86_64 = 0xC000003E
_AARCH64 = 0xC00000B7
_FOREIGN_CALLS_FROM = 0x40000000  # calls of the x32 interface have this bit

_ARCHITECTURES = {"x86_64": _X86_64, "aarch64": _AARCH64}
_CALLS = {
    # numbers on x86_64 and on aarch64
    "socket": (41, 198),
    "execve": (59, 221),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "io_uring_setup": (425, 425),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "keyctl": (250, 219),
    "mount": (165, 40),
    "unshare": (272, 97),
    "setns": (308, 268),
}

_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_NOT_LESS, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
_NUMBER_OFFSET, _ARCHITECTURE_OFFSET = 0, 4
_SET_SECCOMP, _FILTER_MODE = 22, 2

_libc = ctypes.CDLL(None, use_errno=True)


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("value", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(_Instruction)))


def is_available() -> bool:
    """Whether the kernel filters system calls, on an architecture whose numbers are known here."""
    machine = os.uname().machine
    is_known = machine in _ARCHITECTURES and sys.maxsize > 1 << 32
    return is_known and Path("/proc/sys/kernel/seccomp/actions_avail").exists()


def restrict() -> bool:
    """Refuse the calls of the table to this process; returns whether that could be done.

    Raises:
        OSError: the kernel has seccomp and refuses it.
    """
    if not is_available():
        return False
    instructions = _instructions(os.uname().machine)
    program = _Program(
        len(instructions), (_Instruction * len(instructions))(*(_Instruction(*row) for row in instructions))
    )
    keep_privileges_down()
    if _libc.prctl(_SET_SECCOMP, ctypes.c_ulong(_FILTER_MODE), ctypes.byref(program), 0, 0):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return True


def _instructions(machine: str) -> list[tuple[int, int, int, int]]:
    """The filter: code, how far to jump if so and if not, value. The last one refuses, the one before allows."""
    numbers = [pair[machine == "aarch64"] for pair in _CALLS.values()]
    tests = [(_JUMP_IF_NOT_LESS, _FOREIGN_CALLS_FROM), *((_JUMP_IF_EQUAL, number) for number in numbers)]
    checks = [(code, len(tests) - index, 0, value) for index, (code, value) in enumerate(tests)]
    return [
        (_LOAD, 0, 0, _ARCHITECTURE_OFFSET),
        (_JUMP_IF_EQUAL, 0, len(tests) + 2, _ARCHITECTURES[machine]),
        (_LOAD, 0, 0, _NUMBER_OFFSET),
        *checks,
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
