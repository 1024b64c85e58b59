"""`push`: upload an archive or a folder as a version of a model."""

from __future__ import annotations

import argparse
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from service.command.client import CommandError, add_connection, client_of

_MB = 1e6
_CLEAR_LINE = "\r\x1b[K"


def run(words: list[str]) -> int:
    """Run the command.

    Returns:
        0.

    Raises:
        CommandError: there is nothing to upload, or the server does not take it.
    """
    arguments = _parser().parse_args(words)
    client = client_of(arguments)
    path = f"/v1/models/{arguments.model}/versions"
    method, path = ("PUT", f"{path}/{arguments.version}") if arguments.version else ("POST", path)
    with _archive(Path(arguments.source)) as (file, size):
        body = _Progress(file, size)
        record = client.ask(method, path, body, {"Content-Length": str(size)})  # type: ignore[arg-type]  # reads only
        body.end()
    name = record.get("name", arguments.model)
    print(f"{name}/{record.get('version')}: {record.get('state')}, {record.get('digest')}")
    return 0


@contextmanager
def _archive(source: Path) -> Iterator[tuple[IO[bytes], int]]:
    """A file to upload and its size: the source itself, or a folder packed as tar.gz."""
    try:
        if source.is_dir():
            with tempfile.TemporaryFile() as packed:
                with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
                    archive.add(source, arcname=".")
                size = packed.tell()
                packed.seek(0)
                yield packed, size
        else:
            with source.open("rb") as file:
                yield file, source.stat().st_size
    except OSError as exc:
        raise CommandError(f"{source}: cannot be read: {exc.strerror}") from exc


class _Progress:
    """A file that tells on a terminal how much of it was read.

    Args:
        file: what is read.
        size: bytes in it.
    """

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self._size = size
        self._sent = 0

    def read(self, count: int = -1) -> bytes:
        """The next bytes."""
        piece = self._file.read(count)
        self._sent += len(piece)
        state = "checking and loading" if self._sent >= self._size else f"{100 * self._sent // max(1, self._size)} %"
        self._say(f"{self._sent / _MB:.1f} of {self._size / _MB:.1f} MB, {state}")
        return piece

    def end(self) -> None:
        """Take the line away."""
        self._say("")

    def _say(self, text: str) -> None:
        if sys.stderr.isatty():
            print(_CLEAR_LINE + text, end="", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m service push", description=__doc__)
    parser.add_argument(
        "source", metavar="FILE_OR_FOLDER", help="a zip, tar, tar.gz or tar.zst, or the SavedModel's folder"
    )
    parser.add_argument("--model", required=True, help="the model's name")
    parser.add_argument("--version", type=int, metavar="N", help="the version's number (default: the highest and one)")
    add_connection(parser)
    return parser
