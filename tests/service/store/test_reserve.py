"""Reserve: what stays free of a disk is looked after while much is written."""

import shutil

import pytest

from service.errors import DiskFull
from service.store.reserve import Reserve

MIB = 1 << 20


def test_room(tmp_path):
    """There is room for what leaves the reserve as it is."""
    free = shutil.disk_usage(tmp_path).free
    assert Reserve(tmp_path, 0).has_room()
    assert Reserve(tmp_path, free // 2).has_room(free // 4)
    assert not Reserve(tmp_path, free // 2).has_room(free)


def test_a_reserve_that_is_touched(tmp_path):
    """It is found out 16 MiB later, and again after as much."""
    reserve = Reserve(tmp_path, 2 * shutil.disk_usage(tmp_path).total)
    for _ in range(2):
        for _ in range(15):
            reserve.count(MIB)
        with pytest.raises(DiskFull, match=r"no more room on the server's disk: of the \d+ bytes that stay free"):
            reserve.count(MIB)


def test_a_reserve_that_is_left(tmp_path):
    """Much may be written where there is room."""
    Reserve(tmp_path, 1).count(100 * MIB)
