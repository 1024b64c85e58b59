"""`predict`: predictions of a running server for JSON from a file, an argument or standard input."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from urllib.parse import quote

from service.command.client import CommandError, add_connection, client_of

_STDIN = "-"
_JSON_BEGINS = ("{", "[")


def run(words: list[str]) -> int:
    """Run the command.

    Returns:
        0.

    Raises:
        CommandError: there is no input, no answer, or an error.
    """
    parser = argparse.ArgumentParser("python -m service predict", description=__doc__)
    parser.add_argument("model", help="the model's name, or name/version")
    parser.add_argument(
        "input", help="rows as JSON ('[[0.1, 0.2]]'), a whole request ('{...}'), a file, or - for stdin"
    )
    add_connection(parser)
    arguments = parser.parse_args(words)
    name, _, version = arguments.model.partition("/")
    path = f"/v1/models/{quote(name, safe='')}" + (f"/versions/{quote(version, safe='')}" if version else "")
    answer = client_of(arguments).ask("POST", f"{path}:predict", _body(_text(arguments.input)))
    print(json.dumps(answer))
    return 0


def _text(given: str) -> str:
    if given.lstrip().startswith(_JSON_BEGINS):
        return given
    try:
        return sys.stdin.read() if given == _STDIN else Path(given).read_text()
    except (OSError, UnicodeDecodeError) as exc:
        raise CommandError(f"{given}: neither JSON nor a file that can be read: {exc}") from exc


def _body(text: str) -> bytes:
    """A request; rows alone become one."""
    stripped = text.strip()
    return (f'{{"instances": {stripped}}}' if stripped.startswith("[") else stripped).encode()
