"""The command line: `python -m service serve`, and what goes with it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from service.command import fsck, key, models, predict, push, trash
from service.command.client import CommandError
from service.front import server
from service.settings import BadSettings, read_settings

_HELP = """python -m service COMMAND ...; COMMAND --help tells more

  serve --models DIR           serve a folder of models over HTTP
  key create|list|revoke|rotate  keys
  fsck --models DIR            check a folder of models
  trash list|empty             deleted versions, and their end
  push FILE_OR_FOLDER          upload to a running server
  list [MODEL]                 models and versions of a running server
  predict MODEL ROWS           predictions of a running server"""
_USAGE_STATUS = 2
_FAILED_STATUS = 1


def serve(arguments: list[str]) -> int:
    """Serve a folder of models over HTTP."""
    settings = read_settings(arguments)
    os.environ.pop("SERVICE_MANAGE_KEY", None)  # read; no process started from here shall find it
    server.run(settings)
    return 0


_COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "serve": serve,
    "fsck": fsck.run,
    "key": key.run,
    "trash": trash.run,
    "push": push.run,
    "list": models.run,
    "predict": predict.run,
}


def main(arguments: list[str]) -> int:
    """Run a command; returns the exit status."""
    if arguments[:1] in (["-h"], ["--help"], ["help"]):
        print(_HELP)  # noqa: T201 -- for the terminal
        return 0
    command = _COMMANDS.get(arguments[0] if arguments else "")
    if command is None:
        return _refuse(
            f"expected a command: {', '.join(_COMMANDS)} (python -m service serve --models DIR; --help tells more)"
        )
    try:
        return command(arguments[1:])
    except BadSettings as exc:
        return _refuse(str(exc))
    except CommandError as exc:
        return _refuse(str(exc), _FAILED_STATUS)


def _refuse(reason: str, status: int = _USAGE_STATUS) -> int:
    print(f"service: {reason}", file=sys.stderr)  # noqa: T201 -- for the terminal
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
