"""`list`: the models of a running server and their versions."""

from __future__ import annotations

import argparse
from urllib.parse import quote

from service.command.client import add_connection, client_of


def run(words: list[str]) -> int:
    """Run the command.

    Returns:
        0.

    Raises:
        CommandError: no answer, or an error.
    """
    parser = argparse.ArgumentParser("python -m service list", description=__doc__)
    parser.add_argument("model", nargs="?", help="only this one")
    add_connection(parser)
    arguments = parser.parse_args(words)
    client = client_of(arguments)
    names = [arguments.model] if arguments.model else client.ask("GET", "/v1/models")["models"]
    for name in names:
        for version in client.ask("GET", f"/v1/models/{quote(name, safe='')}")["versions"]:
            reason = f"  {version['reason']}" if version.get("reason") else ""
            print(f"{name}/{version['version']}  {version['state']}{reason}")
    return 0
