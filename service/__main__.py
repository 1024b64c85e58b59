"""The command line: `python -m service serve`."""

from __future__ import annotations

import os
import sys

from service.check import fsck
from service.front import server
from service.settings import BadSettings, read_settings

_USAGE_STATUS = 2


def serve(arguments: list[str]) -> int:
    """Serve a folder of models over HTTP."""
    settings = read_settings(arguments)
    os.environ.pop("SERVICE_MANAGE_KEY", None)  # read; no process started from here shall find it
    server.run(settings)
    return 0


_COMMANDS = {"serve": serve, "fsck": fsck}


def main(arguments: list[str]) -> int:
    """Run a command; returns the exit status."""
    command = _COMMANDS.get(arguments[0] if arguments else "")
    if command is None:
        return _refuse(
            f"expected a command: {', '.join(_COMMANDS)} (python -m service serve --models DIR; --help tells more)"
        )
    try:
        return command(arguments[1:])
    except BadSettings as exc:
        return _refuse(str(exc))


def _refuse(reason: str) -> int:
    print(f"service: {reason}", file=sys.stderr)  # noqa: T201 -- for the terminal
    return _USAGE_STATUS


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
