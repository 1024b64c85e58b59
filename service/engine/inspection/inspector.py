"""Inspect: all rules, in the order in which their findings are told."""

from __future__ import annotations

from pathlib import Path

from service.engine.inspection import constants, contents, files, objects, operations, saver, sizes
from service.engine.inspection.findings import Finding

_RULES = (objects.check, saver.check, operations.check, constants.check)


def inspect(directory: Path, graph_max_mb: int) -> list[Finding]:
    """Look at a SavedModel without loading it.

    Args:
        directory: holds saved_model.pb.
        graph_max_mb: how large that may be, in MiB.

    Returns:
        What is wrong with it, the most telling first; empty if nothing is.
    """
    found = list(files.check(directory))
    try:
        read = contents.read(directory, graph_max_mb)
    except contents.Unreadable as exc:
        return found + list(exc.findings)
    too_large = list(sizes.check(read))
    if too_large:
        return found + too_large
    return found + [finding for rule in _RULES for finding in rule(read)]
