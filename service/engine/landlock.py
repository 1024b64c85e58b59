"""Landlock: what files this process may read, enforced by the kernel (Linux 5.13 and later), without any privilege.

Documentation/userspace-api/landlock.rst of the kernel. A restriction holds for the calling thread and what it starts,
for good: apply it while there is one thread.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_VERSION_FLAG, _PATH_BENEATH = 1, 1
_NO_NEW_PRIVILEGES = 38

_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
"""By the version that brought them: execute, write, read, list, remove and make; move elsewhere; truncate; ioctl."""
_NETWORK_RIGHTS = {4: 0b11}
"""TCP: bind and connect."""
_SCOPES = {6: 0b11}
"""Abstract Unix sockets and signals, of other processes."""

_libc = ctypes.CDLL(None, use_errno=True)


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def version() -> int:
    """The version of the kernel's Landlock; 0 where it has none, or it is switched off."""
    return max(int(_libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION_FLAG))), 0)


def restrict(readable: Iterable[Path]) -> int:
    """Let this process read some paths, and touch no other file, nor TCP, nor other processes, for good.

    What the kernel's version does not know yet is not restricted.

    Args:
        readable: files and folders with all that is below them; those that do not exist are passed over.

    Returns:
        The version that was applied; 0 where there is none.

    Raises:
        OSError: the kernel has Landlock and refuses it.
    """
    found = version()
    if not found:
        return 0
    ruleset = _Ruleset(*(_rights(table, found) for table in (_FILE_RIGHTS, _NETWORK_RIGHTS, _SCOPES)))
    size = 8 * (1 + (found >= min(_NETWORK_RIGHTS)) + (found >= min(_SCOPES)))
    descriptor = _checked(_libc.syscall(_CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(size), 0))
    try:
        for path in readable:
            _allow(descriptor, path)
        keep_privileges_down()
        _checked(_libc.syscall(_RESTRICT_SELF, descriptor, 0))
    finally:
        os.close(descriptor)
    return found


def keep_privileges_down() -> None:
    """Never gain a privilege again; needed by Landlock and by seccomp where there is none to begin with."""
    _checked(_libc.prctl(_NO_NEW_PRIVILEGES, *(ctypes.c_ulong(value) for value in (1, 0, 0, 0))))


def _rights(table: dict[int, int], found: int) -> int:
    return sum(rights for since, rights in table.items() if since <= found)


def _allow(ruleset: int, path: Path) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rule = _PathRule(_READ_FILE | (_READ_DIR if path.is_dir() else 0), parent)
        _checked(_libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0))
    finally:
        os.close(parent)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
