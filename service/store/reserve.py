"""Reserve: what stays free of the disk with the models; whoever writes much of it looks again and again."""

from __future__ import annotations

import shutil
from pathlib import Path

from service.errors import DiskFull

_LOOK_EVERY_BYTES = 16 << 20  # what was written beyond the reserve meanwhile is removed again at once


class Reserve:
    """Bytes of a file system that stay free.

    The mutable state is how much was written since the last look.

    Args:
        folder: on the file system.
        size_bytes: so many; 0: the disk may be filled.
    """

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self._folder = folder
        self._size_bytes = size_bytes
        self._unseen_bytes = 0

    def has_room(self, wanted_bytes: int = 0) -> bool:
        """Whether so much can be written and the reserve be left."""
        return shutil.disk_usage(self._folder).free >= wanted_bytes + self._size_bytes

    def count(self, written_bytes: int) -> None:
        """Note that so much was written.

        Raises:
            DiskFull: the reserve is touched, as one look every 16 MiB finds.
        """
        self._unseen_bytes += written_bytes
        if self._unseen_bytes >= _LOOK_EVERY_BYTES:
            self._unseen_bytes = 0
            if not self.has_room():
                raise DiskFull(
                    f"no more room on the server's disk: of the {self._size_bytes} bytes that stay free "
                    "(disk_reserve_mb) it took some; nothing of it was kept"
                )
