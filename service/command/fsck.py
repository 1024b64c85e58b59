"""`fsck`: check a folder of models, and repair what can be."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator

from service.command.client import CommandError
from service.command.folder import add_models, folder_of
from service.front.access.keys import KeyFile
from service.settings import BadSettings
from service.store.fsck import Finding, check, partial_file
from service.store.store import Store

_FOUND_STATUS = 1


def run(words: list[str]) -> int:
    """Print what is wrong with a folder of models.

    Args:
        words: of the command line.

    Returns:
        0 if nothing is wrong, or all of it was repaired; 1 otherwise.

    Raises:
        BadSettings: there is no such folder.
    """
    parser = argparse.ArgumentParser(prog="python -m service fsck", description=__doc__)
    add_models(parser)
    parser.add_argument(
        "--repair", action="store_true", help="remove what killed processes left, and labels that point nowhere"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    arguments = parser.parse_args(words)
    try:
        folder = folder_of(arguments)
    except CommandError as exc:
        raise BadSettings(str(exc)) from exc  # status 2: 1 says that something was found
    findings = [*check(Store(folder)), *_keys(KeyFile(folder))]
    remaining = 0
    for finding in findings:
        is_repaired = arguments.repair and finding.repaired()
        remaining += not is_repaired
        _say(_json(finding, is_repaired=is_repaired) if arguments.json else _text(finding, is_repaired=is_repaired))
    if not arguments.json:
        _say(f"{len(findings)} found, {remaining} remain")
    return _FOUND_STATUS if remaining else 0


def _keys(file: KeyFile) -> Iterator[Finding]:
    """What is wrong with the file of keys, which is no part of the store."""
    for path in file.partial_files():
        yield partial_file(path.name, path, file.sweep)


def _json(finding: Finding, *, is_repaired: bool) -> str:
    row = {"kind": finding.kind, "where": finding.where, "text": finding.text, "repaired": is_repaired}
    return json.dumps(row)


def _text(finding: Finding, *, is_repaired: bool) -> str:
    return f"{'repaired' if is_repaired else 'found'} {finding.kind} {finding.where}: {finding.text}"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
