"""`fsck`: check a folder of models, and repair what can be."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from service.settings import BadSettings
from service.store.fsck import Finding, check
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
    parser.add_argument("--models", type=Path, required=True, help="folder of models")
    parser.add_argument("--repair", action="store_true", help="remove orphans and labels that point nowhere")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    arguments = parser.parse_args(words)
    if not arguments.models.is_dir():
        raise BadSettings(f"models: {arguments.models} is not a folder")
    findings = list(check(Store(arguments.models)))
    remaining = 0
    for finding in findings:
        is_repaired = arguments.repair and finding.repair is not None
        if is_repaired and finding.repair:
            finding.repair()
        remaining += not is_repaired
        _say(_json(finding, is_repaired=is_repaired) if arguments.json else _text(finding, is_repaired=is_repaired))
    if not arguments.json:
        _say(f"{len(findings)} found, {remaining} remain")
    return _FOUND_STATUS if remaining else 0


def _json(finding: Finding, *, is_repaired: bool) -> str:
    row = {"kind": finding.kind, "where": finding.where, "text": finding.text, "repaired": is_repaired}
    return json.dumps(row)


def _text(finding: Finding, *, is_repaired: bool) -> str:
    return f"{'repaired' if is_repaired else 'found'} {finding.kind} {finding.where}: {finding.text}"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
