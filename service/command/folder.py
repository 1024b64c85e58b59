"""Folder: the folder of models that a command works in, beside a server that may be running."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from service.command.client import CommandError


def add_models(parser: argparse.ArgumentParser) -> None:
    """The option that says which folder."""
    parser.add_argument(
        "--models", default=os.environ.get("SERVICE_MODELS"), metavar="DIR", help="folder of models, or SERVICE_MODELS"
    )


def folder_of(arguments: argparse.Namespace) -> Path:
    """The folder that the option says.

    Raises:
        CommandError: none is given, or it is none.
    """
    if not arguments.models:
        raise CommandError("models: which folder? give --models or SERVICE_MODELS")
    folder = Path(arguments.models)
    if not folder.is_dir():
        raise CommandError(f"models: {arguments.models} is not a folder")
    return folder


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Rows as lines, their columns below each other; the first row says what they are."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
